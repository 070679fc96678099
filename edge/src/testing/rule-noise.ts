import type { Box } from '../geometry/box.ts';
import type { ScriptedRoadUser } from './scripted-road-user.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What a detector does to a road user: each side of its box jitters, and some frames find nothing. */
export function addNoise(
  user: ScriptedRoadUser,
  random: SeededRandom,
  { jitter = 0.03, misses = 0.15 }: { jitter?: number; misses?: number } = {},
): ScriptedRoadUser {
  const { distort, seen } = user;
  return {
    ...user,
    distort: (box, atMs) => shake(distort?.(box, atMs) ?? box, random, jitter),
    seen: (atMs) => random.next() >= misses && (seen?.(atMs) ?? true),
  };
}

/** @param jitter standard deviation of each side, as a share of the box's size in its direction */
function shake([x1, y1, x2, y2]: Box, random: SeededRandom, jitter: number): Box {
  const [dx, dy] = [jitter * (x2 - x1), jitter * (y2 - y1)];
  return [
    x1 + dx * random.gaussian(),
    y1 + dy * random.gaussian(),
    x2 + dx * random.gaussian(),
    y2 + dy * random.gaussian(),
  ];
}
