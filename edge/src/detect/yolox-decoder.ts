import type { RoadUserLabel } from '@ngatu/contract';
import type { Box } from '../geometry/box.ts';
import type { Detection } from './detection.ts';

/** COCO class index → road user. Other classes are not looked at. Order: COCO 2017, 80 classes. */
export const COCO_ROAD_USERS: ReadonlyMap<number, RoadUserLabel> = new Map([
  [0, 'person'],
  [1, 'bicycle'],
  [2, 'car'],
  [3, 'motorbike'],
  [5, 'bus'],
  [7, 'truck'],
]);

/**
 * Labels that one object is easily given both of; non-maximum suppression works across a group. Persons stay apart, so
 * that a rider does not suppress the motorbike below.
 */
const SUPPRESSION_GROUP: Readonly<Record<RoadUserLabel, number>> = {
  person: 0,
  bicycle: 1,
  motorbike: 1,
  car: 2,
  bus: 2,
  truck: 2,
};

const STRIDES = [8, 16, 32] as const;
/** cx, cy, w, h, objectness, then 80 class confidences. */
const ROW_LENGTH = 85;
/** More findings than this in one frame are not road traffic; the most confident are kept. */
const MAX_CANDIDATES = 1024;

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

interface Candidates {
  count: number;
  readonly boxes: Float32Array;
  readonly confidences: Float32Array;
  readonly labels: RoadUserLabel[];
}

/**
 * Decodes YOLOX's raw output `[1, N, 85]` float32 (N = Σ over strides 8, 16, 32 of grid cells; YOLOX paper, arXiv
 * 2107.08430, section 2.1): `cx = (x + gx)·s`, `w = exp(w)·s`, confidence = objectness × class. One decoder serves one
 * stream of frames: its candidate arrays are used again and again.
 */
export class YoloxDecoder {
  readonly #classes = [...COCO_ROAD_USERS.entries()];
  readonly #candidates: Candidates = {
    count: 0,
    boxes: new Float32Array(MAX_CANDIDATES * 4),
    confidences: new Float32Array(MAX_CANDIDATES),
    labels: new Array<RoadUserLabel>(MAX_CANDIDATES).fill('person'),
  };
  readonly #order: number[] = [];

  /** Returns detections in source pixels, most confident first. */
  decode(output: Float32Array, options: YoloxDecodeOptions): Detection[] {
    this.#collect(output, options);
    return this.#suppress(options.maxIou);
  }

  #collect(output: Float32Array, options: YoloxDecodeOptions): void {
    const candidates = this.#candidates;
    candidates.count = 0;
    let row = 0;
    for (const stride of STRIDES) {
      const columns = options.inputWidth / stride;
      const rows = options.inputHeight / stride;
      for (let gy = 0; gy < rows; gy++) {
        for (let gx = 0; gx < columns; gx++, row += ROW_LENGTH) {
          const objectness = output[row + 4] ?? 0;
          if (objectness < options.minConfidence) continue;
          this.#consider(output, row, gx, gy, stride, objectness, options);
        }
      }
    }
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
    const confidence = Math.min(1, objectness * best);
    const candidates = this.#candidates;
    if (label === undefined || confidence < options.minConfidence || candidates.count >= MAX_CANDIDATES)
      return;
    const cx = ((output[row] ?? 0) + gx) * stride;
    const cy = ((output[row + 1] ?? 0) + gy) * stride;
    const halfWidth = (Math.exp(output[row + 2] ?? 0) * stride) / 2;
    const halfHeight = (Math.exp(output[row + 3] ?? 0) * stride) / 2;
    const at = candidates.count * 4;
    candidates.boxes[at] = clamp((cx - halfWidth) * options.scaleX, options.sourceWidth);
    candidates.boxes[at + 1] = clamp((cy - halfHeight) * options.scaleY, options.sourceHeight);
    candidates.boxes[at + 2] = clamp((cx + halfWidth) * options.scaleX, options.sourceWidth);
    candidates.boxes[at + 3] = clamp((cy + halfHeight) * options.scaleY, options.sourceHeight);
    candidates.confidences[candidates.count] = confidence;
    candidates.labels[candidates.count] = label;
    candidates.count += 1;
  }

  #suppress(maxIou: number): Detection[] {
    const { count, boxes, confidences, labels } = this.#candidates;
    const order = this.#order;
    order.length = 0;
    for (let i = 0; i < count; i++) order.push(i);
    order.sort((a, b) => (confidences[b] ?? 0) - (confidences[a] ?? 0) || a - b);
    const kept: Detection[] = [];
    const keptIndex: number[] = [];
    for (const i of order) {
      const label = labels[i] ?? 'person';
      const group = SUPPRESSION_GROUP[label];
      const hidden = keptIndex.some(
        (j) => SUPPRESSION_GROUP[labels[j] ?? 'person'] === group && computeIouAt(boxes, i, j) > maxIou,
      );
      if (hidden) continue;
      keptIndex.push(i);
      kept.push({ label, confidence: confidences[i] ?? 0, box: boxAt(boxes, i) });
    }
    return kept;
  }
}

function clamp(value: number, max: number): number {
  return Math.min(max, Math.max(0, value));
}

function boxAt(boxes: Float32Array, index: number): Box {
  const at = index * 4;
  return [boxes[at] ?? 0, boxes[at + 1] ?? 0, boxes[at + 2] ?? 0, boxes[at + 3] ?? 0];
}

function computeIouAt(boxes: Float32Array, i: number, j: number): number {
  const a = i * 4;
  const b = j * 4;
  const ax1 = boxes[a] ?? 0;
  const ay1 = boxes[a + 1] ?? 0;
  const ax2 = boxes[a + 2] ?? 0;
  const ay2 = boxes[a + 3] ?? 0;
  const bx1 = boxes[b] ?? 0;
  const by1 = boxes[b + 1] ?? 0;
  const bx2 = boxes[b + 2] ?? 0;
  const by2 = boxes[b + 3] ?? 0;
  const width = Math.min(ax2, bx2) - Math.max(ax1, bx1);
  const height = Math.min(ay2, by2) - Math.max(ay1, by1);
  if (width <= 0 || height <= 0) return 0;
  const intersection = width * height;
  return intersection / ((ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - intersection);
}
