import type { Scene } from '@ngatu/contract';
import { computeIou } from '../geometry/box.ts';
import type { Detection } from './detection.ts';

type Lookalike = NonNullable<Scene['analysis']['lookalikes']>[number];

/** A finding with nearly the box of a thing is the thing: at least this overlap (IoU). Whoever passes it has another outline, most of the time. */
const MIN_OVERLAP = 0.6;

/** What is left of the findings of a frame without things of the scene that the detector takes for road users. */
export function dropLookalikes(
  detections: readonly Detection[],
  lookalikes: readonly Lookalike[] = [],
): readonly Detection[] {
  if (lookalikes.length === 0) return detections;
  return detections.filter(
    ({ label, box }) =>
      !lookalikes.some(
        (thing) => thing.labels?.includes(label) !== false && computeIou(thing.box, box) >= MIN_OVERLAP,
      ),
  );
}
