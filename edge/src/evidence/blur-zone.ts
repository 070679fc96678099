import { isTwoWheeler } from '@ngatu/contract';
import { type Box, computeArea, computeIntersection, computeIou } from '../geometry/box.ts';
import type { SeenRoadUser } from './road-user-sight.ts';

/** A part of a picture that is made unrecognisable. */
export interface BlurZone {
  readonly box: Box;
  /** Cells along the longer side. */
  readonly cells: number;
}

/** What the pictures are about: the road user of the event. */
export type BlurSubject = SeenRoadUser;

/** Which detectors there are. Road users whose faces or plates nobody looks for are blurred wholly. */
export interface BlurScope {
  readonly faces: boolean;
  readonly plates: boolean;
}

export interface BlurQuestion {
  readonly width: number;
  readonly height: number;
  /** Undefined where nobody knows who was there: everything but the subject is then blurred. */
  readonly users: readonly SeenRoadUser[] | undefined;
  /** Undefined where the subject is not in the picture, or nobody knows where: then nobody is left out. */
  readonly subject: BlurSubject | undefined;
  /** What the detectors found in this very picture. */
  readonly faces: readonly Box[];
  readonly plates: readonly Box[];
  readonly scope: BlurScope;
}

/** In this order: `behind` is blurred, `kept` put back as it was, `front` blurred. */
export interface BlurPlan {
  readonly behind: readonly BlurZone[];
  readonly kept: readonly Box[];
  readonly front: readonly BlurZone[];
}

// Cells so coarse that a head is three and a plate two of them at most: see docs/privacy.md for what that leaves.
const PICTURE_CELLS = 20;
const USER_CELLS = 6;
const HEAD_CELLS = 3;
const RIDER_CELLS = 4;
const PLATE_ZONE_CELLS = 5;
const FOUND_FACE_CELLS = 2;
const FOUND_PLATE_CELLS = 2;

/** What a detector finds is blurred with this margin on each side, shares of its size. */
const FOUND_MARGIN = 0.25;
/** Two tracks that lie over one another so are one road user that was found under two labels (IoU). */
const TWIN_IOU = 0.8;
/** A detection that lies over the subject so is the subject (IoU), or its vehicle where it lies in it by this share. */
const SAME_IOU = 0.55;
const INSIDE_SHARE = 0.8;
/** Who ends lower in the picture than the subject by this share of its height stands before it. */
const FRONT_DEPTH = 0.02;

/** Where to blur a picture so that nobody but its subject can be recognised. Pure. */
export function planBlur(question: BlurQuestion): BlurPlan {
  const { width, height, users, subject, scope } = question;
  const others = (users ?? []).filter((user) => subject === undefined || !isSubject(user, subject));
  const kept = subject === undefined ? [] : listOwnParts(subject);
  const found = listFound(question, others);
  if (users === undefined) {
    const whole: BlurZone = { box: [0, 0, width, height], cells: PICTURE_CELLS };
    return { behind: [whole], kept: subject === undefined ? [] : [subject.box], front: found };
  }
  const behind: BlurZone[] = [];
  const front: BlurZone[] = [];
  for (const user of others) {
    const isBefore = subject !== undefined && standsBefore(user.box, subject.box);
    (isBefore ? front : behind).push(...listZones(user, scope));
  }
  return { behind, kept, front: [...front, ...found] };
}

/** Whether somebody who was seen is the subject itself, under its own track or another name. */
export function isSubject(user: SeenRoadUser, subject: BlurSubject): boolean {
  if (user.trackId !== undefined && user.trackId === subject.trackId) return true;
  const iou = computeIou(user.box, subject.box);
  const isAlike = (user.label === 'person') === (subject.label === 'person');
  if (user.trackId !== undefined && subject.trackId !== undefined) return isAlike && iou > TWIN_IOU;
  if (isAlike && iou > SAME_IOU) return true;
  const isPart = computeIntersection(user.box, subject.box) > INSIDE_SHARE * computeArea(user.box);
  return isTwoWheeler(user.label) && isTwoWheeler(subject.label) && isPart;
}

/** Whether `other` is nearer to the camera than the subject, so that it hides what is behind it. */
export function standsBefore(other: Box, subject: Box): boolean {
  return other[3] > subject[3] + FRONT_DEPTH * (subject[3] - subject[1]);
}

/** Heads and plates of somebody, or all of them where their detector is missing. */
function listZones(user: SeenRoadUser, scope: BlurScope): BlurZone[] {
  const { label, box, occupants } = user;
  const zones: BlurZone[] = [];
  const persons = label === 'person' ? [box] : occupants;
  for (const person of persons) {
    zones.push(
      scope.faces ? { box: computeHead(person, 0.1), cells: HEAD_CELLS } : { box: person, cells: USER_CELLS },
    );
  }
  if (label === 'person') return zones;
  if (!scope.plates) zones.push({ box, cells: USER_CELLS });
  else if (label !== 'bicycle') zones.push({ box: computePlateZone(user), cells: PLATE_ZONE_CELLS });
  // a rider whom the detector did not see sits on it all the same
  if (isTwoWheeler(user.label) && persons.length === 0)
    zones.push({ box: computeRiderZone(box), cells: RIDER_CELLS });
  return zones;
}

/** Where the head of a person is, with a margin in shares of the box: a box may also show the upper body alone. */
function computeHead([x1, y1, x2, y2]: Box, margin: number): Box {
  const width = x2 - x1;
  const height = y2 - y1;
  const head = Math.min(height, Math.max(0.26 * height, 0.55 * width));
  return [x1 - margin * width, y1 - margin * height, x2 + margin * width, y1 + head];
}

/** Head and shoulders of an unseen rider: the upper part of the two-wheeler's box and what is above it. */
function computeRiderZone([x1, y1, x2, y2]: Box): Box {
  const height = y2 - y1;
  return [x1, y1 - 0.35 * height, x2, y1 + 0.4 * height];
}

/** Where a vehicle's plate can be, seen from before or behind. */
export function computePlateZone({ label, box: [x1, y1, x2, y2], occupants }: SeenRoadUser): Box {
  const width = x2 - x1;
  const height = y2 - y1;
  if (label === 'motorbike') {
    const from = occupants.length > 0 ? 0.35 : 0.1;
    return [x1 + 0.05 * width, y1 + from * height, x2 - 0.05 * width, y2];
  }
  return [x1, y1 + 0.3 * height, x2, y2];
}

/** What of the subject is evidence: its riders' heads and its plate. Others behind it do not blur these. */
function listOwnParts(subject: BlurSubject): Box[] {
  const { label, box, occupants } = subject;
  if (label === 'person') return [computeHead(box, 0)];
  const heads = occupants.map((person) => computeHead(person, 0));
  if (isTwoWheeler(subject.label) && heads.length === 0)
    heads.push([box[0], box[1], box[2], box[1] + 0.4 * (box[3] - box[1])]);
  return [...heads, computePlateZone(subject)];
}

/** Faces and plates that were found and are not the subject's. */
function listFound({ faces, plates, subject }: BlurQuestion, others: readonly SeenRoadUser[]): BlurZone[] {
  const before = others.filter((user) => subject !== undefined && standsBefore(user.box, subject.box));
  const zones: BlurZone[] = [];
  for (const face of faces) {
    if (subject !== undefined && isOwnFace(face, subject, before)) continue;
    zones.push({ box: grow(face), cells: FOUND_FACE_CELLS });
  }
  for (const plate of plates) {
    if (subject !== undefined && isOwnPlate(plate, subject, others)) continue;
    zones.push({ box: grow(plate), cells: FOUND_PLATE_CELLS });
  }
  return zones;
}

/** A face behind a windscreen is never kept: nobody can tell who drives. */
function isOwnFace(face: Box, subject: BlurSubject, before: readonly SeenRoadUser[]): boolean {
  if (subject.label !== 'person' && !isTwoWheeler(subject.label)) return false;
  const heads = listOwnParts(subject).slice(
    0,
    subject.label === 'person' ? 1 : Math.max(1, subject.occupants.length),
  );
  if (!heads.some((head) => holdsCentre(head, face))) return false;
  return !before.some((user) => listHeads(user).some((head) => holdsCentre(head, face)));
}

function listHeads({ label, box, occupants }: SeenRoadUser): Box[] {
  return (label === 'person' ? [box] : occupants).map((person) => computeHead(person, 0.05));
}

/** Of the vehicles that it may belong to, the subject is the one in whose middle it sits best. */
function isOwnPlate(plate: Box, subject: BlurSubject, others: readonly SeenRoadUser[]): boolean {
  if (subject.label === 'person' || subject.label === 'bicycle') return false;
  const own = computePlateFit(plate, subject);
  return (
    own !== undefined &&
    !others.some((user) => (computePlateFit(plate, user) ?? Number.POSITIVE_INFINITY) < own)
  );
}

/** Distance from the place where the plate is to be expected, shares of the vehicle; undefined where it cannot be its plate. */
function computePlateFit(plate: Box, user: SeenRoadUser): number | undefined {
  if (user.label === 'person' || user.label === 'bicycle') return undefined;
  const [x1, y1, x2, y2] = user.box;
  if (!holdsCentre(computePlateZone(user), plate)) return undefined;
  const across = ((plate[0] + plate[2]) / 2 - x1) / (x2 - x1) - 0.5;
  const down = ((plate[1] + plate[3]) / 2 - y1) / (y2 - y1) - 0.7;
  return Math.hypot(across, down);
}

function holdsCentre(outer: Box, inner: Box): boolean {
  const x = (inner[0] + inner[2]) / 2;
  const y = (inner[1] + inner[3]) / 2;
  return x >= outer[0] && x <= outer[2] && y >= outer[1] && y <= outer[3];
}

function grow([x1, y1, x2, y2]: Box): Box {
  const dx = FOUND_MARGIN * (x2 - x1);
  const dy = FOUND_MARGIN * (y2 - y1);
  return [x1 - dx, y1 - dy, x2 + dx, y2 + dy];
}
