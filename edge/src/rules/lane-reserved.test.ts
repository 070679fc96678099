import { describe, expect, it } from 'vitest';
import { aScene } from '../testing/builder.ts';
import { type DrivenWay, driveWay, type Leg, seeNoisily } from '../testing/driven-road-user.ts';
import { playScenario, type ScenarioOutcome } from '../testing/rule-scenario.ts';
import type { ScriptedRoadUser } from '../testing/scripted-road-user.ts';
import { forAll } from '../testing/seeded-random.ts';

/** A bus lane of 3.5 m up the picture. */
const LANE = {
  name: 'bus-lane',
  polygon: [
    [300, 20],
    [370, 20],
    [370, 470],
    [300, 470],
  ],
};
const RULE = { name: 'bus-only', kind: 'LANE_RESERVED', zone: 'bus-lane', allowed: ['bus'] };
const RATES = [6, 12.5, 25];

function drive(x: number, legs: readonly Leg[] = [{ straightM: 35 }], more: Partial<DrivenWay> = {}) {
  return driveWay({ label: 'car', from: [x, 440], headingDeg: 0, speedMps: 7, legs, ...more });
}

function play(
  users: readonly ScriptedRoadUser[],
  { rule = {}, fps = 12.5 }: { rule?: object; fps?: number } = {},
): ScenarioOutcome {
  const untilMs = Math.max(...users.map(({ path }) => path.at(-1)?.atMs ?? 0));
  return playScenario({
    scene: aScene({ zones: [LANE], rules: [{ ...RULE, ...rule }] }),
    users,
    fps,
    untilMs,
  });
}

describe('reserved lane', () => {
  it('fires once on who drives along in it', () => {
    const { matches } = play([drive(335)]);
    expect(matches).toHaveLength(1);
    const [match] = matches;
    expect(match).toMatchObject({
      rule: 'bus-only',
      kind: 'LANE',
      trackId: 7,
      label: 'car',
      alternatives: [],
    });
    expect(match?.measures['marginPx']).toBeGreaterThan(match?.measures['errorPx'] ?? 0);
    expect(match?.measures['travelHeights']).toBeGreaterThanOrEqual(2);
    expect(match?.measures['durationMs']).toBeGreaterThanOrEqual(1000);
    expect(match?.explanation.en).toMatch(
      /drove in reserved lane "bus-lane" for \d\.\d s over \d\.\d times its own height .* at least \d+ px inside it/,
    );
    expect(match?.explanation.vi).toMatch(/đi trong làn dành riêng "bus-lane" suốt \d,\d giây/);
    expect(play([drive(335, [{ straightM: 35 }], { label: 'motorbike' })]).matches).toHaveLength(1);
  });

  it('tells the same at 6, 12.5 and 25 frames a second', () => {
    const instants = RATES.map((fps) => {
      const { matches } = play([drive(335)], { fps });
      expect(matches, `${fps} fps`).toHaveLength(1);
      return matches[0]?.measures['reachedAtMediaMs'] ?? 0;
    });
    expect(Math.max(...instants) - Math.min(...instants)).toBeLessThan(180);
  });

  it('is silent on whom the lane is kept for, and on who looks like that', () => {
    const bus = { label: 'bus' } as const;
    const truck = { label: 'truck' } as const;
    expect(play([drive(335, undefined, bus)]).matches).toEqual([]);
    expect(play([drive(335, undefined, truck)]).matches).toEqual([]);
    expect(play([drive(335, undefined, truck)], { rule: { lookAlikeExempt: false } }).matches).toHaveLength(
      1,
    );
    expect(play([drive(335)], { rule: { labels: ['motorbike'] } }).matches).toEqual([]);
  });

  it('does not fire on who crosses it, straight or aslant', () => {
    for (const headingDeg of [90, 60, 45]) {
      const user = drive(200, [{ straightM: 16 }], { from: [200, 300], headingDeg, label: 'motorbike' });
      expect(play([user]).matches, `${headingDeg}°`).toEqual([]);
    }
  });

  it('does not fire on who drives over its border, nor beside it', () => {
    for (const x of [270, 300, 310, 370, 400]) expect(play([drive(x)]).matches, `x ${x}`).toEqual([]);
  });

  it('does not add up what lies before and after a stretch on its border', () => {
    const turnDeg = (Math.acos(1 - 1.2 / 20) * 180) / Math.PI;
    const bend = (sign: number): Leg[] => [
      { turnDeg: sign * turnDeg, radiusM: 10 },
      { turnDeg: -sign * turnDeg, radiusM: 10 },
    ];
    const legs = [{ straightM: 1 }, ...bend(-1), { straightM: 6 }, ...bend(1), { straightM: 1 }];
    const user = drive(326, legs, { label: 'motorbike', speedMps: 4 });
    expect(Math.min(...user.path.map(({ rear: [x] }) => x))).toBeGreaterThan(300);
    expect(play([user], { rule: { minTravelHeights: 2.4 } }).matches).toEqual([]);
    const straight = drive(335, [{ straightM: 22 }], { label: 'motorbike', speedMps: 4 });
    expect(play([straight], { rule: { minTravelHeights: 2.4 } }).matches).toHaveLength(1);
  });

  it('names the other reading where it drove near the border', () => {
    const matches = [318, 322, 324, 326].flatMap((x) => play([drive(x)]).matches);
    const near = matches.filter(({ alternatives }) => alternatives.includes('SOLID_LINE'));
    expect(near.length).toBeGreaterThan(0);
    for (const { measures } of near)
      expect(measures['marginPx']).toBeLessThanOrEqual(2 * (measures['errorPx'] ?? 0) + 0.2);
  });

  it('does not fire on who stands in it, or leaves it at once', () => {
    expect(play([drive(335, [{ straightM: 3 }, { standMs: 8000 }])]).matches).toEqual([]);
    const out = [
      { straightM: 3 },
      { turnDeg: 30, radiusM: 10 },
      { turnDeg: -30, radiusM: 10 },
      { straightM: 18 },
    ];
    expect(play([drive(345, out, { label: 'motorbike' })]).matches).toEqual([]);
  });

  it('is one case until it has left the lane, and again one when it comes back', () => {
    const slow = drive(335, [{ straightM: 35 }], { speedMps: 2 });
    expect(play([slow], { rule: { cooldownMs: 0 } }).matches).toHaveLength(1);
    const turnDeg = 40;
    const bend = (sign: number): Leg[] => [
      { turnDeg: sign * turnDeg, radiusM: 8 },
      { turnDeg: -sign * turnDeg, radiusM: 8 },
    ];
    const legs = [{ straightM: 9 }, ...bend(1), { straightM: 2 }, ...bend(-1), { straightM: 10 }];
    const back = drive(335, legs, { label: 'motorbike', speedMps: 4 });
    expect(Math.max(...back.path.map(({ rear: [x] }) => x))).toBeGreaterThan(385);
    expect(play([back], { rule: { cooldownMs: 0 } }).matches).toHaveLength(2);
    expect(play([back]).matches).toHaveLength(1);
  });

  it('takes the direction of the lane from the scene where that gives one', () => {
    const along = { from: [300, 300], to: [500, 300] };
    expect(play([drive(335)], { rule: { along } }).matches).toEqual([]);
  });

  it('holds under noise: use of the lane is found, what passes beside or across is not', () => {
    let [found, wrong] = [0, 0];
    forAll(24, (random) => {
      const fps = RATES[random.integer(0, 2)] ?? 25;
      const label = random.next() < 0.5 ? ('car' as const) : ('motorbike' as const);
      const user = drive(random.between(330, 340), undefined, { label, speedMps: random.between(3, 10) });
      found += play([seeNoisily(user, random)], { fps }).matches.length;
      const clear = label === 'car' ? 18 : 4;
      const beside = drive(300 - random.between(clear, 60), undefined, {
        label,
        speedMps: random.between(3, 10),
      });
      wrong += play([seeNoisily(beside, random)], { fps }).matches.length;
    });
    expect(wrong).toBe(0);
    expect(found).toBe(24);
  });
});
