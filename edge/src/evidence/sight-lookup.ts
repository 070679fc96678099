import { type Box, computeIou } from '../geometry/box.ts';
import type { SeenRoadUser, Sight } from './road-user-sight.ts';

/** A picture further than this from every analysed one has no known road users, ms. */
const MAX_DISTANCE_MS = 400;
/** A detection without a track that lies so over another one is the same road user a moment later (IoU). */
const SAME_IOU = 0.3;

/**
 * Who was where at an instant: tracks between two sights are interpolated; who is in one of them only, and what belongs to no
 * track, is taken from both. Undefined where no sight is near enough to say.
 */
export function findRoadUsers(sights: readonly Sight[], mediaTimeMs: number): SeenRoadUser[] | undefined {
  let index = sights.findIndex((sight) => sight.mediaTimeMs >= mediaTimeMs);
  if (index < 0) index = sights.length;
  const next = near(sights[index], mediaTimeMs);
  if (next?.mediaTimeMs === mediaTimeMs) return withNeighbours(next, [sights[index - 1], sights[index + 1]]);
  const previous = near(sights[index - 1], mediaTimeMs);
  if (previous === undefined || next === undefined) {
    const only = previous ?? next;
    return only === undefined ? undefined : [...only.users];
  }
  const share = (mediaTimeMs - previous.mediaTimeMs) / (next.mediaTimeMs - previous.mediaTimeMs);
  const users: SeenRoadUser[] = [];
  for (const user of previous.users) {
    const later = findTrack(next, user.trackId);
    users.push(later === undefined ? user : interpolate(user, later, share));
  }
  for (const user of next.users) if (findTrack(previous, user.trackId) === undefined) users.push(user);
  return users;
}

function near(sight: Sight | undefined, mediaTimeMs: number): Sight | undefined {
  return sight !== undefined && Math.abs(sight.mediaTimeMs - mediaTimeMs) <= MAX_DISTANCE_MS
    ? sight
    : undefined;
}

/** The detector misses somebody in one picture whom it sees in the pictures beside it: where they stood there counts. */
function withNeighbours(sight: Sight, neighbours: readonly (Sight | undefined)[]): SeenRoadUser[] {
  const users = [...sight.users];
  for (const neighbour of neighbours) {
    if (near(neighbour, sight.mediaTimeMs) === undefined) continue;
    for (const user of neighbour?.users ?? []) {
      const isHere =
        user.trackId === undefined
          ? sight.users.some((other) => computeIou(other.box, user.box) > SAME_IOU)
          : findTrack(sight, user.trackId) !== undefined;
      if (!isHere) users.push(user);
    }
  }
  return users;
}

function findTrack(sight: Sight, trackId: number | undefined): SeenRoadUser | undefined {
  return trackId === undefined ? undefined : sight.users.find((user) => user.trackId === trackId);
}

function interpolate(from: SeenRoadUser, to: SeenRoadUser, share: number): SeenRoadUser {
  const nearer = share < 0.5 ? from : to;
  const occupants =
    from.occupants.length === to.occupants.length
      ? from.occupants.map((box, index) => mixBoxes(box, to.occupants[index] ?? box, share))
      : nearer.occupants;
  return { ...nearer, box: mixBoxes(from.box, to.box, share), occupants };
}

function mixBoxes(a: Box, b: Box, share: number): Box {
  const mix = (from: number, to: number): number => from + (to - from) * share;
  return [mix(a[0], b[0]), mix(a[1], b[1]), mix(a[2], b[2]), mix(a[3], b[3])];
}
