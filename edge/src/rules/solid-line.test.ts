import { describe, expect, it } from 'vitest';
import { aScene } from '../testing/builder.ts';
import { type DrivenWay, driveWay, seeNoisily } from '../testing/driven-road-user.ts';
import { playScenario, type ScenarioOutcome } from '../testing/rule-scenario.ts';
import type { ScriptedRoadUser } from '../testing/scripted-road-user.ts';
import { forAll } from '../testing/seeded-random.ts';

/** The line runs up the picture at x = 320 from y = 440 to y = 60: 45 m of road at 20 px/m; forward is to the right. */
const LINE = {
  name: 'centre-line',
  points: [
    [320, 440],
    [320, 60],
  ],
  forwardTowards: [500, 250],
};
const RULE = { name: 'solid', kind: 'SOLID_LINE', line: 'centre-line' };
const RATES = [6, 12.5, 25];

function play(
  users: readonly ScriptedRoadUser[],
  { rule = {}, fps = 12.5 }: { rule?: object; fps?: number } = {},
): ScenarioOutcome {
  const untilMs = Math.max(...users.map(({ path }) => path.at(-1)?.atMs ?? 0));
  const scene = aScene({ tripwires: [LINE], rules: [{ ...RULE, ...rule }] });
  return playScenario({ scene, users, fps, untilMs });
}

/** Up the picture, 2 m left of the line (a car's right wheels are 1.1 m from it), then `asideM` to the right and on. */
function changeLane(label: DrivenWay['label'], asideM: number, more: Partial<DrivenWay> = {}) {
  const [radiusM, cos] = [12, 1 - asideM / 24];
  const turnDeg = (Math.acos(cos) * 180) / Math.PI;
  const legs = [{ straightM: 8 }, { turnDeg, radiusM }, { turnDeg: -turnDeg, radiusM }, { straightM: 12 }];
  return driveWay({ label, from: [280, 420], headingDeg: 0, speedMps: 7, legs, ...more });
}

describe('solid line', () => {
  it('fires once on who changes over it with all wheels, with margin and error', () => {
    for (const label of ['motorbike', 'car', 'bus'] as const) {
      const { matches } = play([changeLane(label, 4.5)]);
      expect(matches, label).toHaveLength(1);
      const [match] = matches;
      expect(match).toMatchObject({ rule: 'solid', kind: 'SOLID_LINE', trackId: 7, label });
      expect(match?.measures['marginPx']).toBeGreaterThan(match?.measures['errorPx'] ?? 0);
      expect(match?.explanation.en).toMatch(
        /crossed solid line "centre-line" with all wheels; the wheel nearest to the line was \d+ px beyond it, error ±\d+ px/,
      );
      expect(match?.explanation.vi).toMatch(/vượt hẳn qua vạch liền "centre-line" bằng tất cả các bánh/);
    }
  });

  it('tells the instant between the frames: the same at 6, 12.5 and 25 frames a second', () => {
    for (const label of ['motorbike', 'car'] as const) {
      const instants = RATES.map((fps) => {
        const { matches } = play([changeLane(label, 4.5)], { fps });
        expect(matches, `${label} at ${fps}`).toHaveLength(1);
        return matches[0]?.measures['crossedAtMediaMs'] ?? 0;
      });
      expect(Math.max(...instants) - Math.min(...instants), label).toBeLessThan(100);
    }
  });

  it('puts the crossing of a motorbike where its wheels were on the line', () => {
    const user = changeLane('motorbike', 4.5);
    const truth = user.path.find(({ rear: [x] }) => x >= 320)?.atMs ?? 0;
    const crossed = play([user]).matches[0]?.measures['crossedAtMediaMs'] ?? 0;
    expect(Math.abs(crossed - truth)).toBeLessThan(150);
  });

  it('does not fire on one pair of wheels, a mirror, or who swerves back', () => {
    // the middle of the car comes to stand on the line
    expect(play([changeLane('car', 2)]).matches).toEqual([]);
    // its right wheels come to 0.1 m before the line
    expect(play([changeLane('car', 1)]).matches).toEqual([]);
    const turnDeg = 24;
    const swerve = [
      { turnDeg, radiusM: 12 },
      { turnDeg: -2 * turnDeg, radiusM: 12 },
      { turnDeg, radiusM: 12 },
    ];
    const legs = [{ straightM: 8 }, ...swerve, { straightM: 10 }];
    const user = driveWay({ label: 'car', from: [290, 420], headingDeg: 0, speedMps: 7, legs });
    expect(Math.max(...user.path.map(({ rear: [x] }) => x))).toBeGreaterThan(322);
    expect(play([user]).matches).toEqual([]);
  });

  it('does not take a load that hangs over for wheels', () => {
    const user = driveWay({
      label: 'motorbike',
      from: [308, 420],
      headingDeg: 0,
      speedMps: 6,
      legs: [{ straightM: 30 }],
    });
    const loaded: ScriptedRoadUser = {
      ...user,
      distort: (box, atMs) => {
        const [x1, y1, x2, y2] = user.distort?.(box, atMs) ?? box;
        return atMs > 1500 ? [x1 - 10, y1, x2 + 10, y2] : [x1, y1, x2, y2];
      },
    };
    expect(play([loaded]).matches).toEqual([]);
  });

  it('takes overtaking over the line, out and back, for one case', () => {
    const out = (Math.acos(1 - 4.5 / 24) * 180) / Math.PI;
    const bend = (sign: number) => [
      { turnDeg: sign * out, radiusM: 12 },
      { turnDeg: -sign * out, radiusM: 12 },
    ];
    const legs = [{ straightM: 3 }, ...bend(1), { straightM: 6 }, ...bend(-1), { straightM: 6 }];
    const user = driveWay({ label: 'motorbike', from: [280, 430], headingDeg: 0, speedMps: 6, legs });
    expect(play([user]).matches).toHaveLength(1);
    expect(play([user], { rule: { cooldownMs: 0 } }).matches).toHaveLength(2);
  });

  it('lets pass from the side where it may be crossed', () => {
    const user = changeLane('car', 4.5);
    expect(play([user], { rule: { direction: 'forward' } }).matches).toHaveLength(1);
    expect(play([user], { rule: { direction: 'backward' } }).matches).toEqual([]);
    expect(play([user], { rule: { labels: ['bus'] } }).matches).toEqual([]);
  });

  it('does not fire beside the ends of the line, nor where only a part of the vehicle passes between them', () => {
    const short = {
      ...LINE,
      points: [
        [320, 200],
        [320, 60],
      ],
    };
    const scene = aScene({ tripwires: [short], rules: [RULE] });
    const user = changeLane('car', 4.5);
    expect(playScenario({ scene, users: [user], untilMs: user.endMs }).matches).toEqual([]);
  });

  it('never fires on who is first seen on the line or beyond it', () => {
    const user = changeLane('car', 4.5);
    const astrideMs = user.path.find(({ rear: [x] }) => x >= 310)?.atMs ?? 0;
    const late = { ...user, path: user.path.filter(({ atMs }) => atMs >= astrideMs) };
    expect(
      playScenario({
        scene: aScene({ tripwires: [LINE], rules: [RULE] }),
        users: [late],
        fromMs: astrideMs,
        untilMs: user.endMs,
      }).matches,
    ).toEqual([]);
  });

  it('does not fire where the tracker goes over to somebody on the other side', () => {
    const own = driveWay({
      label: 'car',
      from: [280, 420],
      headingDeg: 0,
      speedMps: 8,
      legs: [{ straightM: 32 }],
    });
    const other = driveWay({
      label: 'car',
      from: [360, 190],
      headingDeg: 180,
      speedMps: 8,
      legs: [{ straightM: 24 }],
    });
    const swapped: ScriptedRoadUser = {
      ...own,
      distort: (box, atMs) => (atMs < 1400 ? own : other).distort?.(box, atMs) ?? box,
    };
    for (const fps of RATES) expect(play([swapped], { fps }).matches, `${fps}`).toEqual([]);
  });

  it('does not fire on who came to the other side while nobody saw it', () => {
    const user = driveWay({
      label: 'car',
      from: [120, 250],
      headingDeg: 90,
      speedMps: 11,
      legs: [{ straightM: 18 }],
    });
    const frontAtMs = user.path.find(({ rear: [x] }) => x >= 320 - 4.6 * 20)?.atMs ?? 0;
    const rearAtMs = user.path.find(({ rear: [x] }) => x >= 324)?.atMs ?? 0;
    const unseen = { ...user, seen: (atMs: number) => atMs < frontAtMs || atMs > rearAtMs };
    expect(rearAtMs - frontAtMs).toBeLessThan(600);
    expect(play([user], { fps: 25 }).matches).toHaveLength(1);
    expect(play([unseen], { fps: 25 }).matches).toEqual([]);
  });

  it('takes one road user under a new number for the same case', () => {
    const user = changeLane('car', 4.5);
    const breakMs = (user.path.find(({ rear: [x] }) => x >= 350)?.atMs ?? 0) + 700;
    const back = (Math.acos(1 - 4.5 / 24) * 180) / Math.PI;
    const whole = driveWay({
      label: 'car',
      from: [280, 430],
      headingDeg: 0,
      speedMps: 7,
      legs: [
        { straightM: 3 },
        { turnDeg: back, radiusM: 12 },
        { turnDeg: -back, radiusM: 12 },
        { straightM: 8 },
        { turnDeg: -back, radiusM: 12 },
        { turnDeg: back, radiusM: 12 },
        { straightM: 5 },
      ],
    });
    const parts = [
      { ...whole, path: whole.path.filter(({ atMs }) => atMs <= breakMs) },
      { ...whole, trackId: 8, path: whole.path.filter(({ atMs }) => atMs >= breakMs + 300) },
    ];
    expect(play(parts).matches).toHaveLength(1);
  });

  it('holds under noise: crossings are found, driving along the line is not', () => {
    let [found, wrong] = [0, 0];
    forAll(30, (random) => {
      const label = random.next() < 0.5 ? ('car' as const) : ('motorbike' as const);
      const fps = RATES[random.integer(0, 2)] ?? 12.5;
      const crossing = seeNoisily(changeLane(label, random.between(4.2, 5)), random);
      found += play([crossing], { fps }).matches.length;
      const beside = driveWay({
        label,
        from: [320 - random.between(label === 'car' ? 19 : 6, 60), 430],
        headingDeg: 0,
        speedMps: random.between(2, 10),
        legs: [{ straightM: 35 }],
      });
      wrong += play([seeNoisily(beside, random)], { fps }).matches.length;
      const astride = driveWay({
        label: 'car',
        from: [random.between(308, 332), 430],
        headingDeg: 0,
        speedMps: random.between(2, 10),
        legs: [{ straightM: 35 }],
      });
      wrong += play([seeNoisily(astride, random)], { fps }).matches.length;
    });
    expect(wrong).toBe(0);
    expect(found).toBeGreaterThanOrEqual(28);
    expect(found).toBeLessThanOrEqual(30);
  });
});
