import { describe, expect, it } from 'vitest';
import { aScene } from '../testing/builder.ts';
import { type DrivenWay, driveWay, type Leg, seeNoisily } from '../testing/driven-road-user.ts';
import { playScenario, type ScenarioOutcome } from '../testing/rule-scenario.ts';
import type { ScriptedRoadUser } from '../testing/scripted-road-user.ts';
import { forAll } from '../testing/seeded-random.ts';

/** Two lanes of 3.5 m side by side, from y = 440 up to the stop line at y = 330; the junction lies above it. */
const ZONES = [
  {
    name: 'left-lane',
    polygon: [
      [250, 330],
      [320, 330],
      [320, 440],
      [250, 440],
    ],
  },
  {
    name: 'right-lane',
    polygon: [
      [320, 330],
      [390, 330],
      [390, 440],
      [320, 440],
    ],
  },
];
const TRIPWIRES = [
  {
    name: 'right',
    points: [
      [500, 160],
      [500, 330],
    ],
    forwardTowards: [630, 230],
  },
  {
    name: 'ahead',
    points: [
      [240, 120],
      [400, 120],
    ],
    forwardTowards: [320, 20],
  },
];
const LEFT = { name: 'left-ahead-only', kind: 'LANE_TURN', lane: 'left-lane', exits: ['right'] };
const RIGHT = { name: 'right-turn-only', kind: 'LANE_TURN', lane: 'right-lane', exits: ['ahead'] };
const RATES = [6, 12.5, 25];
const AHEAD: readonly Leg[] = [{ straightM: 40 }];
const TO_THE_RIGHT: readonly Leg[] = [{ straightM: 12 }, { turnDeg: 90, radiusM: 6 }, { straightM: 12 }];

function come(laneX: number, legs: readonly Leg[], more: Partial<DrivenWay> = {}) {
  return driveWay({ label: 'car', from: [laneX, 430], headingDeg: 0, speedMps: 6, legs, ...more });
}

function play(
  users: readonly ScriptedRoadUser[],
  { rules = [LEFT, RIGHT], fps = 12.5 }: { rules?: readonly object[]; fps?: number } = {},
): ScenarioOutcome {
  const untilMs = Math.max(...users.map(({ path }) => path.at(-1)?.atMs ?? 0));
  const fromMs = Math.min(...users.map(({ path }) => path[0]?.atMs ?? 0));
  return playScenario({
    scene: aScene({ zones: ZONES, tripwires: TRIPWIRES, rules }),
    users,
    fps,
    fromMs,
    untilMs,
  });
}

describe('turn from the wrong lane', () => {
  it('fires once on the movement that the lane does not allow', () => {
    const { matches } = play([come(285, TO_THE_RIGHT)]);
    expect(matches).toHaveLength(1);
    const [match] = matches;
    expect(match).toMatchObject({ rule: 'left-ahead-only', kind: 'LANE', trackId: 7, label: 'car' });
    expect(match?.measures['marginPx']).toBeGreaterThan(match?.measures['errorPx'] ?? 0);
    expect(match?.measures['laneMarginPx']).toBeGreaterThan(match?.measures['laneErrorPx'] ?? 0);
    expect(match?.explanation.en).toMatch(
      /left lane "left-lane" \(\d+ px inside it, error ±\d+ px\) and went out over "right" \d+\.\d s later/,
    );
    expect(match?.explanation.vi).toMatch(/đi từ làn "left-lane" .* ra "right" sau \d+,\d giây/);
    expect(play([come(355, AHEAD)]).matches).toMatchObject([{ rule: 'right-turn-only' }]);
    expect(play([come(355, AHEAD, { label: 'motorbike' })]).matches).toHaveLength(1);
  });

  it('stays silent on what the lanes allow', () => {
    expect(play([come(285, AHEAD)]).matches).toEqual([]);
    expect(play([come(355, TO_THE_RIGHT)]).matches).toEqual([]);
  });

  it('tells the same at 6, 12.5 and 25 frames a second', () => {
    const instants = RATES.map((fps) => {
      const { matches } = play([come(285, TO_THE_RIGHT)], { fps });
      expect(matches, `${fps} fps`).toHaveLength(1);
      return matches[0]?.measures['crossedAtMediaMs'] ?? 0;
    });
    expect(Math.max(...instants) - Math.min(...instants)).toBeLessThan(100);
  });

  it('lets go who changes in time into the lane for the movement', () => {
    // over to the right lane within it, then right
    const turnDeg = 34;
    const change = [
      { turnDeg, radiusM: 10 },
      { turnDeg: -turnDeg, radiusM: 10 },
    ];
    const legs = [...change, { straightM: 5 }, { turnDeg: 90, radiusM: 6 }, { straightM: 10 }];
    const user = come(285, legs, { from: [285, 445], label: 'motorbike' });
    expect(user.path.some(({ rear: [x, y] }) => x > 345 && y > 340)).toBe(true);
    expect(play([user]).matches).toEqual([]);
  });

  it('does not fire where the lane is in doubt', () => {
    // astride the line between the lanes
    expect(play([come(320, TO_THE_RIGHT)]).matches).toEqual([]);
    expect(play([come(320, AHEAD)]).matches).toEqual([]);
    // its left wheels are 0.1 m inside the lane
    expect(play([come(340, AHEAD)]).matches).toEqual([]);
  });

  it('never fires on who is first seen past the lane', () => {
    const user = come(285, TO_THE_RIGHT);
    const since = user.path.find(({ rear: [, y] }) => y < 335)?.atMs ?? 0;
    expect(play([{ ...user, path: user.path.filter(({ atMs }) => atMs >= since) }]).matches).toEqual([]);
  });

  it('waits at a light as long as the rule says', () => {
    const legs: readonly Leg[] = [
      { straightM: 6 },
      { standMs: 30_000 },
      ...TO_THE_RIGHT.slice(0, 2),
      { straightM: 8 },
    ];
    expect(play([come(285, legs)]).matches).toHaveLength(1);
    const slow: readonly Leg[] = [
      { straightM: 12 },
      { standMs: 25_000 },
      { turnDeg: 90, radiusM: 6 },
      { straightM: 12 },
    ];
    expect(play([come(285, slow)]).matches).toEqual([]);
    expect(play([come(285, slow)], { rules: [{ ...LEFT, maxDurationMs: 40_000 }] }).matches).toHaveLength(1);
  });

  it('looks only at the road users that the rule names', () => {
    expect(play([come(285, TO_THE_RIGHT)], { rules: [{ ...LEFT, labels: ['bus'] }] }).matches).toEqual([]);
  });

  it('holds under noise: wrong movements are found, right ones are not', () => {
    let [found, made, wrong] = [0, 0, 0];
    forAll(24, (random) => {
      const fps = RATES[random.integer(0, 2)] ?? 25;
      const isRight = random.next() < 0.5;
      const laneX = random.next() < 0.5 ? 285 : 355;
      const user = come(laneX, isRight ? TO_THE_RIGHT : AHEAD, { speedMps: random.between(3, 9) });
      const { matches } = play([seeNoisily(user, random)], { fps });
      if (isRight === (laneX === 285)) {
        made += 1;
        found += matches.length;
      } else wrong += matches.length;
    });
    expect(wrong).toBe(0);
    expect(found).toBe(made);
    expect(made).toBeGreaterThan(5);
  });
});
