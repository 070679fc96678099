import { describe, expect, it } from 'vitest';
import type { Box, Point } from '../geometry/box.ts';
import { aScene } from '../testing/builder.ts';
import { addNoise } from '../testing/rule-noise.ts';
import { playScenario, type ScenarioOutcome } from '../testing/rule-scenario.ts';
import type { ScriptedRoadUser } from '../testing/scripted-road-user.ts';
import { forAll } from '../testing/seeded-random.ts';

const RULE = { name: 'no-walking', kind: 'FORBIDDEN_AREA', zone: 'square', labels: ['person'] };

interface Variant {
  readonly user?: Partial<ScriptedRoadUser>;
  readonly rule?: Readonly<Record<string, unknown>>;
  readonly scene?: Readonly<Record<string, unknown>>;
  readonly fps?: number;
  readonly untilMs?: number;
}

const path = (...waypoints: [atMs: number, ...rear: Point][]) =>
  waypoints.map(([atMs, x, y]) => ({ atMs, rear: [x, y] as const }));
/** Comes from below, steps over the border at y = 250 at 1 s, stands in the square from 3 s on. */
const enterAndStay = (untilMs: number) => path([0, 300, 280], [3000, 300, 190], [untilMs, 300, 190]);

function walk({ user, rule, scene, fps = 12.5, untilMs = 6000 }: Variant = {}): ScenarioOutcome {
  return playScenario({
    scene: aScene({ rules: [{ ...RULE, ...rule }], ...scene }),
    users: [{ trackId: 9, label: 'person', path: enterAndStay(untilMs), ...user }],
    fps,
    untilMs,
  });
}

/** Moves the box so that its lower edge jitters by up to `reach` px. */
function shake(reach: number, next: () => number) {
  return ([x1, y1, x2, y2]: Box): Box => {
    const dy = reach * (2 * next() - 1);
    return [x1, y1 + dy, x2, y2 + dy];
  };
}

describe('forbidden area: fires', () => {
  it('once on who enters and stays, after the dwell time', () => {
    const { matches } = walk();
    expect(matches).toHaveLength(1);
    const [match] = matches;
    expect(match).toMatchObject({ rule: 'no-walking', kind: 'FORBIDDEN_AREA', trackId: 9, label: 'person' });
    expect(match?.signal).toBeUndefined();
    // on the border at 1 s; surely inside 2 px further, at 30 px/s
    expect(match?.sureAtMs).toBeGreaterThanOrEqual(2070);
    expect(match?.sureAtMs).toBeLessThan(2300);
    expect(match?.measures['enteredAtMediaMs']).toBeGreaterThanOrEqual(1070);
    expect(match?.measures['enteredAtMediaMs']).toBeLessThan(1200);
    expect(match?.explanation.en).toMatch(
      /Person \(track 9\) entered forbidden area "square" and stayed for 1\.\d s/,
    );
    expect(match?.explanation.vi).toMatch(/Người đi bộ \(số hiệu 9\) đi vào khu vực cấm "square".*1,\d giây/);
  });

  it('at the same time at 6, 12.5 and 25 frames a second', () => {
    const times = [6, 12.5, 25].map((fps) => walk({ fps }).matches.map(({ sureAtMs }) => sureAtMs));
    for (const time of times) {
      expect(time).toHaveLength(1);
      expect(Math.abs((time[0] ?? 0) - (times[2]?.[0] ?? 0))).toBeLessThan(2 * (1000 / 6));
    }
  });

  it('on who comes into view at the edge of the picture, inside the zone', () => {
    const toTheEdge = {
      name: 'square',
      polygon: [
        [400, 100],
        [640, 100],
        [640, 400],
        [400, 400],
      ],
    };
    const entering = path([0, 632, 300], [3000, 500, 300], [6000, 500, 300]);
    expect(walk({ scene: { zones: [toTheEdge] }, user: { path: entering } }).matches).toHaveLength(1);
  });

  it('although the box jitters over the border while it dwells inside', () => {
    forAll(10, (random) => {
      // 5 px inside, with an error of 2 px: surely inside in most of the sights
      const atBorder = path([0, 300, 290], [1000, 300, 245], [6000, 300, 245]);
      const jitter = shake(6, () => random.next());
      expect(walk({ user: { path: atBorder, distort: jitter } }).matches).toHaveLength(1);
    });
  });

  it('after a dwell time of a minute, at any frame rate', () => {
    for (const fps of [2, 12.5, 25]) {
      const { matches } = walk({ rule: { dwellMs: 60_000 }, fps, untilMs: 70_000 });
      expect(matches, `${fps} fps`).toHaveLength(1);
      expect(matches[0]?.measures['dwellMs'], `${fps} fps`).toBeGreaterThanOrEqual(60_000);
      expect(matches[0]?.measures['dwellMs'], `${fps} fps`).toBeLessThan(61_000);
    }
  });

  it('once a stay, however long; again on who has left and comes back after the cool-down', () => {
    expect(walk({ untilMs: 60_000, rule: { cooldownMs: 8000 } }).matches).toHaveLength(1);
    const back = path(
      [0, 300, 280],
      [3000, 300, 190],
      [6000, 300, 280],
      [9000, 300, 190],
      [20_000, 300, 190],
    );
    const again = (cooldownMs: number): number =>
      walk({ untilMs: 20_000, rule: { cooldownMs }, user: { path: back } }).matches.length;
    expect(again(5000)).toBe(2);
    expect(again(60_000)).toBe(1);
  });

  it('under box noise of 3 % and misses of 15 %', () => {
    forAll(20, (random) => {
      const user = { trackId: 9, label: 'person' as const, path: enterAndStay(8000) };
      const outcome = playScenario({
        scene: aScene({ rules: [RULE] }),
        users: [addNoise(user, random)],
        untilMs: 8000,
      });
      expect(outcome.matches).toHaveLength(1);
    });
  });
});

describe('forbidden area: stays silent', () => {
  it('on who stays on the border, within the error of the ground contact', () => {
    forAll(10, (random) => {
      const onBorder = path([0, 300, 290], [1000, 300, 249], [20_000, 300, 249]);
      const user = { trackId: 9, label: 'person' as const, path: onBorder };
      const scene = aScene({ rules: [{ ...RULE, dwellMs: 3000 }] });
      expect(playScenario({ scene, users: [user], untilMs: 20_000 }).matches).toEqual([]);
      const jittering = { ...user, distort: shake(2, () => random.next()) };
      expect(playScenario({ scene, users: [jittering], untilMs: 20_000 }).matches).toEqual([]);
    });
  });

  it('on who stands outside when something comes to hide its feet', () => {
    const outside = path([0, 300, 275], [8000, 300, 275]);
    const hidden = ([x1, y1, x2, y2]: Box, atMs: number): Box => [x1, y1, x2, atMs > 2000 ? y2 - 40 : y2];
    expect(walk({ user: { path: outside, distort: hidden }, untilMs: 8000 }).matches).toEqual([]);
  });

  it('on who crosses it faster than the dwell time', () => {
    expect(walk({ user: { path: path([0, 300, 280], [1200, 300, 60]) } }).matches).toEqual([]);
  });

  it('on who goes in and out again and again, each time briefly', () => {
    const restless = path(
      [0, 300, 280],
      [600, 300, 230],
      [1200, 300, 280],
      [1800, 300, 230],
      [2400, 300, 280],
      [3000, 300, 230],
    );
    expect(walk({ user: { path: restless } }).matches).toEqual([]);
  });

  it('on who is first seen in the middle of it', () => {
    expect(walk({ user: { path: path([0, 300, 190], [6000, 310, 190]) } }).matches).toEqual([]);
  });

  it('on who stands outside while the box jitters over the border', () => {
    forAll(10, (random) => {
      const outside = path([0, 300, 300], [1000, 300, 260], [10_000, 300, 260]);
      const jitter = shake(7, () => random.next());
      expect(walk({ user: { path: outside, distort: jitter }, untilMs: 10_000 }).matches).toEqual([]);
    });
  });

  it('on who is seen inside only now and then', () => {
    const { matches } = walk({
      user: { seen: (atMs) => atMs < 850 || (atMs > 1900 && atMs < 2050) },
      untilMs: 2600,
    });
    expect(matches).toEqual([]);
  });

  it('while the feet are out of sight', () => {
    expect(walk({ user: { groundSeen: (atMs) => atMs < 900 } }).matches).toEqual([]);
  });

  it('on road users that the rule does not name', () => {
    expect(walk({ user: { label: 'motorbike' } }).matches).toEqual([]);
    expect(walk({ user: { label: 'motorbike' }, rule: { labels: ['motorbike'] } }).matches).toHaveLength(1);
  });
});
