import type { Frame } from '../frame/frame.ts';

/** Brightness 0–255, row-major. Small: what it shows has no face and no plate. */
export interface LumaPicture {
  readonly width: number;
  readonly height: number;
  readonly values: Uint8Array;
}

/** Width of the small pictures that are compared, px. */
export const SMALL_WIDTH = 160;

/** Brightness of the whole picture (ITU-R BT.601), at analysis size. */
export function computeLuma({ width, height, pixels }: Frame): LumaPicture {
  const values = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < values.length; i++, at += 3) {
    values[i] = (29 * (pixels[at] ?? 0) + 150 * (pixels[at + 1] ?? 0) + 77 * (pixels[at + 2] ?? 0)) >> 8;
  }
  return { width, height, values };
}

/** Mean of every area that becomes one pixel; pictures that are small already are returned as they are. */
export function shrinkLuma(picture: LumaPicture, toWidth = SMALL_WIDTH): LumaPicture {
  if (picture.width <= toWidth) return picture;
  const width = toWidth;
  const height = Math.max(1, Math.round((picture.height * width) / picture.width));
  const values = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const top = Math.floor((y * picture.height) / height);
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * picture.height) / height));
    for (let x = 0; x < width; x++) {
      const left = Math.floor((x * picture.width) / width);
      const right = Math.max(left + 1, Math.floor(((x + 1) * picture.width) / width));
      let sum = 0;
      for (let sy = top; sy < bottom; sy++) {
        for (let sx = left; sx < right; sx++) sum += picture.values[sy * picture.width + sx] ?? 0;
      }
      values[y * width + x] = Math.round(sum / ((bottom - top) * (right - left)));
    }
  }
  return { width, height, values };
}

/**
 * Middle value of each pixel over several pictures of one size: what stands still. Whoever passes is not in it.
 * @throws RangeError without pictures
 */
export function computeMedian(pictures: readonly LumaPicture[]): LumaPicture {
  const first = pictures[0];
  if (first === undefined) throw new RangeError('a median needs a picture');
  const values = new Uint8Array(first.values.length);
  const column = new Uint8Array(pictures.length);
  for (let i = 0; i < values.length; i++) {
    for (let k = 0; k < pictures.length; k++) {
      const value = pictures[k]?.values[i] ?? 0;
      let at = k;
      while (at > 0 && (column[at - 1] ?? 0) > value) {
        column[at] = column[at - 1] ?? 0;
        at -= 1;
      }
      column[at] = value;
    }
    values[i] = column[pictures.length >> 1] ?? 0;
  }
  return { width: first.width, height: first.height, values };
}
