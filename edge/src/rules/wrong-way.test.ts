import { describe, expect, it } from 'vitest';
import type { Point } from '../geometry/box.ts';
import { aScene } from '../testing/builder.ts';
import { playScenario, type ScenarioOutcome } from '../testing/rule-scenario.ts';
import type { ScriptedRoadUser } from '../testing/scripted-road-user.ts';
import { forAll } from '../testing/seeded-random.ts';

/** A street that runs up the picture; traffic must go up. */
const STREET = {
  name: 'street',
  polygon: [
    [200, 40],
    [440, 40],
    [440, 470],
    [200, 470],
  ],
};
const RULE = {
  name: 'wrong-way',
  kind: 'WRONG_WAY',
  zone: 'street',
  allowed: { from: [320, 400], to: [320, 100] },
};

interface Variant {
  readonly user?: Partial<ScriptedRoadUser>;
  readonly rule?: Readonly<Record<string, unknown>>;
  readonly fps?: number;
  readonly untilMs?: number;
}

const path = (...waypoints: [atMs: number, ...rear: Point][]) =>
  waypoints.map(([atMs, x, y]) => ({ atMs, rear: [x, y] as const }));
const DOWN = path([0, 320, 130], [4000, 320, 450]);
const UP = path([0, 320, 450], [4000, 320, 130]);

function drive({ user, rule, fps = 12.5, untilMs = 4000 }: Variant): ScenarioOutcome {
  return playScenario({
    scene: aScene({ zones: [STREET], rules: [{ ...RULE, ...rule }] }),
    users: [{ trackId: 3, label: 'motorbike', path: DOWN, ...user }],
    fps,
    untilMs,
  });
}

describe('wrong way', () => {
  it('fires once on who travels against the arrow, when it went far enough', () => {
    const { matches } = drive({});
    expect(matches).toHaveLength(1);
    const [match] = matches;
    expect(match).toMatchObject({
      rule: 'wrong-way',
      kind: 'WRONG_WAY',
      trackId: 3,
      measures: { angleDeg: 180 },
    });
    // 1.5 heights of its own box at 80 px/s
    const box = match?.observation.box ?? [0, 0, 0, 0];
    const dueMs = (1.5 * (box[3] - box[1]) * 1000) / 80;
    expect(match?.sureAtMs).toBeGreaterThanOrEqual(dueMs);
    expect(match?.sureAtMs).toBeLessThan(dueMs + 160);
    expect(match?.explanation.en).toMatch(
      /Motorbike \(track 3\) went against the direction of zone "street" for \d\.\d s, 180°/,
    );
    expect(match?.explanation.vi).toMatch(
      /Xe máy \(số hiệu 3\) đi ngược chiều trong khu vực "street" suốt \d,\d giây/,
    );
  });

  it('fires at the same place at 6, 12.5 and 25 frames a second', () => {
    const places = [6, 12.5, 25].map((fps) =>
      drive({ fps }).matches.map(({ observation }) => observation.box[3]),
    );
    for (const place of places) {
      expect(place).toHaveLength(1);
      expect(Math.abs((place[0] ?? 0) - (places[2]?.[0] ?? 0))).toBeLessThan(80 / 6 + 1);
    }
  });

  it('fires on who goes at walking pace too, at any frame rate', () => {
    for (const fps of [6, 12.5, 25]) {
      const slow = { path: path([0, 320, 130], [16_000, 320, 450]) };
      expect(drive({ user: slow, fps, untilMs: 16_000 }).matches, `${fps} fps`).toHaveLength(1);
    }
  });

  it('fires again only after the cool-down', () => {
    const long = { user: { path: path([0, 320, 130], [16_000, 320, 450]) }, untilMs: 16_000 };
    expect(drive({ ...long, rule: { cooldownMs: 60_000 } }).matches).toHaveLength(1);
    const often = drive({ ...long, rule: { cooldownMs: 2000 } }).matches.map(({ sureAtMs }) => sureAtMs);
    expect(often.length).toBeGreaterThan(1);
    const pauses = often.slice(1).map((atMs, i) => atMs - (often[i] ?? 0));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(2000);
  });

  it('fires on who turns round in the zone and goes back', () => {
    const heading: Point = [0, 1];
    const turning = path([0, 320, 450], [3000, 320, 150], [6500, 320, 430]);
    const { matches } = drive({ user: { path: turning, heading }, untilMs: 6500 });
    expect(matches).toHaveLength(1);
    expect(matches[0]?.sureAtMs).toBeGreaterThan(3000);
  });

  it('stays silent on who goes along, across, or along and swerves', () => {
    const swerve = path(
      [0, 250, 450],
      [1000, 380, 370],
      [2000, 250, 300],
      [3000, 390, 220],
      [4000, 260, 140],
    );
    const dodge = path([0, 320, 450], [1500, 320, 300], [2000, 330, 320], [4000, 320, 130]);
    const heading: Point = [0, -1];
    expect(drive({ user: { path: UP } }).matches).toEqual([]);
    expect(drive({ user: { path: path([0, 205, 300], [4000, 435, 310]) } }).matches).toEqual([]);
    expect(drive({ user: { path: swerve, heading } }).matches).toEqual([]);
    expect(drive({ user: { path: dodge, heading } }).matches).toEqual([]);
  });

  it('stays silent on who goes to and fro, although it ends up further back', () => {
    const steps = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((i): [number, number, number][] => [
      [i * 1600, 320, 130 + 30 * i],
      [i * 1600 + 920, 320, 130 + 30 * i + 75],
    ]);
    expect(drive({ user: { path: path(...steps), heading: [0, 1] }, untilMs: 12_000 }).matches).toEqual([]);
  });

  it('stays silent on who stands, whatever the box jitters', () => {
    forAll(10, (random) => {
      const { matches } = drive({
        user: {
          path: path([0, 320, 300], [20_000, 320, 300]),
          distort: ([x1, y1, x2, y2]) => {
            const [dx, dy] = [3 * random.gaussian(), 3 * random.gaussian()];
            return [x1 + dx, y1 + dy, x2 + dx, y2 + dy];
          },
        },
        untilMs: 20_000,
      });
      expect(matches).toEqual([]);
    });
  });

  it('stays silent on who rolls back a little, or goes against it outside the zone', () => {
    const rollback = path([0, 320, 200], [1500, 320, 260], [4000, 320, 260]);
    expect(drive({ user: { path: rollback, heading: [0, -1] } }).matches).toEqual([]);
    expect(drive({ user: { path: path([0, 120, 130], [4000, 120, 450]) } }).matches).toEqual([]);
  });

  it('counts only the stretch inside the zone', () => {
    const short = {
      name: 'street',
      polygon: [
        [200, 300],
        [440, 300],
        [440, 380],
        [200, 380],
      ],
    };
    const scene = aScene({ zones: [short], rules: [RULE] });
    const users = [{ trackId: 3, label: 'motorbike', path: DOWN } as const];
    expect(playScenario({ scene, users, untilMs: 4000 }).matches).toEqual([]);
  });

  it('holds the angle, the time and the labels of the rule', () => {
    const oblique = path([0, 220, 200], [4000, 430, 320]);
    expect(drive({ user: { path: oblique } }).matches).toHaveLength(0);
    expect(
      drive({ user: { path: oblique }, rule: { minAngleDeg: 100, minTravelHeights: 1 } }).matches,
    ).toHaveLength(1);
    expect(drive({ rule: { minDurationMs: 10_000 } }).matches).toEqual([]);
    expect(drive({ rule: { labels: ['car'] } }).matches).toEqual([]);
  });
});
