import { isTwoWheeler, type RoadUserLabel } from '@ngatu/contract';
import type { Box } from '../geometry/box.ts';
import { assignOptimally } from './assignment.ts';
import type { LiveTrack } from './live-track.ts';
import type { RoadUser } from './track.ts';

/**
 * Boxes are enlarged by this share of their size on each side before IoU, so that fast movers at low frame rates meet
 * themselves again (C-BIoU, arXiv 2211.14317, section 3).
 */
const BUFFER = 0.3;
const BUFFER_WITHOUT_VELOCITY = 0.4;
/** Of two tracks that fit alike, the one that was seen last has it: distance per second out of sight. */
const LOST_DISTANCE_PER_S = 0.1;
/** What no pair costs. */
const IMPOSSIBLE = 9;

/** What one stage of the association left open. */
export interface Unmatched {
  readonly tracks: LiveTrack[];
  readonly users: RoadUser[];
}

/** Road users that may be one and the same seen twice: a rider may be found without the bike. */
export function isSameKind(a: RoadUserLabel, b: RoadUserLabel): boolean {
  return isLight(a) === isLight(b);
}

const isLight = (label: RoadUserLabel): boolean => label === 'person' || isTwoWheeler(label);

/**
 * Gives each track at most one road user, so that the sum of distances is least; pairs of `maxDistance` or more are not made.
 * Matched tracks are updated.
 */
export function associate(
  tracks: readonly LiveTrack[],
  users: readonly RoadUser[],
  { maxDistance, nowMs, confirmHits }: { maxDistance: number; nowMs: number; confirmHits: number },
): Unmatched {
  if (tracks.length === 0 || users.length === 0) return { tracks: [...tracks], users: [...users] };
  const cost = new Float64Array(tracks.length * users.length).fill(IMPOSSIBLE);
  tracks.forEach((track, row) => {
    const expected = track.filter.box;
    const buffer = track.hasVelocity ? BUFFER : BUFFER_WITHOUT_VELOCITY;
    const penalty = (LOST_DISTANCE_PER_S * (nowMs - track.lastSeenMs)) / 1000;
    for (let column = 0; column < users.length; column++) {
      const user = users[column] as RoadUser;
      if (isFarApart(expected, user.box, buffer) || !isSameKind(track.label, user.label)) continue;
      cost[row * users.length + column] =
        1 - computeAgreement(expected, track.complete(user), buffer) + penalty;
    }
  });
  const columns = assignOptimally(cost, tracks.length, users.length, maxDistance);
  const taken = new Uint8Array(users.length);
  const openTracks: LiveTrack[] = [];
  tracks.forEach((track, row) => {
    const column = columns[row] as number;
    const user = users[column];
    if (user === undefined) {
      openTracks.push(track);
      return;
    }
    taken[column] = 1;
    track.update(user, nowMs, confirmHits);
  });
  return { tracks: openTracks, users: users.filter((_, column) => taken[column] === 0) };
}

/** True where even a box filled in to twice its height cannot meet the other; most pairs end here. */
export function isFarApart(a: Box, b: Box, buffer: number): boolean {
  const reachX = buffer * (a[2] - a[0] + b[2] - b[0]);
  const reachY = buffer * (a[3] - a[1] + b[3] - b[1]) + Math.max(a[3] - a[1], b[3] - b[1]);
  return a[0] - b[2] > reachX || b[0] - a[2] > reachX || a[1] - b[3] > reachY || b[1] - a[3] > reachY;
}

/** IoU of the enlarged boxes × root of the overlap of their heights (after Hybrid-SORT, arXiv 2308.00783, section 3.3), 0–1. */
export function computeAgreement(a: Box, b: Box, buffer: number): number {
  const aw = a[2] - a[0];
  const ah = a[3] - a[1];
  const bw = b[2] - b[0];
  const bh = b[3] - b[1];
  const width =
    Math.min(a[2] + buffer * aw, b[2] + buffer * bw) - Math.max(a[0] - buffer * aw, b[0] - buffer * bw);
  const height =
    Math.min(a[3] + buffer * ah, b[3] + buffer * bh) - Math.max(a[1] - buffer * ah, b[1] - buffer * bh);
  if (width <= 0 || height <= 0) return 0;
  const grown = (1 + 2 * buffer) ** 2;
  const iou = (width * height) / (grown * (aw * ah + bw * bh) - width * height);
  const common = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  const either = Math.max(a[3], b[3]) - Math.min(a[1], b[1]);
  return common <= 0 || either <= 0 ? 0 : iou * Math.sqrt(common / either);
}

/** Nobody drives faster, heights of its box per second: 130 km/h for a car of 1.5 m. */
const MAX_SPEED_HEIGHTS = 24;
/** From one frame to the next the height of a box changes by less than this factor. */
const MAX_GROWTH = 1.35;

/**
 * Lets tracks of one sight take what may be their second one further away than any overlap reaches: who drives at 100 km/h across the
 * view is several lengths further in the next frame. Only vehicles, only where track and finding have no other choice within the reach
 * of the fastest. A wrong pair finds no third sight where its leap leads, and goes.
 */
export function associateLeaps(
  tracks: readonly LiveTrack[],
  users: readonly RoadUser[],
  { nowMs, confirmHits }: { nowMs: number; confirmHits: number },
): Unmatched {
  const choices = new Map<LiveTrack | RoadUser, number>();
  const count = (one: LiveTrack | RoadUser): void => void choices.set(one, (choices.get(one) ?? 0) + 1);
  const pairs = new Map<LiveTrack, RoadUser>();
  for (const track of tracks) {
    for (const user of users) {
      if (!mayLeap(track, user, nowMs)) continue;
      count(track);
      count(user);
      pairs.set(track, user);
    }
  }
  const matched = new Set<LiveTrack | RoadUser>();
  for (const [track, user] of pairs) {
    if (choices.get(track) !== 1 || choices.get(user) !== 1) continue;
    track.update(user, nowMs, confirmHits);
    matched.add(track).add(user);
  }
  return {
    tracks: tracks.filter((track) => !matched.has(track)),
    users: users.filter((user) => !matched.has(user)),
  };
}

function mayLeap(track: LiveTrack, user: RoadUser, nowMs: number): boolean {
  if (track.hits > 1 || track.label === 'person' || track.label !== user.label) return false;
  const [from, to] = [track.filter.box, user.box];
  const height = Math.max(track.filter.height, to[3] - to[1]);
  const growth = track.filter.height / (to[3] - to[1]);
  if (growth > MAX_GROWTH || growth < 1 / MAX_GROWTH) return false;
  const distance = Math.hypot((to[0] + to[2] - from[0] - from[2]) / 2, to[3] - from[3]);
  return distance <= (MAX_SPEED_HEIGHTS * height * (nowMs - track.lastSeenMs)) / 1000;
}
