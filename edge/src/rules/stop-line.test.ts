import { describe, expect, it } from 'vitest';
import type { Point } from '../geometry/box.ts';
import { aScene } from '../testing/builder.ts';
import { playScenario, type ScenarioOutcome, type ScriptedSignal } from '../testing/rule-scenario.ts';
import type { ScriptedRoadUser } from '../testing/scripted-road-user.ts';
import { forAll } from '../testing/seeded-random.ts';

const RULE = { name: 'stop-line', kind: 'STOP_LINE', stopLine: 'stop-line', signal: 'main' };
const RED: ScriptedSignal = [
  { state: 'green', sinceMs: -20_000 },
  { state: 'red', sinceMs: -5000 },
];
/** How far the front of a motorbike lies before its rear in this view, px. */
const LENGTH_PX = 1.5 * 50 * Math.sin((25 * Math.PI) / 180);
const UP: Point = [0, -1];

interface Variant {
  readonly user?: Partial<ScriptedRoadUser>;
  readonly rule?: Readonly<Record<string, unknown>>;
  readonly signal?: ScriptedSignal;
  readonly fps?: number;
  readonly untilMs?: number;
}

const path = (...waypoints: [atMs: number, ...rear: Point][]) =>
  waypoints.map(([atMs, x, y]) => ({ atMs, rear: [x, y] as const }));

/** Rides up within 1.8 s and stands with the rear at `restY` until `untilMs`. */
const stopAt = (restY: number, untilMs = 6000) =>
  path([0, 320, 460], [1800, 320, restY], [untilMs, 320, restY]);

function wait({ user, rule, signal = RED, fps = 12.5, untilMs = 6000 }: Variant = {}): ScenarioOutcome {
  const rider: ScriptedRoadUser = {
    trackId: 4,
    label: 'motorbike',
    heading: UP,
    path: stopAt(315, untilMs),
    ...user,
  };
  return playScenario({
    scene: aScene({ rules: [{ ...RULE, ...rule }] }),
    users: [rider],
    signal,
    fps,
    untilMs,
  });
}

describe('stop line: fires', () => {
  it('on who waits with the front past the line and the rear before it', () => {
    const { matches } = wait();
    expect(matches).toHaveLength(1);
    const [match] = matches;
    expect(match).toMatchObject({
      rule: 'stop-line',
      kind: 'STOP_LINE',
      trackId: 4,
      label: 'motorbike',
      signal: { state: 'red' },
      alternatives: [],
    });
    // stood for two seconds, measured from the first sight within its drift
    expect(match?.sureAtMs).toBeGreaterThanOrEqual(1800 + 2000 - 160);
    expect(match?.sureAtMs).toBeLessThan(1800 + 2000 + 160);
    expect(match?.measures['frontBeyondLinePx']).toBeCloseTo(300 - (315 - LENGTH_PX), -1);
    expect(match?.measures['rearBeforeLinePx']).toBeCloseTo(15, 6);
    expect(match?.explanation.en).toMatch(/Motorbike \(track 4\) waited 2\.\d s at red signal "main"/);
    expect(match?.explanation.vi).toMatch(/Xe máy \(số hiệu 4\) dừng chờ đèn đỏ "main" 2,\d giây/);
  });

  it('with the frame in which the front came over the line as the decisive one, at any frame rate', () => {
    const frontCrossesMs = (1800 * (460 - 300 - LENGTH_PX)) / (460 - 315);
    for (const fps of [6, 12.5, 25]) {
      const { matches } = wait({ fps });
      expect(matches, `${fps} fps`).toHaveLength(1);
      const lateMs = (matches[0]?.observation.frame.mediaTimeMs ?? 0) - frontCrossesMs;
      // the length is an assumption: within 4 px of the true front at 80 px/s
      expect(lateMs, `${fps} fps`).toBeGreaterThan(-50);
      expect(lateMs, `${fps} fps`).toBeLessThan(1000 / fps + 50);
    }
  });

  it('on who came on amber but crossed and stood on red', () => {
    const signal: ScriptedSignal = [
      { state: 'amber', sinceMs: -2000 },
      { state: 'red', sinceMs: 1400 },
    ];
    const { matches } = wait({ signal });
    expect(matches).toHaveLength(1);
    expect(matches[0]?.signal?.sinceMs).toBeLessThan(300);
  });

  it('on a car as on a motorbike', () => {
    expect(wait({ user: { label: 'car', path: stopAt(330) } }).matches).toHaveLength(1);
  });
});

describe('stop line: stays silent', () => {
  it('on who waits before the line', () => {
    expect(wait({ user: { path: stopAt(300 + LENGTH_PX + 8) } }).matches).toEqual([]);
  });

  it('where the front is past the line by less than its error', () => {
    expect(wait({ user: { path: stopAt(300 + LENGTH_PX - 3) } }).matches).toEqual([]);
  });

  it('on who waits with the rear past the line too: that is another case', () => {
    expect(wait({ user: { path: stopAt(290) } }).matches).toEqual([]);
  });

  it('on who passes through, also slowly', () => {
    expect(wait({ user: { path: path([0, 320, 460], [4000, 320, 120]) } }).matches).toEqual([]);
    expect(wait({ user: { path: path([0, 320, 400], [9000, 320, 200]) }, untilMs: 9000 }).matches).toEqual(
      [],
    );
  });

  it('on who stops for less than the waiting time', () => {
    const short = path([0, 320, 460], [1800, 320, 315], [3000, 320, 315], [5000, 320, 120]);
    expect(wait({ user: { path: short } }).matches).toEqual([]);
    expect(wait({ user: { path: short }, rule: { waitMs: 800 } }).matches).toHaveLength(1);
  });

  it('on who stands there since green', () => {
    const signal: ScriptedSignal = [
      { state: 'green', sinceMs: -9000 },
      { state: 'red', sinceMs: 2500 },
    ];
    expect(wait({ signal, untilMs: 9000 }).matches).toEqual([]);
  });

  it('on who is first seen past the line', () => {
    expect(wait({ user: { path: path([0, 320, 315], [6000, 320, 315]) } }).matches).toEqual([]);
  });

  it.each(['green', 'amber', 'off', 'unknown'] as const)('on %s', (state) => {
    expect(wait({ signal: [{ state, sinceMs: -5000 }] }).matches).toEqual([]);
  });

  it('where the light turns green before the waiting time is over', () => {
    const signal: ScriptedSignal = [...RED, { state: 'green', sinceMs: 3000 }];
    expect(wait({ signal }).matches).toEqual([]);
  });

  it('where the lamp was never read', () => {
    expect(wait({ signal: [] }).matches).toEqual([]);
  });

  it('on who stands before the line while its wheels get hidden from below', () => {
    const { matches } = wait({
      user: {
        path: stopAt(340),
        distort: ([x1, y1, x2, y2], atMs) => [x1, y1, x2, y2 - Math.max(0, Math.min(25, (atMs - 2000) / 20))],
      },
    });
    expect(matches).toEqual([]);
  });

  it('beside the end of the line', () => {
    const beside = path([0, 580, 460], [1800, 580, 315], [6000, 580, 315]);
    expect(wait({ user: { path: beside } }).matches).toEqual([]);
  });

  it('on road users that the rule does not name', () => {
    expect(wait({ user: { label: 'person' } }).matches).toEqual([]);
    expect(wait({ rule: { labels: ['car'] } }).matches).toEqual([]);
  });

  it('on who waits just before the line, whatever the box jitters', () => {
    forAll(15, (random) => {
      const { matches } = wait({
        user: {
          path: stopAt(300 + LENGTH_PX + 5, 8000),
          distort: ([x1, y1, x2, y2]) => [x1, y1 + random.gaussian(), x2, y2 + random.gaussian()],
        },
        untilMs: 8000,
      });
      expect(matches).toEqual([]);
    });
  });
});

describe('stop line: one case a road user', () => {
  it('does not come again while it waits, however long and at whatever rate', () => {
    for (const fps of [2, 6]) {
      expect(wait({ fps, untilMs: 260_000, rule: { cooldownMs: 0 } }).matches, `${fps} fps`).toHaveLength(1);
    }
  });

  it('does not come again for who creeps on in steps', () => {
    const creeping = path(
      [0, 320, 460],
      [1800, 320, 318],
      [5000, 320, 318],
      [5400, 320, 311],
      [9000, 320, 311],
      [9400, 320, 305],
      [13_000, 320, 305],
    );
    expect(wait({ user: { path: creeping }, untilMs: 13_000 }).matches).toHaveLength(1);
  });
});
