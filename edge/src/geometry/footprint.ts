import type { RoadUserLabel } from '@ngatu/contract';
import type { Box, Point } from './box.ts';

/**
 * Where a road user touches the ground at its two ends, with error bounds.
 *
 * Estimator: seen from a camera that looks down by the angle θ, a road user of length L and height H is about
 * `s·(H·cosθ + k·L·sinθ)` pixels high, which gives the scale s (px/m) at its place; its length then spans `s·L·sinθ`
 * pixels along the view and `s·L` across it. The bottom of the box is the nearer end: the rear of one who drives away
 * from the camera, the front of one who comes. Lengths and heights are usual ones of the class; the end that is not at the
 * bottom of the box therefore carries an error of a share of the length, the end that is at the bottom a small one.
 */
export interface Footprint {
  readonly rear: Point;
  readonly front: Point;
  /** Bounds, px. */
  readonly rearError: number;
  readonly frontError: number;
}

interface Dimensions {
  /** From the rear ground contact to the foremost point of the body, seen from straight above, m. */
  readonly length: number;
  /** Ground to top, with riders, m. */
  readonly height: number;
  /** Which share of the length adds to the height of the box, seen from above. */
  readonly depthShare: number;
}

/** Usual sizes in Vietnamese traffic, m: motorbike wheel base 1.25 and 0.25 of front tyre before its axle, with rider 1.65 high; car of the C segment; city bus. */
const DIMENSIONS: Readonly<Record<RoadUserLabel, Dimensions>> = {
  person: { length: 0, height: 1.6, depthShare: 0 },
  bicycle: { length: 1.4, height: 1.65, depthShare: 0.4 },
  motorbike: { length: 1.5, height: 1.65, depthShare: 0.3 },
  car: { length: 4.4, height: 1.5, depthShare: 0.75 },
  truck: { length: 6.5, height: 2.8, depthShare: 0.9 },
  bus: { length: 10, height: 3.1, depthShare: 0.95 },
};

/** The found box ends within this share of its height of the true contact (measured on boxes of the Hanoi clip). */
const BOX_EDGE_ERROR = 0.03;
const MIN_EDGE_ERROR_PX = 1.5;
/** Spread of lengths within a class and of the angle, as a share of the projected length. */
const LENGTH_ERROR = 0.15;

export interface FootprintView {
  /** Angle by which the camera looks down at this place, degrees; 90 is straight down. */
  readonly depressionDeg: number;
  /** Direction of travel in the picture; need not be a unit vector. */
  readonly heading: Point;
}

export function computeFootprint(label: RoadUserLabel, box: Box, view: FootprintView): Footprint {
  const { length, height, depthShare } = DIMENSIONS[label];
  const boxHeight = box[3] - box[1];
  const edge = Math.max(MIN_EDGE_ERROR_PX, BOX_EDGE_ERROR * boxHeight);
  const norm = Math.hypot(view.heading[0], view.heading[1]);
  const centreX = (box[0] + box[2]) / 2;
  if (length === 0 || norm === 0) {
    const ground: Point = [centreX, box[3]];
    return { rear: ground, front: ground, rearError: edge, frontError: edge };
  }
  const sin = Math.sin((view.depressionDeg * Math.PI) / 180);
  const cos = Math.cos((view.depressionDeg * Math.PI) / 180);
  const ux = view.heading[0] / norm;
  const uy = view.heading[1] / norm;
  const along = Math.hypot(ux, uy / sin);
  // seen from the side the height of the box is the height of the road user alone
  const depth = Math.abs(uy / sin) / along;
  const scale = boxHeight / (height * cos + depthShare * length * sin * depth);
  // both ends stand inside the box, whatever the usual sizes say
  const inBox = Math.min((box[2] - box[0]) / Math.abs(ux), boxHeight / Math.abs(uy));
  const reach = Math.min((scale * length) / along, inBox);
  const spanX = ux * reach;
  const spanY = uy * reach;
  const rear: Point = [centreX - spanX / 2, box[3] - Math.max(0, spanY)];
  const front: Point = [centreX + spanX / 2, box[3] - Math.max(0, -spanY)];
  // the two errors are independent
  const far = Math.hypot(edge, LENGTH_ERROR * reach);
  const comes = spanY > 0;
  return { rear, front, rearError: comes ? far : edge, frontError: comes ? edge : far };
}
