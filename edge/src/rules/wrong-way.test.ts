import { describe, expect, it } from 'vitest';
import { aScene } from '../testing/builder.ts';
import { type DrivenWay, driveWay, type Leg, seeNoisily } from '../testing/driven-road-user.ts';
import { playScenario, type ScenarioOutcome } from '../testing/rule-scenario.ts';
import type { ScriptedRoadUser } from '../testing/scripted-road-user.ts';
import { forAll } from '../testing/seeded-random.ts';

/** A street of 12 m × 51 m that runs up the picture; traffic must go up. */
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
const RATES = [6, 12.5, 25];
const FAR: readonly Leg[] = [{ straightM: 35 }];

function down(legs: readonly Leg[] = FAR, more: Partial<DrivenWay> = {}) {
  return driveWay({ label: 'motorbike', from: [320, 100], headingDeg: 180, speedMps: 6, legs, ...more });
}
const up = (legs: readonly Leg[] = FAR, more: Partial<DrivenWay> = {}) =>
  down(legs, { from: [320, 430], headingDeg: 0, ...more });

interface Playing {
  readonly rule?: object;
  readonly rules?: readonly object[];
  readonly zone?: object;
  readonly fps?: number;
  readonly tripwires?: readonly object[];
}

function play(
  users: readonly ScriptedRoadUser[],
  { rule = {}, rules = [], zone = STREET, fps = 12.5, ...more }: Playing = {},
): ScenarioOutcome {
  const untilMs = Math.max(...users.map(({ path }) => path.at(-1)?.atMs ?? 0));
  const fromMs = Math.min(...users.map(({ path }) => path[0]?.atMs ?? 0));
  const scene = aScene({ zones: [zone], rules: [{ ...RULE, ...rule }, ...rules], ...more });
  return playScenario({ scene, users, fps, fromMs, untilMs });
}

describe('wrong way', () => {
  it('fires once on who travels against the arrow, when it surely went far enough', () => {
    const { matches } = play([down()]);
    expect(matches).toHaveLength(1);
    const [match] = matches;
    expect(match).toMatchObject({ rule: 'wrong-way', kind: 'WRONG_WAY', trackId: 7, alternatives: [] });
    expect(match?.measures['angleDeg']).toBeGreaterThan(175);
    const { travelPx = 0, travelErrorPx = 0, travelHeights = 0 } = match?.measures ?? {};
    const height = travelPx / travelHeights;
    expect(travelPx - travelErrorPx).toBeGreaterThanOrEqual(1.5 * height - 2);
    // 6 m/s are 51 px/s down the picture
    expect(match?.measures['reachedAtMediaMs']).toBeGreaterThan((1.5 * height * 1000) / 51);
    expect(match?.sureAtMs).toBeLessThan(2200);
    expect(match?.explanation.en).toMatch(
      /Motorbike \(track 7\) went against the direction of zone "street" for \d\.\d s, 1[78]\d° \(error ±\d+°\) off/,
    );
    expect(match?.explanation.vi).toMatch(
      /Xe máy \(số hiệu 7\) đi ngược chiều trong khu vực "street" suốt \d,\d giây/,
    );
  });

  it('tells the same instant and place at 6, 12.5 and 25 frames a second', () => {
    const found = RATES.map((fps) => play([down()], { fps }).matches);
    for (const matches of found) expect(matches).toHaveLength(1);
    const instants = found.map(([match]) => match?.measures['reachedAtMediaMs'] ?? 0);
    expect(Math.max(...instants) - Math.min(...instants)).toBeLessThan(150);
    const places = found.map(([match]) => match?.observation.box[3] ?? 0);
    expect(Math.max(...places) - Math.min(...places)).toBeLessThan(51 / 6 + 8);
  });

  it('is one case until it leaves the zone or goes along again, whatever the cool-down', () => {
    const slow = down(FAR, { label: 'car', speedMps: 2 });
    expect(play([slow], { rule: { cooldownMs: 0 } }).matches).toHaveLength(1);
    const legs: Leg[] = [
      { straightM: 14 },
      { turnDeg: 180, radiusM: 2.5 },
      { straightM: 12 },
      { turnDeg: 180, radiusM: 2.5 },
      { straightM: 16 },
    ];
    const twice = down(legs, { speedMps: 4 });
    expect(play([twice], { rule: { cooldownMs: 0 } }).matches).toHaveLength(2);
    expect(play([twice]).matches).toHaveLength(1);
  });

  it('fires on who turns round in the zone and goes back, and names the U-turn where that is forbidden here', () => {
    const legs: Leg[] = [{ straightM: 22 }, { turnDeg: 180, radiusM: 2.5 }, { straightM: 18 }];
    const { matches } = play([up(legs, { speedMps: 4 })]);
    expect(matches).toHaveLength(1);
    expect(matches[0]?.sureAtMs).toBeGreaterThan(6500);
    expect(matches[0]?.alternatives).toEqual([]);
    const tripwires = [
      {
        name: 'in',
        points: [
          [0, 10],
          [10, 10],
        ],
        forwardTowards: [5, 0],
      },
      {
        name: 'out',
        points: [
          [20, 10],
          [30, 10],
        ],
        forwardTowards: [25, 20],
      },
    ];
    const rules = [{ name: 'turn', kind: 'FORBIDDEN_TURN', turn: 'u-turn', entry: 'in', exit: 'out' }];
    expect(play([up(legs, { speedMps: 4 })], { tripwires, rules }).matches[0]?.alternatives).toEqual([
      'FORBIDDEN_TURN',
    ]);
    expect(play([down()], { tripwires, rules }).matches[0]?.alternatives).toEqual([]);
  });

  it('does not fire on a U-turn that leaves the zone', () => {
    const legs: Leg[] = [{ straightM: 18 }, { turnDeg: -180, radiusM: 3 }, { straightM: 20 }];
    const user = up(legs, { from: [250, 430], speedMps: 4 });
    expect(user.path.some(({ rear: [x] }) => x < 180)).toBe(true);
    expect(play([user]).matches).toEqual([]);
  });

  it('stays silent on who goes along, across, or along and swerves', () => {
    expect(play([up()]).matches).toEqual([]);
    const across = down([{ straightM: 11 }], { from: [205, 300], headingDeg: 90 });
    expect(play([across]).matches).toEqual([]);
    const legs = [45, -90, 90, -90].flatMap((turnDeg): Leg[] => [{ turnDeg, radiusM: 4 }, { straightM: 2 }]);
    expect(play([up(legs, { speedMps: 4 })]).matches).toEqual([]);
  });

  it('stays silent on who goes to and fro, although it ends up further back', () => {
    const toAndFro = [1, 2, 3, 4, 5, 6].flatMap((): Leg[] => [{ straightM: 4 }, { backM: 2.8 }]);
    const user = down(toAndFro, { speedMps: 3 });
    for (const fps of RATES) expect(play([user], { fps }).matches, `${fps} fps`).toEqual([]);
  });

  it('takes the smaller one of the angles in the picture and on the ground', () => {
    // allowed to the right; 115° off it on the ground, which the picture shows as 136°
    const sideways = { allowed: { from: [210, 250], to: [420, 250] } };
    const oblique = down([{ straightM: 20 }], { from: [420, 120], headingDeg: 90 + 115 });
    expect(play([oblique], { rule: sideways }).matches).toEqual([]);
    expect(play([oblique], { rule: { ...sideways, minAngleDeg: 105 } }).matches).toHaveLength(1);
  });

  describe('named exemptions', () => {
    it('reversing: who parks or is pushed back in its own way', () => {
      const park: Leg[] = [
        { straightM: 16 },
        { standMs: 1500 },
        { speedMps: 1.5 },
        { backM: 12 },
        { standMs: 2000 },
      ];
      for (const fps of RATES) {
        expect(play([up(park, { label: 'car', speedMps: 5 })], { fps }).matches, `${fps} fps`).toEqual([]);
      }
      const aslant: Leg[] = [
        { straightM: 16 },
        { standMs: 1500 },
        { speedMps: 1.5 },
        { turnDeg: 25, radiusM: 6 },
        { backM: 6 },
        { standMs: 500 },
      ];
      expect(play([up(aslant, { label: 'car', speedMps: 5 })]).matches).toEqual([]);
    });

    it('reversing: who pulls out backwards from where it stood', () => {
      const pull: Leg[] = [{ standMs: 3000 }, { backM: 12 }, { standMs: 500 }];
      expect(play([up(pull, { label: 'car', from: [320, 250], speedMps: 1.8 })]).matches).toEqual([]);
    });

    it('reversing does not cover who turned round, however slowly', () => {
      const legs: Leg[] = [{ straightM: 22 }, { turnDeg: 180, radiusM: 4 }, { straightM: 9 }];
      const user = up(legs, { label: 'car', from: [240, 430], speedMps: 2.4 });
      expect(play([user]).matches).toHaveLength(1);
    });

    it('reversing does not cover a long way or a high speed', () => {
      const long: Leg[] = [{ straightM: 24 }, { standMs: 1500 }, { speedMps: 2 }, { backM: 22 }];
      expect(play([up(long, { label: 'car', speedMps: 6 })]).matches).toHaveLength(1);
      const fast: Leg[] = [{ straightM: 24 }, { standMs: 1500 }, { speedMps: 5 }, { backM: 13 }];
      expect(play([up(fast, { label: 'car', speedMps: 6 })]).matches).toHaveLength(1);
    });

    it('walked: a two-wheeler that is pushed by hand, at any frame rate', () => {
      for (const label of ['bicycle', 'motorbike'] as const) {
        for (const fps of RATES) {
          const walked = down([{ straightM: 20 }], { label, speedMps: 1.3 });
          expect(play([walked], { fps }).matches, `${label} at ${fps} fps`).toEqual([]);
          const ridden = down([{ straightM: 20 }], { label, speedMps: 3 });
          expect(play([ridden], { fps }).matches, `${label} at ${fps} fps`).toHaveLength(1);
        }
      }
    });

    it('walked does not cover cars, nor where the scene says so', () => {
      const slow = { speedMps: 1.2 };
      expect(play([down([{ straightM: 20 }], { ...slow, label: 'car' })]).matches).toHaveLength(1);
      const walked = down([{ straightM: 20 }], slow);
      expect(play([walked], { rule: { walkedExempt: false } }).matches).toHaveLength(1);
    });
  });

  describe('what looks like it', () => {
    it('is silent on who stands, whatever the box jitters', () => {
      forAll(8, (random) => {
        const standing = up([{ standMs: 20_000 }], {
          from: [320, 300],
          label: random.next() < 0.5 ? 'car' : 'motorbike',
        });
        const fps = RATES[random.integer(0, 2)] ?? 25;
        expect(play([seeNoisily(standing, random)], { fps }).matches).toEqual([]);
      });
    });

    it('is silent on the lower edge of a box that creeps because a queue hides it', () => {
      const standing = up([{ standMs: 8000 }], { from: [320, 240], label: 'car' });
      const crept: ScriptedRoadUser = {
        ...standing,
        distort: (box, atMs) => {
          const [x1, y1, x2, y2] = standing.distort?.(box, atMs) ?? box;
          return [x1, y1, x2, y2 + 12 * (atMs / 1000)];
        },
      };
      expect(play([crept], { rule: { minTravelHeights: 0.3 } }).matches).toEqual([]);
    });

    it('is silent when the tracker hops back along a column again and again', () => {
      // each rides up for 0.5 s, then the number goes over to the next one, 9 m behind
      for (const fps of RATES) {
        const [column, speed] = [9 * 20 * Math.sin((25 * Math.PI) / 180), 8.45 * 4];
        const base = up([{ standMs: 5000 }], { from: [320, 120] });
        const hopping: ScriptedRoadUser = {
          ...base,
          distort: (box, atMs) => {
            const [x1, y1, x2, y2] = base.distort?.(box, atMs) ?? box;
            const hops = Math.floor(atMs / 500);
            const dy = hops * column - (speed * atMs) / 1000;
            return [x1, y1 + dy, x2, y2 + dy];
          },
        };
        expect(play([hopping], { fps }).matches, `${fps} fps`).toEqual([]);
      }
    });

    it('is silent when the number goes over to somebody on the other side of the street', () => {
      const own = up(FAR, { from: [300, 430], speedMps: 8, label: 'car' });
      const other = down(FAR, { from: [180, 180], speedMps: 8, label: 'car' });
      const swapped: ScriptedRoadUser = {
        ...own,
        distort: (box, atMs) => (atMs < 1800 ? own : other).distort?.(box, atMs) ?? box,
      };
      for (const fps of RATES) expect(play([swapped], { fps }).matches, `${fps} fps`).toEqual([]);
    });

    it('wants more heights of who is small and far away', () => {
      const view = { depressionDeg: 25, pxPerMetre: 5 };
      const zone = {
        name: 'street',
        polygon: [
          [300, 100],
          [340, 100],
          [340, 180],
          [300, 180],
        ],
      };
      const far = driveWay({
        label: 'motorbike',
        from: [320, 110],
        headingDeg: 180,
        speedMps: 6,
        legs: [{ straightM: 30 }],
        view,
      });
      const [match] = play([far], { zone }).matches;
      expect(match?.measures['travelErrorPx']).toBeGreaterThan(2);
      expect(match?.measures['travelHeights']).toBeGreaterThan(1.7);
    });

    it('is one case where the tracker gives the driver a new number', () => {
      const user = down(FAR, { from: [320, 80], speedMps: 6 });
      const parts = [
        { ...user, path: user.path.filter(({ atMs }) => atMs <= 2600) },
        { ...user, trackId: 8, path: user.path.filter(({ atMs }) => atMs >= 3000) },
      ];
      expect(play(parts).matches).toHaveLength(1);
      const second = { ...down(FAR, { from: [320, 80], startMs: 4000 }), trackId: 9 };
      expect(play([...parts, second]).matches).toHaveLength(2);
    });
  });

  it('looks only inside the zone, and only at whom the rule names', () => {
    expect(play([down(FAR, { from: [120, 100] })]).matches).toEqual([]);
    const short = {
      name: 'street',
      polygon: [
        [200, 200],
        [440, 200],
        [440, 240],
        [200, 240],
      ],
    };
    expect(play([down()], { zone: short }).matches).toEqual([]);
    expect(play([down()], { rule: { labels: ['car'] } }).matches).toEqual([]);
    expect(play([down()], { rule: { minDurationMs: 20_000 } }).matches).toEqual([]);
  });

  it('does not judge who is cut off by the edge of the picture', () => {
    const zone = {
      name: 'street',
      polygon: [
        [200, 40],
        [440, 40],
        [440, 560],
        [200, 560],
      ],
    };
    const leaving = up([{ standMs: 6000 }], { from: [320, 470], label: 'bus' });
    const cut: ScriptedRoadUser = {
      ...leaving,
      // its roof comes down while its wheels are below the picture
      distort: (_, atMs) => [260, 200 + atMs / 40, 380, 480],
    };
    expect(play([cut], { zone }).matches).toEqual([]);
  });

  it('holds under noise: wrong-way drivers are found, those who go along are not', () => {
    let [found, wrong] = [0, 0];
    forAll(24, (random) => {
      const fps = RATES[random.integer(0, 2)] ?? 25;
      const label = random.next() < 0.5 ? ('car' as const) : ('motorbike' as const);
      const speedMps = random.between(3, 9);
      const x = random.between(250, 390);
      found += play([seeNoisily(down(FAR, { label, speedMps, from: [x, 100] }), random)], { fps }).matches
        .length;
      wrong += play([seeNoisily(up(FAR, { label, speedMps, from: [x, 430] }), random)], { fps }).matches
        .length;
    });
    expect(wrong).toBe(0);
    expect(found).toBe(24);
  });
});
