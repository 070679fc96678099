import type { Box } from '../geometry/box.ts';
import type { Detection, RoadPart } from './detection.ts';
import { isOneObject } from './one-object.ts';
import { isRoadPart, type RoadLabel } from './road-class.ts';

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
   * Non-maximum suppression: of two findings that are one object (`isOneObject`) the less confident goes. Returns the road users that are left,
   * most confident first; what else is left goes to `parts`.
   */
  suppress(maxIou: number, parts?: RoadPart[]): Detection[] {
    const [confidences, labels, order] = [this.#confidences, this.#labels, this.#order];
    order.length = 0;
    for (let i = 0; i < this.#count; i++) order.push(i);
    order.sort((a, b) => (confidences[b] ?? 0) - (confidences[a] ?? 0) || a - b);
    order.length = Math.min(order.length, MAX_CANDIDATES);
    const kept: { label: RoadLabel; confidence: number; box: Box }[] = [];
    for (const i of order) {
      const found = {
        label: labels[i] ?? 'person',
        confidence: confidences[i] ?? 0,
        box: boxAt(this.#boxes, i),
      };
      if (!kept.some((surer) => isOneObject(found, surer, maxIou))) kept.push(found);
    }
    const users: Detection[] = [];
    for (const { label, ...found } of kept) {
      if (isRoadPart(label)) parts?.push({ label, ...found });
      else users.push({ label, ...found });
    }
    return users;
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
