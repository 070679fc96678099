import { type Box, computeIntersection } from '../geometry/box.ts';
import type { PlateLook } from '../plate/plate-reading.ts';
import { computePlateZone, isSubject, standsBefore } from './blur-zone.ts';
import type { SeenRoadUser } from './road-user-sight.ts';

/** What was read in one picture, and who was in it. Boxes in source pixels. */
export interface PlateView {
  /** Presentation time within the session, ms. */
  readonly mediaTimeMs: number;
  /** The road user of the event, where it was in this picture. */
  readonly subject: SeenRoadUser;
  /** Everybody who was seen, the subject among them. */
  readonly users: readonly SeenRoadUser[];
  readonly looks: readonly PlateLook[];
}

/** A look that belongs to the subject, and in which picture it was. */
export interface BoundLook {
  readonly mediaTimeMs: number;
  readonly look: PlateLook;
}

/**
 * The subject's looks; none where no plate was found on it, or where what was found may be another road user's.
 */
type PlateBinding =
  | { readonly state: 'bound'; readonly looks: readonly BoundLook[] }
  | { readonly state: 'no-plate' | 'other-road-user' };

/** Whose a plate is, in one picture. */
type Owner = 'subject' | 'other' | 'doubt' | 'nobody';

/** Where plates are to be expected and how far they stray, in shares of the box. `width` of the plate, as a share of the box's. */
interface PlatePlace {
  readonly down: number;
  readonly spreadAcross: number;
  readonly spreadDown: number;
  readonly width: number;
  readonly maxWidth: number;
}

const TWO_WHEELER: PlatePlace = {
  ...{ down: 0.7, spreadAcross: 0.22, spreadDown: 0.22, width: 0.3, maxWidth: 0.85 },
};
/** Seen at an angle the box also holds a side, and the plate is anywhere across. */
const CAR: PlatePlace = { down: 0.72, spreadAcross: 0.35, spreadDown: 0.22, width: 0.22, maxWidth: 0.6 };

/** A factor of e in width counts as much as a spread and a bit. */
const SPREAD_OF_LOG_WIDTH = 1.1;
/** Explains it better: the misfit is this much smaller. Between them nobody can tell. */
const CLEARLY = 0.6;
/** Who stands before hides what is behind: its misfit counts less, and that of who stands behind more. */
const HIDES = 0.6;
/** A plate that fits nobody well is nobody's. */
const MAX_MISFIT = 3;
/** Where somebody else with a plate is near, a single look is not believed: the detector may just have missed whose it is. */
const MIN_LOOKS_IN_COMPANY = 2;
/** Near is who would touch the subject if its box were larger by this share on each side. */
const COMPANY_MARGIN = 0.25;
/** What lies over the middle of somebody who stands before is hardly seen through it, share of its width on each side of the middle. */
const BODY_HALF_WIDTH = 0.3;
/** A plate keeps its place on the vehicle from picture to picture, shares of the box. */
const SAME_PLACE = 0.2;
/** A finding on which nothing can be read is as often a reflection as a plate: beside legible ones it counts as so much of one. */
const ILLEGIBLE_WEIGHT = 0.25;
/** Texts that differ in no more characters are readings of one plate. */
const SAME_TEXT_DISTANCE = 1;
const SAME_TEXT_LENGTH = 5;

/**
 * Says which of the plates that were found are the subject's. A plate is its own only where it lies where its class carries one, no other
 * road user's box explains it better, it keeps its place on the vehicle over the pictures, and it was nobody else's in another
 * picture. In doubt it is not the subject's: a wrong plate accuses a stranger. Pure.
 */
export function bindPlates(views: readonly PlateView[]): PlateBinding {
  const own: (BoundLook & { readonly place: Place })[] = [];
  const others: PlateLook[] = [];
  const doubtful: (readonly PlateLook[])[] = [];
  for (const { mediaTimeMs, subject, users, looks } of views) {
    const rivals = users.filter((user) => !isSelf(user, subject));
    const judged = looks.map((look) => ({ look, owner: judgeOwner(look.box, subject, rivals) }));
    others.push(...judged.filter(({ owner }) => owner === 'other').map(({ look }) => look));
    doubtful.push(judged.filter(({ owner }) => owner === 'doubt').map(({ look }) => look));
    for (const { look, owner } of judged)
      if (owner === 'subject') own.push({ mediaTimeMs, look, place: computePlace(look.box, subject.box) });
  }
  if (own.length === 0)
    return { state: others.length + doubtful.flat().length > 0 ? 'other-road-user' : 'no-plate' };
  // what cannot be read accuses nobody: beside what can it is no doubt
  const isLegible = own.some(({ look }) => canBeRead(look));
  const doubts = doubtful.filter((looks) => looks.some((look) => !isLegible || canBeRead(look))).length;
  const kept = keepOnePlace(own);
  if (kept === undefined || doubts > kept.length) return { state: 'other-road-user' };
  if (isReadElsewhere(kept, others)) return { state: 'other-road-user' };
  if (kept.length < MIN_LOOKS_IN_COMPANY && views.length > MIN_LOOKS_IN_COMPANY && views.some(hasCompany))
    return { state: 'other-road-user' };
  return { state: 'bound', looks: kept.map(({ mediaTimeMs, look }) => ({ mediaTimeMs, look })) };
}

function hasCompany({ subject, users }: PlateView): boolean {
  const [x1, y1, x2, y2] = subject.box;
  const [dx, dy] = [COMPANY_MARGIN * (x2 - x1), COMPANY_MARGIN * (y2 - y1)];
  const around: Box = [x1 - dx, y1 - dy, x2 + dx, y2 + dy];
  return users.some(
    (user) => canCarry(user) && !isSelf(user, subject) && computeIntersection(user.box, around) > 0,
  );
}

/** Two tracks of one kind in one place are two road users, of whom one hides the other: here they are not taken for one. */
function isSelf(user: SeenRoadUser, subject: SeenRoadUser): boolean {
  const areTwo =
    user.trackId !== undefined && subject.trackId !== undefined && user.trackId !== subject.trackId;
  return isSubject(user, subject) && !(areTwo && user.label === subject.label);
}

function canCarry({ label }: SeenRoadUser): boolean {
  return label !== 'person' && label !== 'bicycle';
}

function judgeOwner(plate: Box, subject: SeenRoadUser, rivals: readonly SeenRoadUser[]): Owner {
  const own = computeMisfit(plate, subject);
  let best = Number.POSITIVE_INFINITY;
  let isHidden = false;
  for (const rival of rivals) {
    const isBefore = standsBefore(rival.box, subject.box);
    if (isBefore && liesOverBody(plate, rival)) isHidden = true;
    const misfit = computeMisfit(plate, rival);
    if (misfit === undefined) continue;
    best = Math.min(best, misfit * weighDepth(plate, subject, rival));
  }
  if (own === undefined) return best <= MAX_MISFIT ? 'other' : 'nobody';
  if (own > MAX_MISFIT && best > MAX_MISFIT) return 'nobody';
  if (best <= own * CLEARLY) return 'other';
  if (own > best * CLEARLY || own > MAX_MISFIT) return 'doubt';
  return isHidden ? 'doubt' : 'subject';
}

/** Of two who lie over one another the nearer one is seen: a plate there is rather its own. */
function weighDepth(plate: Box, subject: SeenRoadUser, rival: SeenRoadUser): number {
  if (standsBefore(rival.box, subject.box) && holdsCentre(rival.box, plate)) return HIDES;
  return standsBefore(subject.box, rival.box) && holdsCentre(subject.box, plate) ? 1 / HIDES : 1;
}

/** How badly a plate sits on a vehicle, in spreads from where it is to be expected; undefined where it cannot be its plate. */
function computeMisfit(plate: Box, user: SeenRoadUser): number | undefined {
  const { label, box } = user;
  if (!canCarry(user)) return undefined;
  const expected = label === 'motorbike' ? TWO_WHEELER : CAR;
  const width = (plate[2] - plate[0]) / (box[2] - box[0]);
  if (!(width > 0 && width <= expected.maxWidth) || !holdsCentre(computePlateZone(user), plate))
    return undefined;
  const { across, down } = computePlace(plate, box);
  return Math.hypot(
    (across - 0.5) / expected.spreadAcross,
    (down - expected.down) / expected.spreadDown,
    Math.log(width / expected.width) / SPREAD_OF_LOG_WIDTH,
  );
}

function liesOverBody(plate: Box, { box, label }: SeenRoadUser): boolean {
  if (label === 'person' || !holdsCentre(box, plate)) return false;
  return Math.abs(computePlace(plate, box).across - 0.5) < BODY_HALF_WIDTH;
}

/** Centre of a plate on a vehicle, shares of its box. */
interface Place {
  readonly across: number;
  readonly down: number;
}

function computePlace(plate: Box, [x1, y1, x2, y2]: Box): Place {
  return {
    across: ((plate[0] + plate[2]) / 2 - x1) / (x2 - x1),
    down: ((plate[1] + plate[3]) / 2 - y1) / (y2 - y1),
  };
}

function canBeRead({ characters }: PlateLook): boolean {
  return characters.length > 0;
}

/**
 * The looks at the place where most are, one of each picture; undefined where another place has nearly as many. Where some are legible, those
 * that are not count little, and are no rival.
 */
function keepOnePlace<T extends BoundLook & { readonly place: Place }>(looks: readonly T[]): T[] | undefined {
  const near = ({ place }: T, others: readonly T[]): T[] =>
    pickBestOfEach(
      others.filter(
        (other) => Math.hypot(other.place.across - place.across, other.place.down - place.down) <= SAME_PLACE,
      ),
    );
  const weigh = (group: readonly T[]): number =>
    group.reduce((sum, { look }) => sum + (canBeRead(look) ? 1 : ILLEGIBLE_WEIGHT), 0);
  const findLargest = (among: readonly T[]): T[] => {
    let largest: T[] = [];
    for (const look of among) {
      const group = near(look, among);
      if (weigh(group) > weigh(largest)) largest = group;
    }
    return largest;
  };
  const kept = findLargest(looks);
  const isLegible = kept.some(({ look }) => canBeRead(look));
  const elsewhere = looks.filter(
    (one) => (!isLegible || canBeRead(one.look)) && kept.every((other) => placesApart(other, one)),
  );
  return weigh(findLargest(elsewhere)) * 2 > weigh(kept) ? undefined : kept;
}

function placesApart(a: { readonly place: Place }, b: { readonly place: Place }): boolean {
  return Math.hypot(a.place.across - b.place.across, a.place.down - b.place.down) > SAME_PLACE;
}

function pickBestOfEach<T extends BoundLook>(looks: readonly T[]): T[] {
  const best = new Map<number, T>();
  for (const one of looks) {
    const known = best.get(one.mediaTimeMs);
    if (known === undefined || isBetter(one.look, known.look)) best.set(one.mediaTimeMs, one);
  }
  return [...best.values()];
}

function isBetter(one: PlateLook, other: PlateLook): boolean {
  if (canBeRead(one) !== canBeRead(other)) return canBeRead(one);
  return one.plateConfidence > other.plateConfidence;
}

/** What reads the same in pictures in which it was clearly another's is that other's, whose box was missed in the rest. */
function isReadElsewhere(own: readonly BoundLook[], others: readonly PlateLook[]): boolean {
  const texts = own.map(({ look }) => spell(look));
  const same = others.filter((look) => texts.some((text) => isSameText(text, spell(look))));
  return same.length * 2 >= own.length && same.length > 0;
}

function spell({ characters }: PlateLook): string {
  return characters.map(({ character }) => character).join('');
}

function isSameText(a: string, b: string): boolean {
  if (a.length !== b.length || a.length < SAME_TEXT_LENGTH) return false;
  let distance = 0;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) distance += 1;
  return distance <= SAME_TEXT_DISTANCE;
}

function holdsCentre(outer: Box, inner: Box): boolean {
  const x = (inner[0] + inner[2]) / 2;
  const y = (inner[1] + inner[3]) / 2;
  return x >= outer[0] && x <= outer[2] && y >= outer[1] && y <= outer[3];
}
