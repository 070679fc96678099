import { CandidateList } from './candidate-list.ts';
import type { Detection, RoadPart } from './detection.ts';
import type { RoadClass } from './road-class.ts';

/** cx, cy, w, h, objectness; then one confidence a class. */
const HEAD_LENGTH = 5;

/** The output of one network: how long a row is, which grids its rows stand for, which classes are looked at. */
export interface YoloxForm {
  /** Classes in a row, also of those that are not looked at. */
  readonly classCount: number;
  /** Steps of the grids in the order of the rows, px; 8, 16, 32 in every YOLOX that was published. */
  readonly strides: readonly number[];
  readonly classes: readonly RoadClass[];
}

export interface YoloxDecodeOptions {
  /** Size of the network's input, multiples of its largest stride, px. */
  inputWidth: number;
  inputHeight: number;
  /** IoU above which the less confident of a group is suppressed (YOLOX's own demo uses 0.45). */
  maxIou: number;
  /** Factor from network to source pixels. */
  scaleX: number;
  scaleY: number;
  sourceWidth: number;
  sourceHeight: number;
}

/** Shape `[1, N, 5 + classes]` of the output for an input of this size, px. */
export function computeYoloxShape(
  { classCount, strides }: YoloxForm,
  inputWidth: number,
  inputHeight: number,
): [1, number, number] {
  const rows = strides.reduce((sum, stride) => sum + (inputWidth / stride) * (inputHeight / stride), 0);
  return [1, rows, HEAD_LENGTH + classCount];
}

/**
 * Decodes YOLOX's raw output `[1, N, 5 + classes]` float32 (N = Σ over the strides of grid cells; YOLOX paper, arXiv
 * 2107.08430, section 2.1): `cx = (x + gx)·s`, `w = exp(w)·s`, confidence = objectness × class. One decoder serves one
 * stream of frames: its candidate list is used again and again.
 */
export class YoloxDecoder {
  readonly #classes: readonly RoadClass[];
  readonly #strides: readonly number[];
  readonly #rowLength: number;
  /** An object less sure than this is below the confidence of every class. */
  readonly #leastObjectness: number;
  readonly #candidates = new CandidateList();

  constructor({ classCount, strides, classes }: YoloxForm) {
    this.#classes = classes;
    this.#strides = strides;
    this.#rowLength = HEAD_LENGTH + classCount;
    this.#leastObjectness = Math.min(1, ...classes.map(({ minConfidence }) => minConfidence));
  }

  /** Returns road users in source pixels, most confident first; what else was found goes to `parts`. */
  decode(output: Float32Array, options: YoloxDecodeOptions, parts?: RoadPart[]): Detection[] {
    this.#candidates.begin(options.sourceWidth, options.sourceHeight);
    let row = 0;
    for (const stride of this.#strides) {
      const columns = options.inputWidth / stride;
      const rows = options.inputHeight / stride;
      for (let gy = 0; gy < rows; gy++) {
        for (let gx = 0; gx < columns; gx++, row += this.#rowLength) {
          const objectness = output[row + 4] ?? 0;
          if (objectness < this.#leastObjectness) continue;
          this.#consider(output, row, gx, gy, stride, objectness, options);
        }
      }
    }
    return this.#candidates.suppress(options.maxIou, parts);
  }

  #consider(
    output: Float32Array,
    row: number,
    gx: number,
    gy: number,
    stride: number,
    objectness: number,
    options: YoloxDecodeOptions,
  ): void {
    let best = 0;
    let found: RoadClass | undefined;
    for (const each of this.#classes) {
      const confidence = output[row + HEAD_LENGTH + each.index] ?? 0;
      if (confidence > best) {
        best = confidence;
        found = each;
      }
    }
    const confidence = objectness * best;
    if (found === undefined || !(confidence >= found.minConfidence)) return;
    const cx = ((output[row] ?? 0) + gx) * stride;
    const cy = ((output[row + 1] ?? 0) + gy) * stride;
    const halfWidth = (Math.exp(output[row + 2] ?? 0) * stride) / 2;
    const halfHeight = (Math.exp(output[row + 3] ?? 0) * stride) / 2;
    this.#candidates.add(
      found.label,
      confidence,
      (cx - halfWidth) * options.scaleX,
      (cy - halfHeight) * options.scaleY,
      (cx + halfWidth) * options.scaleX,
      (cy + halfHeight) * options.scaleY,
    );
  }
}
