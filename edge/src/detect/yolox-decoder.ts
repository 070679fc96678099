import type { RoadUserLabel } from '@ngatu/contract';
import { CandidateList } from './candidate-list.ts';
import { COCO_ROAD_USERS } from './coco.ts';
import type { Detection } from './detection.ts';

const STRIDES = [8, 16, 32] as const;
/** cx, cy, w, h, objectness, then 80 class confidences. */
export const YOLOX_ROW_LENGTH = 85;

export interface YoloxDecodeOptions {
  /** Size of the network's input, multiples of 32, px. */
  inputWidth: number;
  inputHeight: number;
  minConfidence: number;
  /** IoU above which the less confident of a group is suppressed (YOLOX's own demo uses 0.45). */
  maxIou: number;
  /** Factor from network to source pixels. */
  scaleX: number;
  scaleY: number;
  sourceWidth: number;
  sourceHeight: number;
}

/** Number of rows N of the output for an input of this size, px. */
export function computeYoloxRows(inputWidth: number, inputHeight: number): number {
  return STRIDES.reduce((sum, stride) => sum + (inputWidth / stride) * (inputHeight / stride), 0);
}

/**
 * Decodes YOLOX's raw output `[1, N, 85]` float32 (N = Σ over strides 8, 16, 32 of grid cells; YOLOX paper, arXiv
 * 2107.08430, section 2.1): `cx = (x + gx)·s`, `w = exp(w)·s`, confidence = objectness × class. One decoder serves one
 * stream of frames: its candidate list is used again and again.
 */
export class YoloxDecoder {
  readonly #classes = [...COCO_ROAD_USERS.entries()];
  readonly #candidates = new CandidateList();

  /** Returns detections in source pixels, most confident first. */
  decode(output: Float32Array, options: YoloxDecodeOptions): Detection[] {
    this.#candidates.begin(options.sourceWidth, options.sourceHeight);
    let row = 0;
    for (const stride of STRIDES) {
      const columns = options.inputWidth / stride;
      const rows = options.inputHeight / stride;
      for (let gy = 0; gy < rows; gy++) {
        for (let gx = 0; gx < columns; gx++, row += YOLOX_ROW_LENGTH) {
          const objectness = output[row + 4] ?? 0;
          if (objectness < options.minConfidence) continue;
          this.#consider(output, row, gx, gy, stride, objectness, options);
        }
      }
    }
    return this.#candidates.suppress(options.maxIou);
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
    let label: RoadUserLabel | undefined;
    for (const [index, name] of this.#classes) {
      const confidence = output[row + 5 + index] ?? 0;
      if (confidence > best) {
        best = confidence;
        label = name;
      }
    }
    const confidence = objectness * best;
    if (label === undefined || !(confidence >= options.minConfidence)) return;
    const cx = ((output[row] ?? 0) + gx) * stride;
    const cy = ((output[row + 1] ?? 0) + gy) * stride;
    const halfWidth = (Math.exp(output[row + 2] ?? 0) * stride) / 2;
    const halfHeight = (Math.exp(output[row + 3] ?? 0) * stride) / 2;
    this.#candidates.add(
      label,
      confidence,
      (cx - halfWidth) * options.scaleX,
      (cy - halfHeight) * options.scaleY,
      (cx + halfWidth) * options.scaleX,
      (cy + halfHeight) * options.scaleY,
    );
  }
}
