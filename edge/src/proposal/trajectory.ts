import type { RoadUserLabel } from '@ngatu/contract';
import type { Point } from '../geometry/box.ts';

/** Where one road user stood over time; ground points in source pixels, times in ms. */
export interface Trajectory {
  readonly label: RoadUserLabel;
  readonly sights: readonly {
    readonly atMs: number;
    readonly ground: Point;
    /** Height of its box there, px: the local scale of the picture. */
    readonly height: number;
  }[];
}

/** Straight way from the first to the last sight, px. */
export function computeTravel({ sights }: Trajectory): number {
  const [first, last] = [sights[0], sights.at(-1)];
  if (first === undefined || last === undefined) return 0;
  return Math.hypot(last.ground[0] - first.ground[0], last.ground[1] - first.ground[1]);
}

/** A step of a road user: where, whereto, and how far; standing still makes no step. */
export interface Step {
  readonly at: Point;
  readonly direction: Point;
  readonly height: number;
}

/** A step is taken whenever the ground point has moved this share of the box height: jitter is less. */
const STEP_HEIGHTS = 0.15;

/** Resamples a trajectory to steps that are longer than the jitter of its boxes; directions are unit vectors. */
export function listSteps({ sights }: Trajectory): Step[] {
  const steps: Step[] = [];
  let from = sights[0];
  for (const to of sights) {
    if (from === undefined) break;
    const [dx, dy] = [to.ground[0] - from.ground[0], to.ground[1] - from.ground[1]];
    const length = Math.hypot(dx, dy);
    if (length < STEP_HEIGHTS * to.height || length === 0) continue;
    steps.push({
      at: [(from.ground[0] + to.ground[0]) / 2, (from.ground[1] + to.ground[1]) / 2],
      direction: [dx / length, dy / length],
      height: to.height,
    });
    from = to;
  }
  return steps;
}
