import { isTwoWheeler } from '@ngatu/contract';
import type { Frame } from '../frame/frame.ts';
import { type Box, computeArea, computeIntersection } from '../geometry/box.ts';
import { locateHead } from '../helmet/head-place.ts';
import type { HelmetNet } from '../helmet/helmet-net.ts';
import type { HeadFinding } from '../rules/rule.ts';
import type { RoadUser } from '../track/track.ts';

/** A person weaker than this is not looked at. */
const MIN_CONFIDENCE = 0.35;
/** Smaller heads, in pixels of the picture that is analysed, tell nothing. */
const MIN_HEAD_PX = 10;
/** A head that another person covers by more than this share may be that person's. */
const MAX_COVERED = 0.3;

/**
 * Reads the heads of who sits on two-wheelers, by the box of the person as the detector gave it. A head that is small, hidden or of unknown place is
 * left out.
 * @throws NgatuError MODEL_INVALID (retryable) where the inference fails
 */
export async function lookAtHeads(
  picture: Frame,
  users: readonly RoadUser[],
  net: Pick<HelmetNet, 'read'>,
): Promise<ReadonlyMap<Box, HeadFinding>> {
  const scaleX = picture.width / picture.sourceWidth;
  const scaleY = picture.height / picture.sourceHeight;
  const persons = users.flatMap(({ label, box, occupants }) =>
    label === 'person' ? [box] : occupants.map((occupant) => occupant.box),
  );
  const found = new Map<Box, HeadFinding>();
  for (const { label, occupants } of users) {
    if (!isTwoWheeler(label)) continue;
    for (const { box: person, confidence } of occupants) {
      const head = locateHead(person);
      if (head === undefined || confidence < MIN_CONFIDENCE) continue;
      const [x1, y1, x2, y2] = head;
      if (Math.min((x2 - x1) * scaleX, (y2 - y1) * scaleY) < MIN_HEAD_PX) continue;
      const covers = (other: Box): boolean =>
        other !== person && computeIntersection(other, head) > MAX_COVERED * computeArea(head);
      if (persons.some(covers)) continue;
      const inPicture: Box = [x1 * scaleX, y1 * scaleY, x2 * scaleX, y2 * scaleY];
      found.set(person, { box: head, ...(await net.read(picture, inPicture)) });
    }
  }
  return found;
}
