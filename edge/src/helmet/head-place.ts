import type { Box } from '../geometry/box.ts';

/** Height of a head with hair or helmet in that of a seated person's box: a fifth of who sits upright, more of who leans forward. */
const HEAD_HEIGHT = 0.22;
/** A head is nearly as wide as high. */
const HEAD_ASPECT = 0.9;
/** A box that is wider than this share of its height is of somebody seen from the side, or of two. */
const WIDE = 0.8;

/**
 * Where the head of a rider is, by the box of the person: at its upper edge, in its middle. Undefined where the box is no upright person's, and
 * nobody knows at which end the head is.
 */
export function locateHead([x1, y1, x2, y2]: Box): Box | undefined {
  const width = x2 - x1;
  const height = y2 - y1;
  if (!(width > 0 && height > 0) || width > WIDE * height) return undefined;
  const headHeight = HEAD_HEIGHT * height;
  const half = Math.min(width, HEAD_ASPECT * headHeight) / 2;
  const middle = (x1 + x2) / 2;
  return [middle - half, y1, middle + half, y1 + headHeight];
}
