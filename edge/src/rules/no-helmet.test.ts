import { describe, expect, it } from 'vitest';
import type { Box } from '../geometry/box.ts';
import { aScene } from '../testing/builder.ts';
import { addNoise } from '../testing/rule-noise.ts';
import { playScenario, type RuleScenario } from '../testing/rule-scenario.ts';
import type { ScriptedRoadUser } from '../testing/scripted-road-user.ts';
import { forAll, type SeededRandom } from '../testing/seeded-random.ts';
import type { HeadFinding } from './rule.ts';
import { RuleSet } from './rule-set.ts';

const RULE = { name: 'helmet', kind: 'NO_HELMET' };

type Reading = 'bare' | 'helmet' | undefined;

/** Heads in a row over the two-wheeler, each read as told. */
function wear(...readings: ((atMs: number) => Reading)[]) {
  return ([x1, y1, x2, y2]: Box, atMs: number): HeadFinding[] =>
    readings.flatMap((read, i) => {
      const state = read(atMs);
      if (state === undefined) return [];
      const centre = x1 + ((i + 1) * (x2 - x1)) / (readings.length + 1);
      const half = 0.08 * (x2 - x1);
      return [{ box: [centre - half, y1, centre + half, y1 + 0.2 * (y2 - y1)], state, confidence: 0.8 }];
    });
}

const bare = (): Reading => 'bare';
const helmet = (): Reading => 'helmet';
const mostly = (state: 'bare' | 'helmet', random: SeededRandom, wrong: number) => (): Reading =>
  random.next() < wrong ? (state === 'bare' ? 'helmet' : 'bare') : state;

const rider = (parts: Partial<ScriptedRoadUser>): ScriptedRoadUser => ({
  trackId: 1,
  label: 'motorbike',
  heading: [1, 0],
  path: [
    { atMs: 0, rear: [20, 300] },
    { atMs: 5000, rear: [600, 300] },
  ],
  ...parts,
});

function play(users: readonly ScriptedRoadUser[], parts: Partial<RuleScenario> & { rule?: object } = {}) {
  const { rule, ...rest } = parts;
  return playScenario({ scene: aScene({ rules: [{ ...RULE, ...rule }] }), users, untilMs: 5000, ...rest })
    .matches;
}

describe('no helmet', () => {
  it('fires once on a head that is read bare, with its measures and both languages', () => {
    const matches = play([rider({ heads: wear(bare) })]);
    expect(matches).toHaveLength(1);
    expect(matches[0]).toMatchObject({ kind: 'NO_HELMET', trackId: 1, rule: 'helmet' });
    expect(matches[0]?.measures['sightsBare']).toBeGreaterThanOrEqual(4);
    expect(matches[0]?.explanation.en).toMatch(
      /wears no helmet: the same head was read bare in \d+ of \d+ clear sights/,
    );
    expect(matches[0]?.explanation.vi).toContain('không đội mũ bảo hiểm');
  });

  it('fires on the passenger alone', () => {
    expect(play([rider({ heads: wear(helmet, bare) })])).toHaveLength(1);
  });

  it('fires after as long at 6, 12.5 and 25 frames a second', () => {
    const times = [6, 12.5, 25].map((fps) => play([rider({ heads: wear(bare) })], { fps })[0]?.sureAtMs ?? 0);
    for (const time of times) {
      expect(time).toBeGreaterThan(0);
      expect(Math.abs(time - (times[2] ?? 0))).toBeLessThan(400);
    }
  });

  it('finds nine of ten under noise, and nobody with a helmet', () => {
    let found = 0;
    forAll(60, (random) => {
      const guilty = rider({ heads: wear(mostly('bare', random, 0.2)) });
      const innocent = rider({ heads: wear(mostly('helmet', random, 0.1), mostly('helmet', random, 0.1)) });
      found += play([addNoise(guilty, random)]).length;
      expect(play([addNoise(innocent, random)])).toEqual([]);
    });
    expect(found).toBeGreaterThanOrEqual(54);
  });

  it('stays silent where bare readings are of different heads, too few, or doubtful', () => {
    // each head is read bare once in four sights only
    const turn =
      (i: number) =>
      (atMs: number): Reading =>
        Math.floor(atMs / 160) % 4 === i ? 'bare' : 'helmet';
    expect(play([rider({ heads: wear(turn(0), turn(1), turn(2)) })])).toEqual([]);
    expect(play([rider({ heads: wear((atMs) => (atMs < 300 ? 'bare' : undefined)) })])).toEqual([]);
    const doubtful = (box: Box, atMs: number): HeadFinding[] =>
      wear(bare)(box, atMs).map((head) => ({ ...head, confidence: 0.4 }));
    expect(play([rider({ heads: doubtful })])).toEqual([]);
  });

  it('wants as many sights as the scene says', () => {
    const [few = 0] = play([rider({ heads: wear(bare) })]).map(({ sureAtMs }) => sureAtMs);
    const [many = 0] = play([rider({ heads: wear(bare) })], { rule: { minSights: 20 } }).map(
      ({ sureAtMs }) => sureAtMs,
    );
    expect(many - few).toBeGreaterThan(1500);
  });

  it('is blocked and silent as long as no head model is supplied', () => {
    const rules = new RuleSet(aScene({ rules: [RULE] }));
    expect(rules.blocked).toEqual([{ rule: 'helmet', by: 'head-model-missing' }]);
    expect(play([rider({})])).toEqual([]);
  });
});
