import { describe, expect, it } from 'vitest';
import { aScene } from '../testing/builder.ts';
import { type DrivenWay, driveWay, type Leg, seeNoisily } from '../testing/driven-road-user.ts';
import { playScenario, type ScenarioOutcome } from '../testing/rule-scenario.ts';
import type { ScriptedRoadUser } from '../testing/scripted-road-user.ts';
import { forAll } from '../testing/seeded-random.ts';

/**
 * A crossroads of 32 m × 57 m. Who comes from below on the right half enters at y = 330; exits: left at x = 170, right at x = 520,
 * straight on at y = 120, and back down on the left half at y = 350.
 */
const TRIPWIRES = [
  {
    name: 'entry',
    points: [
      [300, 330],
      [460, 330],
    ],
    forwardTowards: [380, 200],
  },
  {
    name: 'left',
    points: [
      [170, 140],
      [170, 320],
    ],
    forwardTowards: [60, 230],
  },
  {
    name: 'right',
    points: [
      [520, 140],
      [520, 320],
    ],
    forwardTowards: [630, 230],
  },
  {
    name: 'ahead',
    points: [
      [300, 120],
      [460, 120],
    ],
    forwardTowards: [380, 20],
  },
  {
    name: 'back',
    points: [
      [180, 350],
      [296, 350],
    ],
    forwardTowards: [240, 460],
  },
];
const RATES = [6, 12.5, 25];
const TURNS: Readonly<Record<string, readonly Leg[]>> = {
  left: [{ straightM: 12 }, { turnDeg: -90, radiusM: 6 }, { straightM: 10 }],
  right: [{ straightM: 12 }, { turnDeg: 90, radiusM: 4 }, { straightM: 8 }],
  ahead: [{ straightM: 40 }],
  back: [{ straightM: 12 }, { turnDeg: -180, radiusM: 3.5 }, { straightM: 12 }],
};
const NAMES = { left: 'left', right: 'right', ahead: 'straight', back: 'u-turn' } as const;

function make(exit: string, more: Partial<DrivenWay> = {}) {
  const legs = TURNS[exit] ?? [];
  return driveWay({
    label: 'motorbike',
    from: [360, 420],
    headingDeg: 0,
    speedMps: exit === 'back' ? 4 : 6,
    legs,
    ...more,
  });
}

function play(
  users: readonly ScriptedRoadUser[],
  { exit = 'back', rule = {}, fps = 12.5 }: { exit?: string; rule?: object; fps?: number } = {},
): ScenarioOutcome {
  const turn = NAMES[exit as keyof typeof NAMES];
  const scene = aScene({
    tripwires: TRIPWIRES,
    rules: [{ name: 'turn', kind: 'FORBIDDEN_TURN', turn, entry: 'entry', exit, ...rule }],
  });
  const untilMs = Math.max(...users.map(({ path }) => path.at(-1)?.atMs ?? 0));
  const fromMs = Math.min(...users.map(({ path }) => path[0]?.atMs ?? 0));
  return playScenario({ scene, users, fps, fromMs, untilMs });
}

describe('forbidden turn', () => {
  it('fires once on the movement that is forbidden, and on no other', () => {
    for (const forbidden of Object.keys(TURNS)) {
      for (const made of Object.keys(TURNS)) {
        const { matches } = play([make(made)], { exit: forbidden });
        expect(matches.length, `${made} where ${forbidden} is forbidden`).toBe(made === forbidden ? 1 : 0);
      }
    }
  });

  it('says which turn, over which lines, with margin and error', () => {
    const [match] = play([make('back')]).matches;
    expect(match).toMatchObject({ rule: 'turn', kind: 'FORBIDDEN_TURN', trackId: 7, label: 'motorbike' });
    expect(match?.measures['marginPx']).toBeGreaterThan(match?.measures['errorPx'] ?? 0);
    expect(Math.abs(Math.abs(match?.measures['turnDeg'] ?? 0) - 180)).toBeLessThan(25);
    expect(match?.explanation.en).toMatch(
      /made a U-turn where that is forbidden: over "entry" and out over "back" \d\.\d s later/,
    );
    expect(match?.explanation.vi).toMatch(/quay đầu nơi cấm: qua "entry" rồi ra "back" sau \d,\d giây/);
    expect(play([make('left')], { exit: 'left' }).matches[0]?.measures['turnDeg']).toBeLessThan(-60);
    expect(play([make('right')], { exit: 'right' }).matches[0]?.measures['turnDeg']).toBeGreaterThan(60);
  });

  it('fires on cars and buses too', () => {
    for (const label of ['car', 'bus'] as const) {
      const legs = [{ straightM: 14 }, { turnDeg: -90, radiusM: 8 }, { straightM: 14 }];
      const user = make('left', { label, legs, from: [370, 440] });
      expect(play([user], { exit: 'left' }).matches, label).toHaveLength(1);
    }
  });

  it('tells the instant between the frames: the same at 6, 12.5 and 25 frames a second', () => {
    for (const exit of Object.keys(TURNS)) {
      const instants = RATES.map((fps) => {
        const { matches } = play([make(exit)], { exit, fps });
        expect(matches, `${exit} at ${fps}`).toHaveLength(1);
        return matches[0]?.measures['crossedAtMediaMs'] ?? 0;
      });
      expect(Math.max(...instants) - Math.min(...instants), exit).toBeLessThan(100);
    }
  });

  it('waits for who stands in the junction, up to the limit of the rule', () => {
    const waiting = make('left', {
      legs: [{ straightM: 12 }, { standMs: 25_000 }, { turnDeg: -90, radiusM: 6 }, { straightM: 10 }],
    });
    expect(play([waiting], { exit: 'left', fps: 25 }).matches).toHaveLength(1);
    expect(play([waiting], { exit: 'left', rule: { maxDurationMs: 20_000 } }).matches).toEqual([]);
  });

  it('never fires on who is first seen beyond the entry, nor on who came from elsewhere', () => {
    const user = make('back');
    const since = user.path.find(({ rear: [, y] }) => y < 320)?.atMs ?? 0;
    expect(play([{ ...user, path: user.path.filter(({ atMs }) => atMs >= since) }]).matches).toEqual([]);
    const fromRight = make('left', { from: [600, 230], headingDeg: -90, legs: [{ straightM: 26 }] });
    expect(play([fromRight], { exit: 'left' }).matches).toEqual([]);
    const beside = make('left', {
      from: [250, 420],
      legs: [{ straightM: 12 }, { turnDeg: -90, radiusM: 4 }, { straightM: 6 }],
    });
    expect(play([beside], { exit: 'left' }).matches).toEqual([]);
  });

  it('does not take who backs out of the junction for one who entered it', () => {
    const away: readonly Leg[] = [{ turnDeg: -45, radiusM: 3 }, { speedMps: 5 }, { straightM: 16 }];
    const out: readonly Leg[] = [{ standMs: 500 }, { speedMps: 2 }, { backM: 8 }, { standMs: 500 }];
    const backing = make('left', { legs: [{ straightM: 12 }, ...out, ...away] });
    const [left] = backing.path.filter(({ rear: [x] }) => x <= 170);
    expect(left?.rear[1]).toBeLessThan(315);
    expect(play([backing], { exit: 'left' }).matches).toEqual([]);
    // the same way out of the junction without backing out of it first
    const direct = make('left', { legs: [{ straightM: 14 }, ...away] });
    expect(play([direct], { exit: 'left' }).matches).toHaveLength(1);
  });

  it('does not fire on who comes up to the exit and stays before it', () => {
    const legs = [{ straightM: 12 }, { turnDeg: -90, radiusM: 6 }, { straightM: 1 }, { standMs: 4000 }];
    const user = make('left', { legs });
    expect(user.path.at(-1)?.rear[0]).toBeGreaterThan(170);
    expect(play([user], { exit: 'left' }).matches).toEqual([]);
  });

  it('does not fire where the tracker goes over to somebody who comes the other way', () => {
    const own = make('ahead');
    const oncoming = make('ahead', { from: [330, 130], headingDeg: 180, legs: [{ straightM: 26 }] });
    const swapMs = 2600;
    const swapped: ScriptedRoadUser = {
      ...own,
      distort: (box, atMs) => (atMs < swapMs ? own : oncoming).distort?.(box, atMs) ?? box,
    };
    const tripwires = TRIPWIRES.map((one) =>
      one.name === 'back'
        ? {
            ...one,
            points: [
              [180, 350],
              [360, 350],
            ],
          }
        : one,
    );
    for (const fps of RATES) {
      const scene = aScene({
        tripwires,
        rules: [{ name: 'turn', kind: 'FORBIDDEN_TURN', turn: 'u-turn', entry: 'entry', exit: 'back' }],
      });
      const { matches } = playScenario({ scene, users: [swapped], fps, untilMs: 4300 });
      expect(matches, `${fps} fps`).toEqual([]);
    }
  });

  it('does not fire where the way taken is not the turn that the rule names', () => {
    expect(play([make('right')], { exit: 'right', rule: { turn: 'left' } }).matches).toEqual([]);
    expect(play([make('left')], { exit: 'left', rule: { turn: 'right' } }).matches).toEqual([]);
    expect(play([make('left')], { exit: 'left', rule: { turn: 'u-turn' } }).matches).toEqual([]);
    expect(play([make('back')], { exit: 'back', rule: { turn: 'straight' } }).matches).toEqual([]);
  });

  it('looks only at the road users that the rule names', () => {
    expect(play([make('back')], { rule: { labels: ['car'] } }).matches).toEqual([]);
  });

  it('holds under noise: forbidden turns are found, the others are not', () => {
    let [found, made, wrong] = [0, 0, 0];
    forAll(24, (random) => {
      const exits = Object.keys(TURNS);
      const exit = exits[random.integer(0, 3)] ?? 'left';
      const forbidden = exits[random.integer(0, 3)] ?? 'left';
      const user = make(exit, {
        from: [random.between(340, 380), 420],
        speedMps: random.between(2.5, exit === 'ahead' ? 10 : 4.5),
      });
      const { matches } = play([seeNoisily(user, random)], {
        exit: forbidden,
        fps: RATES[random.integer(0, 2)] ?? 25,
      });
      if (exit === forbidden) {
        made += 1;
        found += matches.length;
      } else wrong += matches.length;
    });
    expect(wrong).toBe(0);
    expect(made).toBeGreaterThan(3);
    expect(found).toBe(made);
  });
});
