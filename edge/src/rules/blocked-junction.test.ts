import { describe, expect, it } from 'vitest';
import type { Point } from '../geometry/box.ts';
import { aScene } from '../testing/builder.ts';
import { addNoise } from '../testing/rule-noise.ts';
import { playScenario, type RuleScenario } from '../testing/rule-scenario.ts';
import type { ScriptedRoadUser } from '../testing/scripted-road-user.ts';
import { forAll } from '../testing/seeded-random.ts';

/** Traffic drives from left to right; the junction lies from x = 400 to x = 700. A car is 97 px long. */
const RULE = { name: 'box', kind: 'BLOCKED_JUNCTION', zone: 'junction', standMs: 8000 };
const SCENE = {
  picture: { width: 1280, height: 720 },
  zones: [
    {
      name: 'junction',
      polygon: [
        [400, 300],
        [700, 300],
        [700, 500],
        [400, 500],
      ],
    },
  ],
};
const VIEW = { depressionDeg: 25, pxPerMetre: 22 };

const path = (...waypoints: [atMs: number, ...rear: Point][]) =>
  waypoints.map(([atMs, x, y]) => ({ atMs, rear: [x, y] as const }));
const driver = (trackId: number, ...waypoints: [atMs: number, ...rear: Point][]): ScriptedRoadUser => ({
  trackId,
  label: 'car',
  heading: [1, 0],
  view: VIEW,
  path: path(...waypoints),
});

/** Stands behind the junction from 3 s on. */
const queueEnd = driver(2, [0, 400, 400], [3000, 720, 400], [40_000, 720, 400]);
const nextInQueue = driver(3, [0, 600, 400], [3000, 840, 400], [40_000, 840, 400]);
/** Enters at 9 s and stands inside, behind the queue, from 10 s on. */
const blocker = driver(1, [5000, 50, 400], [10_000, 590, 400], [40_000, 590, 400]);

function play(users: readonly ScriptedRoadUser[], parts: Partial<RuleScenario> & { rule?: object } = {}) {
  const { rule, ...rest } = parts;
  return playScenario({
    scene: aScene({ ...SCENE, rules: [{ ...RULE, ...rule }] }),
    users,
    untilMs: 40_000,
    ...rest,
  }).matches;
}

describe('blocked junction: fires', () => {
  it('once on who enters behind a standing exit and stands inside', () => {
    const matches = play([blocker, queueEnd, nextInQueue]);
    expect(matches).toHaveLength(1);
    expect(matches[0]).toMatchObject({ kind: 'BLOCKED_JUNCTION', trackId: 1, label: 'car', rule: 'box' });
    expect(matches[0]?.sureAtMs).toBeGreaterThanOrEqual(17_700);
    expect(matches[0]?.sureAtMs).toBeLessThan(18_600);
    expect(matches[0]?.measures['standingAtEntry']).toBe(2);
    expect(matches[0]?.explanation.en).toMatch(
      /entered junction "junction" while 2 vehicle\(s\) at its exit already stood/,
    );
    expect(matches[0]?.explanation.vi).toContain('đi vào giao lộ "junction" khi 2 xe');
  });

  it('at the same time at 6, 12.5 and 25 frames a second', () => {
    const times = [6, 12.5, 25].map((fps) =>
      play([blocker, queueEnd], { fps }).map(({ sureAtMs }) => sureAtMs),
    );
    for (const time of times) {
      expect(time).toHaveLength(1);
      expect(Math.abs((time[0] ?? 0) - (times[2]?.[0] ?? 0))).toBeLessThan(400);
    }
  });

  it('on who enters behind a queue whose tail reaches into the junction', () => {
    const tail = driver(2, [0, 300, 400], [3000, 640, 400], [40_000, 640, 400]);
    const behind = driver(1, [5000, 50, 400], [10_000, 520, 400], [40_000, 520, 400]);
    expect(play([behind, tail]).map(({ trackId }) => trackId)).toEqual([1]);
  });

  it('once although the tracker gives it another id where it stands', () => {
    const head = driver(1, [5000, 50, 400], [10_000, 590, 400], [14_000, 590, 400]);
    const rest = driver(7, [16_000, 590, 400], [40_000, 590, 400]);
    expect(play([head, rest, queueEnd]).map(({ trackId }) => trackId)).toEqual([7]);
  });

  it('under box noise of 3 % and misses of 15 %', () => {
    let fired = 0;
    forAll(20, (random) => {
      fired += play([blocker, queueEnd, nextInQueue].map((user) => addNoise(user, random))).length;
    });
    expect(fired).toBeGreaterThanOrEqual(18);
    expect(fired).toBeLessThanOrEqual(20);
  });
});

describe('blocked junction: stays silent', () => {
  it('on who waits inside in free space, to turn or for pedestrians', () => {
    expect(play([blocker])).toEqual([]);
  });

  it('on who waits to turn while the queue of the other direction stands at its light', () => {
    const opposite: ScriptedRoadUser = {
      ...driver(2, [0, 1200, 380], [3000, 820, 380], [40_000, 820, 380]),
      heading: [-1, 0],
    };
    expect(play([blocker, opposite])).toEqual([]);
  });

  it('on who waits behind somebody who waits to turn', () => {
    const turning = driver(2, [0, 50, 400], [4000, 600, 400], [40_000, 600, 400]);
    const behind = driver(1, [5000, 50, 400], [10_000, 470, 400], [40_000, 470, 400]);
    expect(play([behind, turning])).toEqual([]);
  });

  it('on who is caught by what happens ahead after it entered', () => {
    const crash = driver(2, [0, 300, 400], [9500, 720, 400], [40_000, 720, 400]);
    expect(play([blocker, crash])).toEqual([]);
  });

  it('on who stands inside for less than standMs, or outside', () => {
    const brief = driver(1, [5000, 50, 400], [10_000, 590, 400], [17_000, 590, 400], [20_000, 1200, 400]);
    expect(play([brief, queueEnd])).toEqual([]);
    const before = driver(1, [5000, 50, 400], [9000, 280, 400], [40_000, 280, 400]);
    expect(play([before, queueEnd])).toEqual([]);
  });

  it('on who was never seen outside', () => {
    const inside = driver(1, [0, 500, 400], [2000, 590, 400], [40_000, 590, 400]);
    expect(play([inside, queueEnd])).toEqual([]);
  });

  it('on through traffic', () => {
    const through = driver(1, [5000, 50, 350], [12_000, 1200, 350]);
    expect(play([through, queueEnd, nextInQueue])).toEqual([]);
  });
});
