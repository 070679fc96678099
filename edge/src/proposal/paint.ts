import type { Point } from '../geometry/box.ts';
import type { StillPicture } from './background.ts';

/** Paint is brighter than the road on both sides by this much, 0–255. */
export const MIN_PAINT_CONTRAST = 9;

/** Widths of the paint looked for, as shares of the picture's height: a stop line of 0.2–0.4 m, near or far. */
export const PAINT_WIDTHS = [0.008, 0.014, 0.022];

/**
 * How much a band of the width is brighter than what lies before and behind it: the lesser of both, 0–255, negative where one
 * is brighter; undefined where any of the three is outside the picture.
 * @param point source pixels
 * @param width share of the picture's height
 * @param direction unit vector across the band
 */
export function measureContrast(
  picture: StillPicture,
  [x, y]: Point,
  width: number,
  direction: Point,
): number | undefined {
  const offset = Math.max(2, width * picture.height) * picture.scale;
  const here = lumaAt(picture, x, y);
  const before = lumaAt(picture, x - offset * direction[0], y - offset * direction[1]);
  const behind = lumaAt(picture, x + offset * direction[0], y + offset * direction[1]);
  if (here === undefined || before === undefined || behind === undefined) return undefined;
  return here - Math.max(before, behind);
}

function lumaAt(picture: StillPicture, x: number, y: number): number | undefined {
  const column = Math.floor(x / picture.scale);
  const row = Math.floor(y / picture.scale);
  if (column < 0 || row < 0 || column >= picture.width || row >= picture.height) return undefined;
  const at = (row * picture.width + column) * 3;
  const [b, g, r] = [picture.pixels[at] ?? 0, picture.pixels[at + 1] ?? 0, picture.pixels[at + 2] ?? 0];
  return 0.114 * b + 0.587 * g + 0.299 * r;
}
