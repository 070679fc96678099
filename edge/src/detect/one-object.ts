import { type Box, computeIou, isPartOf } from '../geometry/box.ts';
import type { RoadLabel } from './road-class.ts';

/**
 * Labels that one object is easily given both of; non-maximum suppression works across a group. Persons stay apart, so
 * that a rider does not suppress the motorbike below.
 */
const SUPPRESSION_GROUP: Readonly<Record<RoadLabel, number>> = {
  person: 0,
  bicycle: 1,
  motorbike: 1,
  car: 2,
  bus: 2,
  truck: 2,
  'traffic-light': 3,
  plate: 4,
};
interface Found {
  readonly label: RoadLabel;
  readonly box: Box;
}

/**
 * Whether a finding is the same object as one that is surer: boxes of the same group of labels whose IoU is above `maxIou`, or a part of a closed
 * vehicle, as the cab of a lorry. Of small motorbikes in a crowd one is too easily taken for a part of its neighbour: only the joining of
 * riders takes out the bike below a rider.
 */
export function isOneObject(finding: Found, surer: Found, maxIou: number): boolean {
  const group = SUPPRESSION_GROUP[finding.label];
  if (group !== SUPPRESSION_GROUP[surer.label]) return false;
  if (computeIou(finding.box, surer.box) > maxIou) return true;
  return group === SUPPRESSION_GROUP.car && isPartOf(finding.box, surer.box);
}
