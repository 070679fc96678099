import type { Scene } from '@ngatu/contract';
import { type Box, computeGroundPoint, type Point } from '../geometry/box.ts';
import { computeBorderDistance, isInside } from '../geometry/polygon.ts';

/** The lower edge of a box lies within this share of its height, at least so many px, of the true contact (as in `footprint.ts`). */
const EDGE_ERROR_HEIGHTS = 0.03;
const MIN_EDGE_ERROR_PX = 1.5;
/** Outside by less than this share of the height is still inside for who was inside: boxes jitter at the border. */
const HYSTERESIS_HEIGHTS = 0.08;

/** `surely`: inside by more than the error of the ground contact; `near`: outside by less than the hysteresis. */
type ZonePosition = 'surely' | 'inside' | 'near' | 'outside';

/** @throws RangeError where the scene has no such zone; a loaded scene was checked for that */
export function findZone(scene: Scene, name: string): readonly Point[] {
  const zone = scene.zones.find((candidate) => candidate.name === name);
  if (zone === undefined) throw new RangeError(`Scene "${scene.name}" has no zone "${name}"`);
  return zone.polygon;
}

/** Where the ground contact of a box lies relative to a zone, with its error bound. */
export function locateInZone(polygon: readonly Point[], box: Box): ZonePosition {
  const point = computeGroundPoint(box);
  const height = box[3] - box[1];
  const distance = computeBorderDistance(polygon, point);
  if (isInside(polygon, point)) {
    return distance > Math.max(MIN_EDGE_ERROR_PX, EDGE_ERROR_HEIGHTS * height) ? 'surely' : 'inside';
  }
  return distance <= HYSTERESIS_HEIGHTS * height ? 'near' : 'outside';
}
