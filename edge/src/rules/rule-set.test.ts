import { describe, expect, it } from 'vitest';
import { aScene } from '../testing/builder.ts';
import { playScenario } from '../testing/rule-scenario.ts';
import { RuleSet } from './rule-set.ts';

const RED_LIGHT = { name: 'red-light', kind: 'RED_LIGHT', stopLine: 'stop-line', signal: 'main' };
const STOP_LINE = { name: 'stop', kind: 'STOP_LINE', stopLine: 'stop-line', signal: 'main' };
const COUNT = { name: 'count', kind: 'LINE_COUNT', tripwire: 'stop-line' };
const WRONG_WAY = {
  name: 'wrong',
  kind: 'WRONG_WAY',
  zone: 'square',
  allowed: { from: [300, 200], to: [300, 100] },
};
const FORBIDDEN = {
  name: 'area',
  kind: 'FORBIDDEN_AREA',
  zone: 'square',
  labels: ['motorbike'],
  dwellMs: 300,
};

describe('RuleSet', () => {
  it('runs every rule of the scene on the same road users', () => {
    const { matches, crossings } = playScenario({
      scene: aScene({ rules: [RED_LIGHT, STOP_LINE, COUNT, WRONG_WAY, FORBIDDEN] }),
      users: [
        {
          trackId: 5,
          label: 'motorbike',
          path: [
            { atMs: 0, rear: [320, 460] },
            { atMs: 4000, rear: [320, 120] },
          ],
        },
      ],
      signal: [{ state: 'red', sinceMs: -5000 }],
      untilMs: 4000,
    });
    expect(matches.map(({ kind }) => kind).sort()).toEqual(['FORBIDDEN_AREA', 'RED_LIGHT']);
    expect(crossings).toHaveLength(1);
  });

  it('looks back as far as the rule that looks back furthest', () => {
    const horizonOf = (...rules: object[]) => new RuleSet(aScene({ rules })).horizonMs;
    expect(horizonOf()).toBe(0);
    expect(horizonOf(RED_LIGHT)).toBeGreaterThan(0);
    expect(horizonOf({ ...STOP_LINE, waitMs: 30_000 }, RED_LIGHT)).toBeGreaterThan(30_000);
  });

  it.each([
    [{ ...RED_LIGHT, stopLine: 'nowhere' }],
    [{ ...STOP_LINE, stopLine: 'nowhere' }],
    [{ ...COUNT, tripwire: 'nowhere' }],
    [{ ...WRONG_WAY, zone: 'nowhere' }],
    [{ name: 'bus-lane', kind: 'LANE_RESERVED', zone: 'nowhere', allowed: ['bus'] }],
    [{ name: 'lane', kind: 'LANE_TURN', lane: 'nowhere', exits: ['stop-line'] }],
    [{ name: 'lane', kind: 'LANE_TURN', lane: 'square', exits: ['nowhere'] }],
    [{ name: 'solid', kind: 'SOLID_LINE', line: 'nowhere' }],
    [{ name: 'turn', kind: 'FORBIDDEN_TURN', turn: 'left', entry: 'nowhere', exit: 'stop-line' }],
    [{ name: 'turn', kind: 'FORBIDDEN_TURN', turn: 'left', entry: 'stop-line', exit: 'nowhere' }],
    [{ ...FORBIDDEN, zone: 'nowhere' }],
    [{ name: 'park', kind: 'STOP_PARK', zone: 'nowhere' }],
    [{ name: 'load', kind: 'OVERLOADED', zone: 'nowhere' }],
    [{ name: 'zebra', kind: 'ZEBRA_YIELD', zebra: 'nowhere', approach: { from: [0, 0], to: [9, 9] } }],
    [{ name: 'box', kind: 'BLOCKED_JUNCTION', zone: 'nowhere' }],
    [{ name: 'helmet', kind: 'NO_HELMET', zone: 'nowhere' }],
    [{ name: 'traffic', kind: 'TRAFFIC', zone: 'nowhere' }],
    [{ name: 'traffic', kind: 'TRAFFIC', zone: 'square', exits: ['nowhere'] }],
  ])('refuses a rule that names what the scene has not: $kind', (rule) => {
    expect(() => new RuleSet(aScene({ rules: [rule] }))).toThrow(
      /Scene "crossroads" has no (tripwire|zone) "nowhere"/,
    );
  });
});
