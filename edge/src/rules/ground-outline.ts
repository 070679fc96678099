import type { RoadUserLabel } from '@ngatu/contract';
import type { Box, Point } from '../geometry/box.ts';

/** Usual sizes of a class, m; what matters is the proportion, because the scale is taken from the box itself. */
interface Proportion {
  /** From the rear to the front end on the ground. */
  readonly length: number;
  /** Between the outer edges of the wheels; 0 where one wheel follows the other. */
  readonly wheelWidth: number;
  /** Widest part of the box seen from behind. */
  readonly bodyWidth: number;
  readonly height: number;
  /** Shares of length and width that add to the height of the box when seen from above: roofs are smaller than floors. */
  readonly depthShare: number;
  readonly sideShare: number;
}

/** Sizes as in `footprint.ts`, with widths: handlebars and elbows 0.7 m; car of the C segment with its mirrors folded; bus 2.5 m. */
const PROPORTIONS: Readonly<Record<RoadUserLabel, Proportion>> = {
  person: { length: 0, wheelWidth: 0, bodyWidth: 0.5, height: 1.6, depthShare: 0, sideShare: 0 },
  bicycle: { length: 1.4, wheelWidth: 0, bodyWidth: 0.6, height: 1.65, depthShare: 0.4, sideShare: 0.1 },
  motorbike: { length: 1.5, wheelWidth: 0, bodyWidth: 0.7, height: 1.65, depthShare: 0.3, sideShare: 0.1 },
  car: { length: 4.4, wheelWidth: 1.75, bodyWidth: 1.75, height: 1.5, depthShare: 0.75, sideShare: 0.85 },
  truck: { length: 6.5, wheelWidth: 2.2, bodyWidth: 2.2, height: 2.8, depthShare: 0.9, sideShare: 1 },
  bus: { length: 10, wheelWidth: 2.5, bodyWidth: 2.5, height: 3.1, depthShare: 0.95, sideShare: 1 },
};

/** The found box ends within this share of its height of the true contact, at least so many px (as in `footprint.ts`). */
const BOX_EDGE_ERROR = 0.03;
const MIN_EDGE_ERROR_PX = 1.5;
/** Spread of the proportions within a class and of the angle of the camera. */
const PROPORTION_ERROR = 0.12;
/** Riders and people on foot lean, reach out and sit off the middle of their wheels or feet by up to this much, m. */
const LEAN_ERROR_M = 0.24;
/** Height and width of the box tell scales that lie further apart than e^(2 · this): it is not the whole road user. */
const MAX_DISAGREEMENT = 0.45;

/**
 * The ground that a road user covers: a parallelogram in the picture, with the wheels inside it.
 *
 * Estimator: a body of length L, width W and height H that heads along the ground direction (gx, gy) (y into the picture) is
 * about `a·(H·cosθ + sinθ·(k·L·|gy| + m·W·|gx|))` px high and `a·(L·|gx| + W·|gy|)` px wide for a camera that looks down by θ; each
 * gives a scale a (px/m). The sides of the box are measured, so widths follow the second; depths follow the geometric
 * mean of both. The lower edge of the box is the nearest corner. Where the two scales differ, the road user has
 * unusual proportions or is partly hidden: the difference adds to `sizeError`.
 *
 * ```
 *        ┌──────────┐ box
 *        │  ╱╲      │          corners  = centre ± along ± across
 *        │ ╱   ╲    │          along    = half length, towards the heading
 *        │╱  ·   ╲  │          across   = half width, 0 for two-wheelers
 *        │ ╲     ╱  │
 *        └───╲╱─────┘ ← nearest corner
 * ```
 */
export interface GroundOutline {
  /** Source pixels. */
  readonly centre: Point;
  readonly along: Point;
  readonly across: Point;
  /** Bound of `along` and `across` as a share of them. */
  readonly sizeError: number;
  /** Scale at its place for what lies across the view. */
  readonly pxPerMetre: number;
  /** Bound of how far the middle of its box stands beside the middle of its wheels, px: to the side and in depth. */
  readonly leanError: GroundBound;
}

export interface OutlineView {
  /** Angle by which the camera looks down at this place, degrees; 90 is straight down. */
  readonly depressionDeg: number;
  /** Direction of travel in the picture; need not be a unit vector. */
  readonly heading: Point;
}

/** Bound of where the edges of a box are found, px. */
export function computeEdgeError(box: Box): number {
  return Math.max(MIN_EDGE_ERROR_PX, BOX_EDGE_ERROR * (box[3] - box[1]));
}

/** Undefined where the box cannot be the whole of such a road user, or the heading has no length. */
export function computeGroundOutline(
  label: RoadUserLabel,
  box: Box,
  { depressionDeg, heading }: OutlineView,
): GroundOutline | undefined {
  const { length, wheelWidth, bodyWidth, height, depthShare, sideShare } = PROPORTIONS[label];
  const sin = Math.sin((depressionDeg * Math.PI) / 180);
  const cos = Math.cos((depressionDeg * Math.PI) / 180);
  const [gx, gy] = layOnGround(heading, sin);
  const [boxWidth, boxHeight] = [box[2] - box[0], box[3] - box[1]];
  if (Math.hypot(gx, gy) === 0 || boxWidth <= 0 || boxHeight <= 0) return undefined;
  const [ax, ay] = [Math.abs(gx), Math.abs(gy)];
  const fromHeight =
    boxHeight / (height * cos + sin * (depthShare * length * ay + sideShare * bodyWidth * ax));
  const fromWidth = boxWidth / (length * ax + bodyWidth * ay);
  // a person shows no direction in its box
  const disagreement = label === 'person' ? 0 : Math.abs(Math.log(fromHeight / fromWidth)) / 2;
  if (disagreement > MAX_DISAGREEMENT) return undefined;
  const depthScale = label === 'person' ? fromHeight : Math.sqrt(fromHeight * fromWidth);
  const along: Point = [(fromWidth * gx * length) / 2, (depthScale * gy * sin * length) / 2];
  const across: Point = [(-fromWidth * gy * wheelWidth) / 2, (depthScale * gx * sin * wheelWidth) / 2];
  const leanPx = wheelWidth === 0 ? LEAN_ERROR_M * depthScale : 0;
  return {
    centre: [(box[0] + box[2]) / 2, box[3] - Math.abs(along[1]) - Math.abs(across[1])],
    along,
    across,
    sizeError: Math.hypot(PROPORTION_ERROR, disagreement),
    pxPerMetre: depthScale,
    leanError: { sideErrorPx: leanPx, depthErrorPx: leanPx * Math.min(1, 1.5 * sin) },
  };
}

/** The unit direction on the ground of a direction in the picture, which shows depth shortened by `sin`; [0, 0] for none. */
export function layOnGround([x, y]: Point, sin: number): Point {
  const norm = Math.hypot(x, y / sin);
  return norm === 0 ? [0, 0] : [x / norm, y / sin / norm];
}

/** Which part of the ground: shares of `along` and `across` from the centre. */
export type GroundPart = readonly [along: number, across: number];
export const CENTRE: readonly GroundPart[] = [[0, 0]];
/** Left and right of its middle. */
export const SIDES: readonly GroundPart[] = [
  [0, -1],
  [0, 1],
];
/** The outer wheels: overhangs before and behind them are no wheels. One wheel base of long vehicles is 0.45 to 0.66 of their length. */
const WHEEL_BASE_SHARE = 0.68;
const WHEELS: readonly GroundPart[] = [
  [-WHEEL_BASE_SHARE, -1],
  [-WHEEL_BASE_SHARE, 1],
  [WHEEL_BASE_SHARE, -1],
  [WHEEL_BASE_SHARE, 1],
];
const TWO_WHEELS: readonly GroundPart[] = [
  [-1, 0],
  [1, 0],
];

/** All wheels lie within these. */
export function listWheels(label: RoadUserLabel): readonly GroundPart[] {
  return PROPORTIONS[label].wheelWidth === 0 ? TWO_WHEELS : WHEELS;
}

/** Bounds of the ground point of a box in the picture, px: to the side and in depth. */
export interface GroundBound {
  readonly sideErrorPx: number;
  readonly depthErrorPx: number;
}

/** Distance of one part from a border, px, and its bound. */
export interface PartDistance {
  readonly at: Point;
  readonly distance: number;
  readonly error: number;
}

/**
 * Measures parts of the ground against a border. `distanceOf` is signed and grows by one per px across the border.
 */
export function measureParts(
  { centre, along, across, sizeError, leanError }: GroundOutline,
  parts: readonly GroundPart[],
  { distanceOf, ...bound }: { distanceOf: (point: Point) => number } & GroundBound,
): PartDistance[] {
  const slope = (dx: number, dy: number): number =>
    (distanceOf([centre[0] + dx, centre[1] + dy]) - distanceOf([centre[0] - dx, centre[1] - dy])) / 2;
  const [nx, ny] = [slope(1, 0), slope(0, 1)];
  const sidePx = nx * Math.hypot(bound.sideErrorPx, leanError.sideErrorPx);
  const depthPx = ny * Math.hypot(bound.depthErrorPx, leanError.depthErrorPx);
  return parts.map(([i, j]) => {
    const at: Point = [centre[0] + i * along[0] + j * across[0], centre[1] + i * along[1] + j * across[1]];
    // the nearest corner lies on the lower edge of the box: what is further away moves with the size
    const byLength = nx * i * along[0] + ny * (i * along[1] - Math.abs(along[1]));
    const byWidth = nx * j * across[0] + ny * (j * across[1] - Math.abs(across[1]));
    const size = sizeError * Math.hypot(byLength, byWidth);
    const error = Math.hypot(sidePx, depthPx, size);
    return { at, distance: distanceOf(at), error };
  });
}
