import { type Box, computeArea, computeIntersection, computeIou } from '../geometry/box.ts';
import type { Occupant, OccupantShares, RoadUser } from '../track/track.ts';

/** A person weaker than this is not counted. */
const MIN_CONFIDENCE = 0.3;
/** Two persons that overlap by more, or of which one lies in the other and is more than half of it, are one found twice. */
const SAME_PERSON_IOU = 0.7;
const SAME_PERSON_PART = 0.9;
/** Another road user that covers this share of the two-wheeler may lend it a rider. */
const CROWDED_SHARE = 0.05;
/** Who is nearer to the edge of the picture than this is not seen whole, px. */
const EDGE_PX = 2;
/** Seen from behind or before, who sits on it sits in one line. */
const NARROW_ASPECT = 0.85;
const MAX_SPREAD_WIDTHS = 0.6;

/**
 * From this share of belief on a sight shows too many, by how many are allowed. Of three the network is careful: in cross-validation 20 of 29 sights
 * of three and more reach it, and 17 of 759 of fewer (models/registry/occupant-count).
 */
const OVER_SHARES: readonly number[] = [0.5, 0.5, 0.3];

/** What one sight of a two-wheeler says. */
export interface LoadSight {
  readonly isOver: boolean;
  /** So many people and more. */
  readonly people: number;
}

/** @param allowed so many may ride on it */
export function judgeBoxes(occupants: readonly Occupant[], allowed: number): LoadSight {
  const people = countOccupants(occupants);
  return { isOver: people > allowed, people };
}

/** @param allowed fewer than three: three are not told from more */
export function judgeShares(shares: OccupantShares, allowed: number): LoadSight {
  const isOver = shareAbove(shares, allowed) >= (OVER_SHARES[allowed] ?? 1);
  const likeliest = findLikeliest(shares);
  return { isOver, people: isOver ? Math.max(likeliest, allowed + 1) : likeliest };
}

/** Belief that more than so many ride, 0–1. */
export function shareAbove(shares: OccupantShares, people: number): number {
  return shares.slice(people + 1).reduce((sum, share) => sum + share, 0);
}

/** The number of people that is believed in most; 3 stands for three and more. */
export function findLikeliest(shares: OccupantShares): number {
  return shares.indexOf(Math.max(...shares));
}

/** How many different persons the boxes show. */
export function countOccupants(occupants: readonly Occupant[]): number {
  const kept: Box[] = [];
  const sorted = occupants.filter(({ confidence }) => confidence >= MIN_CONFIDENCE);
  sorted.sort((a, b) => b.confidence - a.confidence);
  for (const { box } of sorted) if (!kept.some((other) => areSamePerson(other, box))) kept.push(box);
  return kept.length;
}

/**
 * Whether the two-wheeler is seen whole, and nobody else's rider can be taken for one of this.
 * @param others boxes of all other road users
 */
export function isFreeSight(
  user: Pick<RoadUser, 'box' | 'occupants'>,
  others: readonly Box[],
  picture: { readonly width: number; readonly height: number },
): boolean {
  const [x1, y1, x2, y2] = user.box;
  if (Math.min(x1, y1, picture.width - x2, picture.height - y2) < EDGE_PX) return false;
  if (isSpreadSideways(user)) return false;
  const area = computeArea(user.box);
  return others.every((other) => computeIntersection(other, user.box) < CROWDED_SHARE * area);
}

function areSamePerson(a: Box, b: Box): boolean {
  if (computeIou(a, b) >= SAME_PERSON_IOU) return true;
  const [smaller, larger] = [computeArea(a), computeArea(b)].sort((x, y) => x - y) as [number, number];
  return smaller > 0.5 * larger && computeIntersection(a, b) >= SAME_PERSON_PART * smaller;
}

function isSpreadSideways({ box, occupants }: Pick<RoadUser, 'box' | 'occupants'>): boolean {
  if ((box[2] - box[0]) / (box[3] - box[1]) >= NARROW_ASPECT || occupants.length < 2) return false;
  const centres = occupants.map(({ box: [x1, , x2] }) => (x1 + x2) / 2);
  const width = occupants.reduce((sum, { box: [x1, , x2] }) => sum + x2 - x1, 0) / occupants.length;
  return Math.max(...centres) - Math.min(...centres) > MAX_SPREAD_WIDTHS * width;
}
