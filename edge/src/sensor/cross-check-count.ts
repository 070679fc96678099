import type { CrossCheckFinding } from '@ngatu/contract';

/** What a loop and a camera counted in the same stretches of time. */
export interface CountPair {
  readonly loop: number;
  readonly camera: number;
}

/** Fewer vehicles of both together say nothing. */
const LEAST_VEHICLES = 60;
/** Counts of this much difference are the same: lorries with trailers, motorbikes beside the loop. */
const TOLERATED_RATIO = 1.3;
/** Vehicles come in groups, and windows cut them: the variance of a count is about twice that of a Poisson process. */
const DISPERSION = 2;
const Z = 3;

/**
 * Whether two counts of one lane are the same. A difference is told only where its interval (three standard errors of the logarithm of the
 * ratio) lies beyond what is tolerated. `ratio`: vehicles of the camera for each of the loop.
 */
export function compareCounts(pairs: readonly CountPair[]):
  | {
      readonly finding: Extract<CrossCheckFinding, 'agree' | 'camera-low' | 'loop-low'>;
      readonly ratio: number;
    }
  | undefined {
  const loop = pairs.reduce((sum, pair) => sum + pair.loop, 0);
  const camera = pairs.reduce((sum, pair) => sum + pair.camera, 0);
  if (loop + camera < LEAST_VEHICLES) return undefined;
  // half a vehicle stands for none: the logarithm needs some
  const log = Math.log(Math.max(camera, 0.5) / Math.max(loop, 0.5));
  const error = Z * Math.sqrt(DISPERSION * (1 / Math.max(camera, 0.5) + 1 / Math.max(loop, 0.5)));
  const tolerated = Math.log(TOLERATED_RATIO);
  const ratio = camera / Math.max(loop, 0.5);
  // none at all of many has no interval by this formula, and needs none
  const isDead = Math.min(loop, camera) === 0;
  if (isDead || Math.abs(log) - error > tolerated)
    return { finding: log < 0 ? 'camera-low' : 'loop-low', ratio };
  return Math.abs(log) <= tolerated ? { finding: 'agree', ratio } : undefined;
}
