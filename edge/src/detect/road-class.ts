import {
  type ModelManifest,
  ROAD_PART_LABELS,
  ROAD_USER_LABELS,
  type RoadPartLabel,
  type RoadUserLabel,
} from '@ngatu/contract';

export type RoadLabel = RoadUserLabel | RoadPartLabel;

/** A class of a detector that is looked at. */
export interface RoadClass {
  /** Its place in the output. */
  readonly index: number;
  readonly label: RoadLabel;
  /** Findings below this are not reported, 0–1. */
  readonly minConfidence: number;
}

const isUser = (label: string): label is RoadUserLabel => ROAD_USER_LABELS.some((known) => known === label);
const isPart = (label: string): label is RoadPartLabel => ROAD_PART_LABELS.some((known) => known === label);

/** Whether something with this label is found, but never followed. */
export function isRoadPart(label: RoadLabel): label is RoadPartLabel {
  return isPart(label);
}

/**
 * The classes that a manifest names. Road users count from `minConfidence` on, which is the profile's, or from the manifest's own confidence for
 * the label where that is higher; parts count from the manifest's.
 * @throws RangeError for a label that the product does not know, or an index beyond the classes
 */
export function computeRoadClasses(
  { labels, thresholds, decoding }: ModelManifest,
  minConfidence: number,
): readonly RoadClass[] {
  const count = 'classes' in decoding ? decoding.classes : 0;
  return Object.entries(labels).map(([key, label]) => {
    const index = Number(key);
    if (index >= count) throw new RangeError(`label ${index} "${label}", but ${count} classes`);
    const own = thresholds.perLabel?.[label];
    if (isUser(label)) return { index, label, minConfidence: Math.max(minConfidence, own ?? 0) };
    if (isPart(label))
      return { index, label, minConfidence: own ?? thresholds.minConfidence ?? minConfidence };
    const known = [...ROAD_USER_LABELS, ...ROAD_PART_LABELS].join(', ');
    throw new RangeError(`label ${index} is "${label}": known are ${known}`);
  });
}
