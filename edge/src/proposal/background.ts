import type { Frame } from '../frame/frame.ts';
import type { Box } from '../geometry/box.ts';

/** A still picture: BGR24, row-major, with the factor to source pixels. */
export interface StillPicture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
  /** Source pixels of one of its pixels. */
  readonly scale: number;
}

/** Pictures that are kept at most; the median of an odd number is one of them. */
const MAX_SAMPLES = 41;

/** A found box is grown by this share of its size: shadows and what the box cuts off. */
const GROWTH = 0.12;

interface Sample {
  readonly pixels: Uint8Array;
  /** What stood there, in pixels of the picture. */
  readonly boxes: readonly Box[];
}

/**
 * Takes pictures over a time and gives their median at each place over those in which nothing was found there: neither what
 * moves nor what waits is in it, where the road was seen bare a few times. While it is full every second picture is given
 * up and the distance doubled, so that the samples always spread over the whole time.
 */
export class Background {
  readonly #samples: Sample[] = [];
  #size: { width: number; height: number; scale: number } | undefined;
  #intervalMs: number;
  #nextMs = Number.NEGATIVE_INFINITY;

  constructor(intervalMs = 500) {
    this.#intervalMs = intervalMs;
  }

  /**
   * Keeps the pixels of the frame where its time has come.
   * @param boxes what was found in it, source pixels
   */
  add(frame: Frame, boxes: readonly Box[]): void {
    if (frame.mediaTimeMs < this.#nextMs) return;
    const scale = frame.sourceWidth / frame.width;
    this.#size ??= { width: frame.width, height: frame.height, scale };
    this.#samples.push({ pixels: frame.pixels, boxes: boxes.map((box) => growBox(box, scale)) });
    this.#nextMs = frame.mediaTimeMs + this.#intervalMs;
    if (this.#samples.length < MAX_SAMPLES) return;
    for (let i = this.#samples.length - 2; i > 0; i -= 2) this.#samples.splice(i, 1);
    this.#intervalMs *= 2;
  }

  /** Median of each channel; undefined before the first picture. */
  compute(): StillPicture | undefined {
    if (this.#size === undefined) return undefined;
    const { width, height } = this.#size;
    const covers = this.#samples.map(({ boxes }) => drawCover(boxes, width, height));
    const pixels = new Uint8Array(width * height * 3);
    const values = new Uint8Array(this.#samples.length);
    for (let at = 0; at < width * height; at++) {
      const bare = this.#samples.filter((_, index) => covers[index]?.[at] === 0);
      const chosen = bare.length > 0 ? bare : this.#samples;
      for (let channel = 0; channel < 3; channel++) {
        chosen.forEach((sample, index) => {
          values[index] = sample.pixels[3 * at + channel] ?? 0;
        });
        const sorted = values.subarray(0, chosen.length).sort();
        pixels[3 * at + channel] = sorted[chosen.length >> 1] ?? 0;
      }
    }
    return { ...this.#size, pixels };
  }
}

function growBox([x1, y1, x2, y2]: Box, scale: number): Box {
  const [dx, dy] = [GROWTH * (x2 - x1), GROWTH * (y2 - y1)];
  return [(x1 - dx) / scale, (y1 - dy) / scale, (x2 + dx) / scale, (y2 + dy) / scale];
}

function drawCover(boxes: readonly Box[], width: number, height: number): Uint8Array {
  const cover = new Uint8Array(width * height);
  for (const [x1, y1, x2, y2] of boxes) {
    const [left, right] = [Math.max(0, Math.floor(x1)), Math.min(width, Math.ceil(x2))];
    for (let y = Math.max(0, Math.floor(y1)); y < Math.min(height, Math.ceil(y2)); y++) {
      if (right > left) cover.fill(1, y * width + left, y * width + right);
    }
  }
  return cover;
}
