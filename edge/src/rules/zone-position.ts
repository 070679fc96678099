import type { Scene } from '@ngatu/contract';
import { type Box, computeGroundPoint, type Point } from '../geometry/box.ts';
import { computeBorderDistance, isInside } from '../geometry/polygon.ts';

/** The lower edge of a box lies within this share of its height, at least so many px, of the true contact (as in `footprint.ts`). */
const EDGE_ERROR_HEIGHTS = 0.03;
const MIN_EDGE_ERROR_PX = 1.5;
/** Outside by less than this share of the height is still inside for who was inside: boxes jitter at the border. */
const HYSTERESIS_HEIGHTS = 0.08;

/** `surely`: inside by more than the error of the ground contact; `near`: outside by less than the hysteresis. */
export type ZonePosition = 'surely' | 'inside' | 'near' | 'outside';

/** @throws RangeError where the scene has no such zone; a loaded scene was checked for that */
export function findZone(scene: Scene, name: string): readonly Point[] {
  const zone = scene.zones.find((candidate) => candidate.name === name);
  if (zone === undefined) throw new RangeError(`Scene "${scene.name}" has no zone "${name}"`);
  return zone.polygon;
}

/** Where the ground contact of a box lies relative to a zone, with its error bound; `hiddenErrorPx` is added to it. */
export function locateInZone(polygon: readonly Point[], box: Box, hiddenErrorPx = 0): ZonePosition {
  const height = box[3] - box[1];
  return locatePoint(polygon, computeGroundPoint(box), {
    errorPx: Math.max(MIN_EDGE_ERROR_PX, EDGE_ERROR_HEIGHTS * height) + hiddenErrorPx,
    hysteresisPx: HYSTERESIS_HEIGHTS * height + hiddenErrorPx,
  });
}

/** Where a point lies relative to a zone, with its error bound. */
export function locatePoint(
  polygon: readonly Point[],
  point: Point,
  { errorPx, hysteresisPx }: { readonly errorPx: number; readonly hysteresisPx: number },
): ZonePosition {
  const distance = computeBorderDistance(polygon, point);
  if (isInside(polygon, point)) return distance > errorPx ? 'surely' : 'inside';
  return distance <= hysteresisPx ? 'near' : 'outside';
}
