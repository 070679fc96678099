import type { Box } from '../geometry/box.ts';
import type { Detection, RoadPart } from './detection.ts';
import { isRoadPart, type RoadLabel } from './road-class.ts';

/**
 * Labels that one object is easily given both of; non-maximum suppression works across a group. Persons stay apart, so
 * that a rider does not suppress the motorbike below.
 */
const SUPPRESSION_GROUP: Readonly<Record<RoadLabel, number>> = {
  person: 0,
  bicycle: 1,
  motorbike: 1,
  car: 2,
  bus: 2,
  truck: 2,
  'traffic-light': 3,
  plate: 4,
};

/** Whether findings with these labels may be one object: suppression works across them. */
export function mayBeOneObject(label: RoadLabel, other: RoadLabel): boolean {
  return SUPPRESSION_GROUP[label] === SUPPRESSION_GROUP[other];
}

/** So many findings of one frame are held against one another, the surest: more are not road traffic. */
const MAX_CANDIDATES = 1024;
/** What is left of a box inside the picture must be at least this wide and high, source px. */
const MIN_SIDE_PX = 1;

/**
 * What a network found in one frame before duplicates are taken out. Its arrays are used again for every frame, so one list
 * serves one stream of frames.
 */
export class CandidateList {
  #boxes = new Float32Array(MAX_CANDIDATES * 4);
  #confidences = new Float32Array(MAX_CANDIDATES);
  readonly #labels: RoadLabel[] = [];
  readonly #order: number[] = [];
  #count = 0;
  #width = 0;
  #height = 0;

  /** Empties the list for a picture of this size, source px. */
  begin(sourceWidth: number, sourceHeight: number): void {
    this.#count = 0;
    this.#width = sourceWidth;
    this.#height = sourceHeight;
  }

  /** Takes a box in source pixels, cut to the picture; one outside the picture or with NaN in it is left out. */
  add(label: RoadLabel, confidence: number, x1: number, y1: number, x2: number, y2: number): void {
    const left = clamp(x1, this.#width);
    const top = clamp(y1, this.#height);
    const right = clamp(x2, this.#width);
    const bottom = clamp(y2, this.#height);
    if (!(right - left >= MIN_SIDE_PX && bottom - top >= MIN_SIDE_PX)) return;
    if (this.#count === this.#confidences.length) this.#grow();
    const at = this.#count * 4;
    this.#boxes[at] = left;
    this.#boxes[at + 1] = top;
    this.#boxes[at + 2] = right;
    this.#boxes[at + 3] = bottom;
    this.#confidences[this.#count] = Math.min(1, confidence);
    this.#labels[this.#count] = label;
    this.#count += 1;
  }

  /**
   * Non-maximum suppression within each group of labels: of two boxes whose IoU is above `maxIou` the less confident goes.
   * Returns the road users that are left, most confident first; what else is left goes to `parts`.
   */
  suppress(maxIou: number, parts?: RoadPart[]): Detection[] {
    const [confidences, labels, order] = [this.#confidences, this.#labels, this.#order];
    order.length = 0;
    for (let i = 0; i < this.#count; i++) order.push(i);
    order.sort((a, b) => (confidences[b] ?? 0) - (confidences[a] ?? 0) || a - b);
    order.length = Math.min(order.length, MAX_CANDIDATES);
    const kept: Detection[] = [];
    const keptIndex: number[] = [];
    for (const i of order) {
      const label = labels[i] ?? 'person';
      const hidden = keptIndex.some(
        (j) => mayBeOneObject(label, labels[j] ?? 'person') && computeIouAt(this.#boxes, i, j) > maxIou,
      );
      if (hidden) continue;
      keptIndex.push(i);
      const found = { confidence: confidences[i] ?? 0, box: boxAt(this.#boxes, i) };
      if (isRoadPart(label)) parts?.push({ label, ...found });
      else kept.push({ label, ...found });
    }
    return kept;
  }

  /** Twice the room; a frame has as many findings as its network has rows at the most. */
  #grow(): void {
    const boxes = new Float32Array(this.#boxes.length * 2);
    boxes.set(this.#boxes);
    this.#boxes = boxes;
    const confidences = new Float32Array(this.#confidences.length * 2);
    confidences.set(this.#confidences);
    this.#confidences = confidences;
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
