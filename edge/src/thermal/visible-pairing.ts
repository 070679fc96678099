import type { Point } from '../geometry/box.ts';
import { type Homography, mapPoint } from '../geometry/homography.ts';

/** The eyes of a face that the visible camera beside the thermal one saw, in its pixels. */
export interface VisibleFace {
  readonly atMs: number;
  readonly leftEye: Point;
  readonly rightEye: Point;
}

/** Where the inner canthi are to be looked for in the thermal picture, px. */
export interface CanthusHint {
  readonly left: Point;
  readonly right: Point;
}

/** A person standing still moves less than a canthus in this time, ms. */
export const MAX_PAIR_GAP_MS = 120;
/** From the pupil to the inner canthus, as a share of the way to the other pupil: (63 − 33) / 2 of 63 mm (U). */
const CANTHUS_SHARE = 0.24;

/** The visible face nearest in time to a thermal frame; undefined where none is near enough. */
export function pairByTime(faces: readonly VisibleFace[], atMs: number): VisibleFace | undefined {
  let best: VisibleFace | undefined;
  for (const face of faces)
    if (best === undefined || Math.abs(face.atMs - atMs) < Math.abs(best.atMs - atMs)) best = face;
  return best !== undefined && Math.abs(best.atMs - atMs) <= MAX_PAIR_GAP_MS ? best : undefined;
}

/**
 * The places of the canthi in the thermal picture. `homography` maps visible to thermal pixels at the distance of the mark on the
 * floor; it is fitted once with a warm board that both cameras see. Undefined where the eyes map to nowhere.
 */
export function placeCanthi(face: VisibleFace, homography: Homography): CanthusHint | undefined {
  const a = mapPoint(homography, face.leftEye);
  const b = mapPoint(homography, face.rightEye);
  if (![a.x, a.y, b.x, b.y].every(Number.isFinite) || a.w <= 0 || b.w <= 0) return undefined;
  const [left, right] = a.x <= b.x ? [a, b] : [b, a];
  const dx = (right.x - left.x) * CANTHUS_SHARE;
  const dy = (right.y - left.y) * CANTHUS_SHARE;
  return { left: [left.x + dx, left.y + dy], right: [right.x - dx, right.y - dy] };
}
