import type { RoadUserLabel } from '@ngatu/contract';
import type { Box, Point } from './box.ts';
import { type BodySize, fitBody } from './footprint-body.ts';
import type { LearnedScale } from './picture-scale.ts';

/**
 * Where a road user touches the ground at its two ends, with errors; source pixels.
 *
 * Estimator: the bottom of the box is the nearer end: the rear of one who drives away from the camera, the front of one who
 * comes. The other end lies one body length further along the heading; how long the body is in the picture follows from width
 * and height of the box together with the usual sizes of the class (`fitBody`). So the nearer end carries the error of the
 * box's edge alone, the other one also that of the body length and of the angle at which the camera looks down.
 */
export interface Footprint {
  readonly rear: Point;
  readonly front: Point;
  /** Standard errors of a single sight, px. */
  readonly rearError: number;
  readonly frontError: number;
  /** The part of both errors that differs from sight to sight, so that it shrinks over independent sights, px. */
  readonly noise: number;
  /** Scale of the picture where it stands; absent where nothing tells it. */
  readonly pxPerMetre?: number;
}

/** From rear to front contact of usual bodies, m, with the spread within the class as a share. */
const BODIES: Readonly<Record<Exclude<RoadUserLabel, 'person'>, BodySize>> = {
  // wheel base 1.05 and the front tyre before its axle; with its rider 1.65 high and 0.6 wide at the handlebar
  bicycle: { length: [1.4, 0.06], width: [0.6, 0.2], height: [1.65, 0.07], depthShare: 0.4, groundShare: 0 },
  // wheel base 1.25 and 0.25 of front tyre before its axle
  motorbike: {
    length: [1.5, 0.04],
    width: [0.72, 0.2],
    height: [1.65, 0.06],
    depthShare: 0.3,
    groundShare: 0,
  },
  car: { length: [4.4, 0.09], width: [1.78, 0.07], height: [1.5, 0.1], depthShare: 0.75, groundShare: 1 },
  truck: { length: [6.5, 0.3], width: [2.2, 0.12], height: [2.8, 0.15], depthShare: 0.9, groundShare: 1 },
  bus: { length: [10, 0.2], width: [2.5, 0.06], height: [3.1, 0.08], depthShare: 0.95, groundShare: 1 },
};

/**
 * The lower edge of a found box lies within this share of its height of the true contact: half of it changes from frame to
 * frame, the rest is the detector's own habit and stays (measured on boxes of standing riders).
 */
const EDGE_NOISE = 0.025;
const EDGE_BIAS = 0.016;
const MIN_EDGE_NOISE_PX = 1.2;
const MIN_EDGE_BIAS_PX = 0.9;
/** How well a scene's angle is known where it was measured as docs/scenes.md says, degrees. */
const DEPRESSION_ERROR_DEG = 2;

export interface FootprintView {
  /** Angle by which the camera looks down at this place, degrees; 90 is straight down. */
  readonly depressionDeg: number;
  /** Standard error of that angle, degrees; 2 where it is left out. */
  readonly depressionErrorDeg?: number;
  /** Picture scale on the ground at this place where it is known apart from the box. */
  readonly scale?: LearnedScale;
  /** Direction of travel in the picture; need not be a unit vector. */
  readonly heading: Point;
}

export function computeFootprint(label: RoadUserLabel, box: Box, view: FootprintView): Footprint {
  const boxHeight = box[3] - box[1];
  const noise = Math.max(MIN_EDGE_NOISE_PX, EDGE_NOISE * boxHeight);
  const edge = Math.hypot(noise, Math.max(MIN_EDGE_BIAS_PX, EDGE_BIAS * boxHeight));
  const norm = Math.hypot(view.heading[0], view.heading[1]);
  const centreX = (box[0] + box[2]) / 2;
  if (label === 'person' || norm === 0) {
    const ground: Point = [centreX, box[3]];
    return { rear: ground, front: ground, rearError: edge, frontError: edge, noise };
  }
  const [ux, uy] = [view.heading[0] / norm, view.heading[1] / norm];
  const at = (depressionDeg: number) =>
    fitBody(BODIES[label], [box[2] - box[0], boxHeight], {
      depressionDeg: Math.min(90, Math.max(2, depressionDeg)),
      heading: [ux, uy],
      edgePx: edge,
      ...(view.scale === undefined ? {} : { scale: view.scale }),
    });
  const body = at(view.depressionDeg);
  // both ends stand inside the box, whatever the usual sizes say
  const inBox = Math.min((box[2] - box[0]) / Math.abs(ux), boxHeight / Math.abs(uy));
  const reach = Math.min(body.reachPx, inBox);
  const angleError = view.depressionErrorDeg ?? DEPRESSION_ERROR_DEG;
  const spread = Math.abs(at(view.depressionDeg + angleError).reachPx - body.reachPx);
  const [spanX, spanY] = [ux * reach, uy * reach];
  const bottom = box[3] - Math.min(body.sideDepthPx, boxHeight - Math.abs(spanY));
  const reachError = Math.hypot(body.reachErrorShare * reach, spread);
  const near = Math.hypot(edge, (reachError * Math.abs(ux)) / 2);
  const far = Math.hypot(edge, reachError);
  const comes = spanY > 0;
  return {
    rear: [centreX - spanX / 2, bottom - Math.max(0, spanY)],
    front: [centreX + spanX / 2, bottom - Math.max(0, -spanY)],
    rearError: comes ? far : near,
    frontError: comes ? near : far,
    noise,
    pxPerMetre: body.pxPerMetre,
  };
}
