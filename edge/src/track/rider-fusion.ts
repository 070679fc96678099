import { isTwoWheeler } from '@ngatu/contract';
import type { Detection } from '../detect/detection.ts';
import { type Box, computeUnion, isPartOf } from '../geometry/box.ts';
import type { RoadUser } from './track.ts';

/** At least this share of the person's width lies over the two-wheeler. */
const MIN_WIDTH_OVERLAP = 0.5;
/** The rider's head is above the two-wheeler's middle, and the rider's lower end reaches into the two-wheeler. */
const MAX_RIDERS = 4;
/** Persons weaker than this are not joined: they are mostly parts of vehicles. */
const MIN_RIDER_CONFIDENCE = 0.15;
/** A rider is between this much smaller and larger than the two-wheeler (heights). */
const MIN_HEIGHT_RATIO = 0.35;
const MAX_HEIGHT_RATIO = 2.6;

/** A nearer road user ends lower by this share of the height … */
const COVER_DEPTH = 0.05;
/** … and lies over this share of the width. */
const COVER_WIDTH = 0.4;

/** The bike below a rider is at least this wide, as a share of the two together; of a group of bikes one is narrower. */
const MIN_BIKE_WIDTH = 0.65;

interface Pair {
  vehicle: number;
  person: number;
  fit: number;
}

/**
 * Joins persons and the two-wheeler that they sit on into one road user; whatever is left stays by itself. A person joins
 * at most one two-wheeler: the one it fits best. A box that holds its riders already stays as it is, and as sure. The bike of a surer two-wheeler
 * is no second one.
 */
export function fuseRiders(all: readonly Detection[]): RoadUser[] {
  const detections = dropParts(all);
  const vehicles = detections.filter(({ label }) => isTwoWheeler(label));
  const persons = detections.filter((d) => d.label === 'person');
  const riders = assignRiders(vehicles, persons);
  const taken = new Set<Detection>();
  const users: Omit<RoadUser, 'groundHidden'>[] = [];
  vehicles.forEach((vehicle, index) => {
    const seated = riders.get(index) ?? [];
    for (const rider of seated) taken.add(rider);
    let { box, confidence } = vehicle;
    if (vehicle.holdsRiders !== true) {
      for (const rider of seated) {
        box = uniteAboveGround(box, rider.box);
        confidence = Math.max(confidence, rider.confidence);
      }
    }
    users.push({
      label: vehicle.label,
      confidence,
      box,
      vehicleBox: vehicle.box,
      ...(vehicle.holdsRiders === true ? { holdsRiders: true } : {}),
      occupants: seated.map((rider) => ({ box: rider.box, confidence: rider.confidence })),
    });
  });
  for (const detection of detections) {
    if (vehicles.includes(detection) || taken.has(detection)) continue;
    const { label, confidence, box } = detection;
    users.push(
      label === 'person'
        ? { label, confidence, box, occupants: [] }
        : { label, confidence, box, vehicleBox: box, occupants: [] },
    );
  }
  return users.map((user) => ({ ...user, groundHidden: users.some((other) => covers(other.box, user.box)) }));
}

/** The bike below a rider is easily found once more, by itself: it would be followed as a second motorbike that does all that the first does. */
function dropParts(detections: readonly Detection[]): readonly Detection[] {
  const wheels = detections.filter(({ label }) => isTwoWheeler(label));
  return detections.filter(
    (part) =>
      !isTwoWheeler(part.label) ||
      !wheels.some((whole) => whole.confidence > part.confidence && isBikeBelow(part.box, whole.box)),
  );
}

function isBikeBelow(part: Box, whole: Box): boolean {
  return part[2] - part[0] >= MIN_BIKE_WIDTH * (whole[2] - whole[0]) && isPartOf(part, whole);
}

/**
 * True where `nearer` stands nearer to the camera (lower in the picture) and its box lies over the middle of the lower edge
 * of `box`: what is taken for the lower edge is then where the view of it ends.
 */
function covers(nearer: Box, box: Box): boolean {
  const width = box[2] - box[0];
  const height = box[3] - box[1];
  if (nearer[3] < box[3] + COVER_DEPTH * height || nearer[1] > box[3]) return false;
  const overlap = Math.min(box[2], nearer[2]) - Math.max(box[0], nearer[0]);
  return overlap > COVER_WIDTH * width;
}

/** The wheels, not the feet, say where the road user stands. */
function uniteAboveGround(vehicle: Box, rider: Box): Box {
  const union = computeUnion(vehicle, rider);
  return [union[0], union[1], union[2], vehicle[3]];
}

function assignRiders(
  vehicles: readonly Detection[],
  persons: readonly Detection[],
): Map<number, Detection[]> {
  const pairs: Pair[] = [];
  vehicles.forEach((vehicle, v) => {
    persons.forEach((person, p) => {
      const fit = computeSeatFit(vehicle.box, person.box);
      if (fit > 0 && person.confidence >= MIN_RIDER_CONFIDENCE) pairs.push({ vehicle: v, person: p, fit });
    });
  });
  pairs.sort((a, b) => b.fit - a.fit || a.vehicle - b.vehicle || a.person - b.person);
  const seated = new Map<number, Detection[]>();
  const taken = new Set<number>();
  for (const pair of pairs) {
    const on = seated.get(pair.vehicle) ?? [];
    const person = persons[pair.person];
    if (person === undefined || taken.has(pair.person) || on.length >= MAX_RIDERS) continue;
    taken.add(pair.person);
    on.push(person);
    seated.set(pair.vehicle, on);
  }
  return seated;
}

/** 0 where the person cannot sit on the vehicle, else how well it does (0–1). */
function computeSeatFit(vehicle: Box, person: Box): number {
  const personWidth = person[2] - person[0];
  const personHeight = person[3] - person[1];
  const vehicleHeight = vehicle[3] - vehicle[1];
  if (personWidth <= 0 || personHeight <= 0 || vehicleHeight <= 0) return 0;
  const ratio = personHeight / vehicleHeight;
  if (ratio < MIN_HEIGHT_RATIO || ratio > MAX_HEIGHT_RATIO) return 0;
  const overlap = Math.min(vehicle[2], person[2]) - Math.max(vehicle[0], person[0]);
  const share = overlap / Math.min(personWidth, vehicle[2] - vehicle[0]);
  if (share < MIN_WIDTH_OVERLAP) return 0;
  // the rider's lower end lies on the vehicle, and clearly not below its wheels
  const reach = (person[3] - vehicle[1]) / vehicleHeight;
  if (reach < 0.1 || reach > 1.1) return 0;
  // the rider's head is not below the upper half of the vehicle
  const head = (person[1] - vehicle[1]) / vehicleHeight;
  if (head > 0.4) return 0;
  const centreOffset =
    Math.abs((vehicle[0] + vehicle[2] - person[0] - person[2]) / 2) / (vehicle[2] - vehicle[0]);
  return share * Math.max(0.05, 1 - centreOffset) * (reach > 1 ? 0.7 : 1);
}
