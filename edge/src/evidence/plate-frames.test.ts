import { expect, it } from 'vitest';
import type { Box } from '../geometry/box.ts';
import { choosePlateFrames, type PlateFrameQuestion } from './plate-frames.ts';
import type { SeenRoadUser } from './road-user-sight.ts';

const MOMENT_MS = 5_000;

/** Comes nearer: the box grows to the right and down. */
const nearing = (timeMs: number): Box => {
  const size = 60 + timeMs / 100;
  return [300, 200, 300 + size, 200 + size];
};

function aQuestion(
  changes: Partial<PlateFrameQuestion> & {
    boxAt?: (timeMs: number) => Box;
    others?: (timeMs: number) => SeenRoadUser[];
  } = {},
): PlateFrameQuestion {
  const { boxAt = nearing, others = () => [], ...rest } = changes;
  const times = Array.from({ length: 250 }, (_, index) => index * 40);
  const user = (timeMs: number): SeenRoadUser => ({
    ...{ trackId: 1, label: 'car', box: boxAt(timeMs), occupants: [] },
  });
  return {
    ...{ width: 1_000, height: 800, fromMs: 2_000, toMs: 8_000, momentMs: MOMENT_MS, maxFrames: 6 },
    pictures: times.map((mediaTimeMs, index) => ({ mediaTimeMs, isKeyframe: index % 25 === 0 })),
    sights: times
      .filter((timeMs) => timeMs % 200 === 0)
      .map((mediaTimeMs) => ({ mediaTimeMs, users: [user(mediaTimeMs), ...others(mediaTimeMs)] })),
    subject: user(MOMENT_MS),
    ...rest,
  };
}

it('takes the largest pictures, some before the moment and some after, not one next to the other', () => {
  const times = choosePlateFrames(aQuestion());
  expect(times).toHaveLength(6);
  expect([...times].sort((a, b) => a - b)).toEqual(times);
  expect(times.filter((timeMs) => timeMs < MOMENT_MS)).toHaveLength(3);
  expect(times.at(-1)).toBe(8_000);
  for (const [index, timeMs] of times.slice(1).entries())
    expect(timeMs - (times[index] ?? 0)).toBeGreaterThanOrEqual(120);
});

it('leaves out where somebody who stands before hides it, and where it is cut off', () => {
  const others = (timeMs: number): SeenRoadUser[] =>
    timeMs > 6_000 ? [{ trackId: 2, label: 'bus', box: [250, 150, 700, 500], occupants: [] }] : [];
  const times = choosePlateFrames(aQuestion({ others }));
  expect(Math.max(...times)).toBeLessThanOrEqual(6_200);
  const leaving = (timeMs: number): Box => [300, 600 + timeMs / 40, 500, 740 + timeMs / 40];
  const inside = choosePlateFrames(aQuestion({ boxAt: leaving, fromMs: 0, maxFrames: 3 }));
  expect(Math.min(...inside)).toBeLessThan(2_400);
});

it('chooses nothing where nobody knows where it was', () => {
  expect(choosePlateFrames(aQuestion({ sights: [] }))).toEqual([]);
  const { trackId: _, ...nameless } = aQuestion().subject;
  // without its track only the moment itself is known
  expect(choosePlateFrames(aQuestion({ subject: nameless }))).toEqual([MOMENT_MS]);
  expect(choosePlateFrames(aQuestion({ fromMs: 20_000, toMs: 30_000 }))).toEqual([]);
});
