import { computeGroundPoint, type Point } from '../geometry/box.ts';
import type { Observation } from './rule.ts';

/** The lower edge of a box lies within this share of its height, at least so many px, of the true contact (as in `footprint.ts`). */
const EDGE_ERROR_HEIGHTS = 0.03;
const MIN_EDGE_ERROR_PX = 1.5;
/** A pace is measured over this time, ms, from at least so many sights over at least half of it. */
const PACE_MS = 1_200;
const MIN_SIGHTS = 4;

/** How somebody walks: a straight line fitted to the newest sights. */
export interface Pace {
  /** Velocity in the picture, px/ms. */
  readonly velocity: Point;
  /** Length of it, px/ms, with its bound (two standard errors). */
  readonly speed: number;
  readonly speedError: number;
}

export function computeEdgeError(observation: Observation): number {
  const height = observation.box[3] - observation.box[1];
  return Math.max(MIN_EDGE_ERROR_PX, EDGE_ERROR_HEIGHTS * height);
}

/** Pace over the time up to `untilMs`; undefined where too little was seen. */
export function computePace(sights: readonly Observation[], untilMs: number): Pace | undefined {
  const window = sights.filter(({ groundSeen, frame: { mediaTimeMs } }) => {
    return groundSeen && mediaTimeMs <= untilMs && mediaTimeMs >= untilMs - PACE_MS;
  });
  const [first, last] = [window[0], window.at(-1)];
  if (first === undefined || last === undefined || window.length < MIN_SIGHTS) return undefined;
  if (last.frame.mediaTimeMs - first.frame.mediaTimeMs < PACE_MS / 2) return undefined;
  const times = window.map(({ frame }) => frame.mediaTimeMs);
  const points = window.map(({ box }) => computeGroundPoint(box));
  const mean = times.reduce((sum, t) => sum + t, 0) / times.length;
  const spread = times.reduce((sum, t) => sum + (t - mean) ** 2, 0);
  const slope = (axis: 0 | 1): number =>
    points.reduce((sum, point, i) => sum + point[axis] * ((times[i] ?? mean) - mean), 0) / spread;
  const velocity: Point = [slope(0), slope(1)];
  const speedError = (2 * computeEdgeError(last)) / Math.sqrt(spread);
  return { velocity, speed: Math.hypot(...velocity), speedError };
}
