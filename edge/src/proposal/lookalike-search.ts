import type { Detection } from '../detect/detection.ts';
import { type Box, computeIou } from '../geometry/box.ts';
import { takeQuantile } from './quantile.ts';

/** Something that is taken for a person and never moves. Source pixels. */
export interface LookalikeCandidate {
  readonly box: Box;
  /** Share of the pictures in which it was found, 0–1. */
  readonly share: number;
}

/** Findings of one thing lie upon one another at least so far (IoU). */
const SAME_IOU = 0.6;
/** In this share of the pictures … */
const MIN_SHARE = 0.3;
/** … and over this time, ms: people stand still, but not so. */
const MIN_SPAN_MS = 30_000;
/** Where one of it moves by this share of its height it is somebody after all: share of the sights that may lie farther off, and how far. */
const MAX_STRAY_SHARE = 0.1;
const STRAY_HEIGHTS = 0.2;

/** Less confident findings begin no track. */
const MIN_CONFIDENCE = 0.3;

interface Place {
  readonly boxes: Box[];
  readonly firstMs: number;
  lastMs: number;
}

/** Gathers what stays in one place and is taken for a person. Vehicles are no matter of it: they are parked for days. */
export class LookalikeSearch {
  readonly #places: Place[] = [];
  #pictures = 0;

  add(atMs: number, detections: readonly Detection[]): void {
    this.#pictures += 1;
    for (const { label, box, confidence } of detections) {
      if (label !== 'person' || confidence < MIN_CONFIDENCE) continue;
      const place = this.#places.find(({ boxes: [first] }) => first !== undefined && isSame(first, box));
      if (place === undefined) this.#places.push({ boxes: [box], firstMs: atMs, lastMs: atMs });
      else {
        place.boxes.push(box);
        place.lastMs = atMs;
      }
    }
  }

  /** The surest first. */
  find(): LookalikeCandidate[] {
    const found = this.#places.flatMap(({ boxes, firstMs, lastMs }) => {
      const share = Math.min(1, boxes.length / this.#pictures);
      const box = computeMiddle(boxes);
      if (share < MIN_SHARE || lastMs - firstMs < MIN_SPAN_MS || !isStill(boxes, box)) return [];
      return [{ box, share }];
    });
    found.sort((a, b) => b.share - a.share);
    // one place is found under two beginnings where its first sights strayed
    return found.filter(({ box }, index) => !found.slice(0, index).some((other) => isSame(other.box, box)));
  }
}

function isSame(a: Box, b: Box): boolean {
  return computeIou(a, b) >= SAME_IOU;
}

function computeMiddle(boxes: readonly Box[]): Box {
  const middle = (side: 0 | 1 | 2 | 3): number =>
    takeQuantile(
      boxes.map((box) => box[side]).sort((a, b) => a - b),
      0.5,
    );
  return [middle(0), middle(1), middle(2), middle(3)];
}

function isStill(boxes: readonly Box[], middle: Box): boolean {
  const reach = STRAY_HEIGHTS * (middle[3] - middle[1]);
  const strays = boxes.filter((box) =>
    box.some((side, index) => Math.abs(side - (middle[index] ?? 0)) > reach),
  );
  return strays.length <= MAX_STRAY_SHARE * boxes.length;
}
