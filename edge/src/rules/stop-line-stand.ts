import type { Point } from '../geometry/box.ts';
import type { StopLineSight } from './stop-line-gauge.ts';
import { timeOf } from './stop-line-passing.ts';

/** Seen at least this often while it stood. */
const MIN_SIGHTS = 3;
/** Standing: the ground point stays within this share of the box height of the middle of the stretch. */
const MAX_DRIFT_HEIGHTS = 0.12;
/** The place itself: within this share of the box height of the middle. */
const SETTLED_HEIGHTS = 0.06;
/** Sights further off than that are passing errors of the box while they last no longer than this, ms, and are not many. */
const MAX_OUTLIER_MS = 450;
const MAX_OUTLIER_SHARE = 0.25;
/** Sights nearer in time than this share their errors: they count as one, ms. */
const INDEPENDENT_MS = 300;
/**
 * Which of the sights while standing is believed, counted from the least past the line. What hides the wheels pushes the
 * estimate forward, never back, so the cautious side is the likelier one too.
 */
const CAUTIOUS_QUANTILE = 0.35;

type End = 'front' | 'rear';

/** Where somebody stands relative to the stop line, from all sights of the stretch; px, positive beyond. */
export interface Stand {
  readonly front: number;
  readonly rear: number;
  /** Standard errors: what all sights share, and what is left of the rest after averaging. */
  readonly frontError: number;
  readonly rearError: number;
  readonly frontWithin: boolean;
  /** A sight of it, with the wheels in view where there is one. */
  readonly typical: StopLineSight;
  /** How many sights the estimate stands on. */
  readonly sights: number;
}

/** Index of the first of the newest sights during which the road user stood; the length of the list where it did not. */
export function findStand(sights: readonly StopLineSight[]): number {
  const newest = sights.at(-1);
  if (newest === undefined) return 0;
  const places: Point[] = [];
  let from = sights.length;
  let outliers = 0;
  let centre: Point = newest.ground;
  const drift = MAX_DRIFT_HEIGHTS * heightOf(newest);
  for (let i = sights.length - 1; i >= 0; i--) {
    const place = (sights[i] as StopLineSight).ground;
    if (Math.hypot(place[0] - centre[0], place[1] - centre[1]) <= drift) {
      places.push(place);
      from = i;
      if (places.length <= 15) centre = medianPoint(places);
      continue;
    }
    outliers += 1;
    const runMs = timeOf(sights, from) - timeOf(sights, i);
    if (runMs > MAX_OUTLIER_MS || outliers > Math.max(1, MAX_OUTLIER_SHARE * places.length)) break;
  }
  return from;
}

/**
 * The place of a stretch of standing; undefined where it was seen too rarely. Sights with the wheels in view and sights with
 * inferred wheels are two witnesses that are weighed by their errors; what both share (length of the body, angle of the view,
 * habit of the detector) does not average out.
 */
export function estimateStand(stretch: readonly StopLineSight[]): Stand | undefined {
  const settled = pickSettled(stretch);
  if (settled.length < MIN_SIGHTS) return undefined;
  const groups = [true, false].map((seen) =>
    settled.filter(({ observation }) => observation.groundSeen === seen),
  );
  const front = weigh(groups, 'front');
  const rear = weigh(groups, 'rear');
  const typical = pickTypical(groups);
  if (front === undefined || rear === undefined || typical === undefined) return undefined;
  const { frontWithin } = typical.position;
  return {
    front: front.at,
    rear: rear.at,
    frontError: front.error,
    rearError: rear.error,
    frontWithin,
    typical,
    sights: settled.length,
  };
}

/** Who rolls out to a stand is near it before it is there: the sights at the place itself. */
function pickSettled(stretch: readonly StopLineSight[]): readonly StopLineSight[] {
  const [x, y] = medianPoint(stretch.map(({ ground }) => ground));
  const settled = stretch.filter(
    (sight) => Math.hypot(sight.ground[0] - x, sight.ground[1] - y) <= SETTLED_HEIGHTS * heightOf(sight),
  );
  return settled.length < MIN_SIGHTS ? stretch : settled;
}

function weigh(
  groups: readonly (readonly StopLineSight[])[],
  end: End,
): { at: number; error: number } | undefined {
  let [weights, sum] = [0, 0];
  let shared = Number.POSITIVE_INFINITY;
  for (const group of groups) {
    const typical = sortBy(group, end)[Math.floor(group.length * CAUTIOUS_QUANTILE)];
    if (typical === undefined) continue;
    const { [end]: at, noise, hiddenError } = typical.position;
    const error = typical.position[end === 'front' ? 'frontError' : 'rearError'];
    const middle = median(group.map(({ position }) => position[end]));
    const spread = 1.48 * median(group.map(({ position }) => Math.abs(position[end] - middle)));
    const spanMs = timeOf(group, group.length - 1) - timeOf(group, 0);
    const independent = Math.min(group.length, 1 + spanMs / INDEPENDENT_MS);
    const own = Math.hypot(Math.max(noise, spread) / Math.sqrt(independent), hiddenError);
    shared = Math.min(
      shared,
      Math.sqrt(Math.max(0, error * error - noise * noise - hiddenError * hiddenError)),
    );
    weights += 1 / (own * own);
    sum += at / (own * own);
  }
  return weights === 0 ? undefined : { at: sum / weights, error: Math.hypot(shared, 1 / Math.sqrt(weights)) };
}

function pickTypical(groups: readonly (readonly StopLineSight[])[]): StopLineSight | undefined {
  const group = groups.find(({ length }) => length > 0) ?? [];
  return sortBy(group, 'front')[Math.floor(group.length * CAUTIOUS_QUANTILE)];
}

function sortBy(sights: readonly StopLineSight[], end: End): StopLineSight[] {
  return [...sights].sort((a, b) => a.position[end] - b.position[end]);
}

function heightOf({ observation }: StopLineSight): number {
  return observation.box[3] - observation.box[1];
}

function medianPoint(points: readonly Point[]): Point {
  return [median(points.map(([x]) => x)), median(points.map(([, y]) => y))];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
