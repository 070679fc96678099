import { describe, expect, it } from 'vitest';
import type { Point } from '../geometry/box.ts';
import { aScene } from '../testing/builder.ts';
import { playScenario, type ScenarioOutcome } from '../testing/rule-scenario.ts';
import type { ScriptedRoadUser } from '../testing/scripted-road-user.ts';
import { forAll } from '../testing/seeded-random.ts';

const RULE = { name: 'count', kind: 'LINE_COUNT', tripwire: 'stop-line' };

interface Variant {
  readonly user?: Partial<ScriptedRoadUser>;
  readonly rule?: Readonly<Record<string, unknown>>;
  readonly fps?: number;
  readonly untilMs?: number;
}

const path = (...waypoints: [atMs: number, ...rear: Point][]) =>
  waypoints.map(([atMs, x, y]) => ({ atMs, rear: [x, y] as const }));

function count({ user, rule, fps = 12.5, untilMs = 8000 }: Variant): ScenarioOutcome {
  return playScenario({
    scene: aScene({ rules: [{ ...RULE, ...rule }] }),
    users: [{ trackId: 2, label: 'motorbike', heading: [0, -1], path: [], ...user }],
    fps,
    untilMs,
  });
}

const directions = (outcome: ScenarioOutcome): string[] =>
  outcome.crossings.map(({ direction }) => direction);

describe('line count', () => {
  it('counts a crossing in each direction with who, where and when', () => {
    const there = count({ user: { path: path([0, 320, 400], [4000, 320, 200]) } });
    expect(there.matches).toEqual([]);
    expect(there.crossings).toMatchObject([
      { rule: 'count', tripwire: 'stop-line', trackId: 2, label: 'motorbike', direction: 'forward' },
    ]);
    // on the line at 2 s, beyond it by the hysteresis of 8 % of the height at 50 px/s
    expect(there.crossings[0]?.frame.mediaTimeMs).toBeGreaterThanOrEqual(2000);
    expect(there.crossings[0]?.frame.mediaTimeMs).toBeLessThan(2300);
    const back = count({ user: { path: path([0, 320, 200], [4000, 320, 400]) } });
    expect(directions(back)).toEqual(['backward']);
  });

  it('counts who goes over and comes back twice, once each way', () => {
    const pacing = path(
      [0, 320, 340],
      [2000, 320, 260],
      [4000, 320, 340],
      [6000, 320, 260],
      [8000, 320, 340],
    );
    expect(directions(count({ user: { path: pacing } }))).toEqual([
      'forward',
      'backward',
      'forward',
      'backward',
    ]);
  });

  it('counts the same at 6, 12.5 and 25 frames a second', () => {
    for (const fps of [6, 12.5, 25]) {
      expect(directions(count({ fps, user: { path: path([0, 320, 400], [2000, 320, 200]) } }))).toEqual([
        'forward',
      ]);
    }
  });

  it('counts nothing while the box jitters on the line', () => {
    forAll(10, (random) => {
      const { crossings } = count({
        user: {
          path: path([0, 320, 300], [8000, 320, 300]),
          distort: ([x1, y1, x2, y2]) => {
            const dy = 6 * (2 * random.next() - 1);
            return [x1, y1 + dy, x2, y2 + dy];
          },
        },
      });
      expect(crossings).toEqual([]);
    });
  });

  it('counts nothing that passes beside the end', () => {
    expect(directions(count({ user: { path: path([0, 590, 400], [4000, 590, 200]) } }))).toEqual([]);
    expect(directions(count({ user: { path: path([0, 60, 400], [4000, 60, 200]) } }))).toEqual([]);
    // the box may hang over the end by a quarter of its width
    expect(directions(count({ user: { path: path([0, 545, 400], [4000, 545, 200]) } }))).toEqual(['forward']);
  });

  it('counts nobody who appears beyond the line', () => {
    expect(directions(count({ user: { path: path([0, 320, 280], [4000, 320, 100]) } }))).toEqual([]);
  });

  it('counts a crossing during which the ground was out of sight', () => {
    const hidden = {
      path: path([0, 320, 400], [4000, 320, 200]),
      groundSeen: (atMs: number) => atMs < 1500 || atMs > 2800,
    };
    expect(directions(count({ user: hidden }))).toEqual(['forward']);
  });

  it('counts only the road users that the rule names', () => {
    const moving = { path: path([0, 320, 400], [4000, 320, 200]) };
    expect(directions(count({ user: moving, rule: { labels: ['car'] } }))).toEqual([]);
    expect(directions(count({ user: { ...moving, label: 'person' } }))).toEqual(['forward']);
  });

  it('keeps road users apart', () => {
    const users = [0, 1, 2].map((i) => ({
      trackId: i + 1,
      label: 'motorbike' as const,
      heading: [0, -1] as const,
      path: path([0, 200 + 100 * i, 400 - 200 * (i % 2)], [4000, 200 + 100 * i, 200 + 200 * (i % 2)]),
    }));
    const { crossings } = playScenario({ scene: aScene({ rules: [RULE] }), users, untilMs: 4000 });
    expect(crossings.map(({ trackId, direction }) => [trackId, direction]).sort()).toEqual([
      [1, 'forward'],
      [2, 'backward'],
      [3, 'forward'],
    ]);
  });
});
