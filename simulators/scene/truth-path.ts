import type { CaseDraft } from './case-draft.ts';
import { computeUserPose, type ScriptedUser } from './scene-world.ts';
import type { StreetPoint } from './street-site.ts';

/** Truth is read off the motions in steps of this length, ms. */
export const TRUTH_STEP_MS = 20;

/** Where a road user stands at a moment, in street metres. */
export interface StreetStep {
  readonly atMs: number;
  readonly rear: StreetPoint;
  readonly front: StreetPoint;
  readonly middle: StreetPoint;
  readonly speedMps: number;
  /** Of travel, degrees off the street's direction, 0–180. */
  readonly offDeg: number;
}

/** Everything a road user does, step by step, while it is there. */
export function walkThrough(draft: CaseDraft, user: ScriptedUser): StreetStep[] {
  const steps: StreetStep[] = [];
  const last = Math.min(user.motion.endMs, draft.durationMs);
  for (let atMs = Math.max(0, user.motion.startMs); atMs <= last; atMs += TRUTH_STEP_MS) {
    const pose = computeUserPose(user, atMs);
    if (pose === undefined) continue;
    const turned = ((pose.headingRad - draft.site.headingRad) * 180) / Math.PI;
    steps.push({
      atMs,
      rear: draft.site.locate(pose.rear),
      front: draft.site.locate(pose.front),
      middle: draft.site.locate(pose.middle),
      speedMps: pose.speedMps,
      offDeg: Math.abs(((((turned + 180) % 360) + 360) % 360) - 180),
    });
  }
  return steps;
}

/** The first step at which a measure is not negative after having been negative; undefined where that never is. */
export function findPassing(
  steps: readonly StreetStep[],
  measure: (step: StreetStep) => number,
): StreetStep | undefined {
  return steps.find((step, i) => {
    const before = steps[i - 1];
    return before !== undefined && measure(before) < 0 && measure(step) >= 0;
  });
}

/** Unbroken stretches of steps for which something holds, with how long they last. */
export function listStretches(
  steps: readonly StreetStep[],
  holds: (step: StreetStep) => boolean,
): { first: StreetStep; last: StreetStep; durationMs: number; steps: readonly StreetStep[] }[] {
  const stretches: StreetStep[][] = [];
  let open: StreetStep[] | undefined;
  for (const step of steps) {
    if (!holds(step)) {
      open = undefined;
      continue;
    }
    if (open === undefined) {
      open = [];
      stretches.push(open);
    }
    open.push(step);
  }
  return stretches.flatMap((list) => {
    const [first, last] = [list[0], list.at(-1)];
    if (first === undefined || last === undefined) return [];
    return [{ first, last, durationMs: last.atMs - first.atMs, steps: list }];
  });
}
