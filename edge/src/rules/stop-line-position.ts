import type { RoadUserLabel } from '@ngatu/contract';
import { type Box, computeGroundPoint, type Point } from '../geometry/box.ts';
import { computeFootprint, type FootprintView } from '../geometry/footprint.ts';
import type { DirectedLine } from '../geometry/polyline.ts';
import type { Observation } from './rule.ts';

/** Where the two ends of a road user stand relative to a stop line; px, positive beyond the line. */
export interface StopLinePosition {
  readonly rear: number;
  /** Standard errors of this one sight. */
  readonly rearError: number;
  readonly front: number;
  readonly frontError: number;
  /** The part of the errors that differs from sight to sight: it shrinks over independent sights. */
  readonly noise: number;
  /** The part that comes from hidden wheels: all sights of one stand share it. 0 where they were seen. */
  readonly hiddenError: number;
  /** True where the end that decides passes between the ends of the line. */
  readonly rearWithin: boolean;
  readonly frontWithin: boolean;
  /** Scale of the picture where it stands; absent where nothing tells it. */
  readonly pxPerMetre?: number;
}

/** A wheel may pass this far beside the painted end, as a share of the box width. */
const END_TOLERANCE = 0.25;
/** The upper edge moves at least this share of what the lower edge moves; perspective alone leaves more. */
const MIN_UPPER_SHARE = 0.4;
/** Or the box grew or shrank by at least this much (logarithm of its height), and its width by this share of that. */
const MIN_GROWTH = 0.1;
const MIN_WIDTH_SHARE = 0.6;

/** The box of a road user that is measured, and how much less certain its lower edge is because it was not seen, px. */
export interface MeasuredBox {
  readonly box: Box;
  readonly hiddenErrorPx: number;
}

export function computeStopLinePosition(
  line: DirectedLine,
  label: RoadUserLabel,
  { box, hiddenErrorPx }: MeasuredBox,
  view: FootprintView,
): StopLinePosition {
  const footprint = computeFootprint(label, box, view);
  const rear = line.locate(footprint.rear);
  const front = line.locate(footprint.front);
  const tolerance = END_TOLERANCE * (box[2] - box[0]);
  return {
    rear: rear.distance,
    rearError: Math.hypot(footprint.rearError, hiddenErrorPx),
    front: front.distance,
    frontError: Math.hypot(footprint.frontError, hiddenErrorPx),
    noise: footprint.noise,
    hiddenError: hiddenErrorPx,
    rearWithin: rear.overrun <= tolerance,
    frontWithin: front.overrun <= tolerance,
    ...(footprint.pxPerMetre === undefined ? {} : { pxPerMetre: footprint.pxPerMetre }),
  };
}

/**
 * Direction in which a stop line is passed: the scene's arrow where it has one, else square to the line towards its
 * forward side.
 */
export function computeApproachHeading(
  points: readonly Point[],
  forwardTowards: Point,
  approach: { from: Point; to: Point } | undefined,
): Point {
  if (approach !== undefined) return [approach.to[0] - approach.from[0], approach.to[1] - approach.from[1]];
  const [ax, ay] = points[0] as Point;
  const [bx, by] = points.at(-1) as Point;
  const normal: Point = [-(by - ay), bx - ax];
  const side = normal[0] * (forwardTowards[0] - ax) + normal[1] * (forwardTowards[1] - ay);
  return side >= 0 ? normal : [-normal[0], -normal[1]];
}

/** Angle between the movement of the ground point and a heading, degrees; undefined below `minTravelPx`. */
export function computeTravelAngle(
  from: Observation,
  to: Observation,
  heading: Point,
  minTravelPx: number,
): number | undefined {
  const [x1, y1] = computeGroundPoint(from.box);
  const [x2, y2] = computeGroundPoint(to.box);
  const travel = Math.hypot(x2 - x1, y2 - y1);
  const norm = Math.hypot(heading[0], heading[1]);
  if (travel < minTravelPx || norm === 0) return undefined;
  const cos = ((x2 - x1) * heading[0] + (y2 - y1) * heading[1]) / (travel * norm);
  return (Math.acos(Math.min(1, Math.max(-1, cos))) * 180) / Math.PI;
}

/**
 * The upper edge moved along with the lower one. Where a road user comes to stand in front of another, the lower edge of
 * the hidden one rises while its upper edge stays. The upper edge of a high vehicle near the horizon hardly moves either; but it
 * grows or shrinks in width as much as in height, which nobody does who gets hidden from below.
 */
export function movedAsWhole(from: Observation, to: Observation): boolean {
  const lower = to.box[3] - from.box[3];
  const upper = to.box[1] - from.box[1];
  const sideways = Math.abs(to.box[0] + to.box[2] - from.box[0] - from.box[2]) / 2;
  if (Math.abs(lower) <= sideways) return true;
  if (Math.sign(upper) === Math.sign(lower) && Math.abs(upper) >= MIN_UPPER_SHARE * Math.abs(lower))
    return true;
  const width = Math.log((to.box[2] - to.box[0]) / (from.box[2] - from.box[0]));
  const height = Math.log((to.box[3] - to.box[1]) / (from.box[3] - from.box[1]));
  return Math.abs(height) >= MIN_GROWTH && width / height >= MIN_WIDTH_SHARE;
}
