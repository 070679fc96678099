import { describe, expect, it } from 'vitest';
import type { Point } from '../geometry/box.ts';
import { aScene } from '../testing/builder.ts';
import { playScenario, type ScenarioOutcome, type ScriptedSignal } from '../testing/rule-scenario.ts';
import type { ScriptedRoadUser } from '../testing/scripted-road-user.ts';
import { forAll } from '../testing/seeded-random.ts';

const RULE = { name: 'red-light', kind: 'RED_LIGHT', stopLine: 'stop-line', signal: 'main' };

/** Rides up the picture at 85 px/s: front over the line at y = 300 at 1509 ms, rear at 1882 ms. */
const RIDER: ScriptedRoadUser = {
  trackId: 7,
  label: 'motorbike',
  path: [
    { atMs: 0, rear: [320, 460] },
    { atMs: 4000, rear: [320, 120] },
  ],
};
const REAR_CROSSES_MS = 1882;
const RED_AT_1000: ScriptedSignal = [
  { state: 'green', sinceMs: -20_000 },
  { state: 'red', sinceMs: 1000 },
];

const RED_THROUGHOUT: ScriptedSignal = [
  { state: 'amber', sinceMs: -12_000 },
  { state: 'red', sinceMs: -9000 },
];

interface Variant {
  readonly user?: Partial<ScriptedRoadUser>;
  readonly rule?: Readonly<Record<string, unknown>>;
  readonly scene?: Readonly<Record<string, unknown>>;
  readonly signal?: ScriptedSignal;
  readonly fps?: number;
  readonly untilMs?: number;
}

/** What a case was let pass for; undefined where it was flagged. */
const reasons = ({ matches }: ScenarioOutcome) => matches.map(({ letPass }) => letPass?.reason);

function ride({
  user,
  rule,
  scene,
  signal = RED_AT_1000,
  fps = 12.5,
  untilMs = 4000,
}: Variant = {}): ScenarioOutcome {
  return playScenario({
    scene: aScene({ rules: [{ ...RULE, ...rule }], ...scene }),
    users: [{ ...RIDER, ...user }],
    signal,
    fps,
    untilMs,
  });
}

const path = (...waypoints: [atMs: number, ...rear: Point][]) =>
  waypoints.map(([atMs, x, y]) => ({ atMs, rear: [x, y] as const }));

describe('red light: fires', () => {
  it('once, at the first frame with the rear beyond the line', () => {
    const { matches } = ride();
    expect(matches).toHaveLength(1);
    expect(matches[0]).toMatchObject({
      rule: 'red-light',
      kind: 'RED_LIGHT',
      trackId: 7,
      label: 'motorbike',
      observation: { frame: { index: 24, mediaTimeMs: 1920 } },
      signal: { state: 'red', confidence: 0.9 },
    });
    const [match] = matches;
    expect(match?.observation.box[3]).toBeCloseTo(460 - 0.085 * 1920, 6);
    expect(match?.signal?.sinceMs).toBeCloseTo(REAR_CROSSES_MS - 1000, -1);
    expect(match?.measures['crossedAtMediaMs']).toBeCloseTo(REAR_CROSSES_MS, -1);
    expect(match?.sureAtMs).toBeLessThan(2400);
  });

  it('explains in both languages who, where, since when and how sure', () => {
    const text = ride().matches[0]?.explanation;
    expect(text?.en).toMatch(
      /Motorbike \(track 7\) passed stop line "stop-line" .* 0\.9 s after signal "main" turned red/,
    );
    expect(text?.en).toMatch(/\d+ px beyond the line, error ±\d+ px/);
    expect(text?.vi).toMatch(/Xe máy \(số hiệu 7\) vượt vạch dừng "stop-line".*0,9 giây/);
  });

  it('for the same crossing at the same instant at 6, 12.5 and 25 frames a second', () => {
    for (const fps of [6, 12.5, 25]) {
      const { matches } = ride({ fps });
      expect(matches, `${fps} fps`).toHaveLength(1);
      const frameMs = 1000 / fps;
      const decisiveMs = matches[0]?.observation.frame.mediaTimeMs ?? 0;
      expect(decisiveMs - REAR_CROSSES_MS, `${fps} fps`).toBeGreaterThanOrEqual(0);
      expect(decisiveMs - REAR_CROSSES_MS, `${fps} fps`).toBeLessThan(frameMs);
      expect(matches[0]?.measures['crossedAtMediaMs'], `${fps} fps`).toBeCloseTo(REAR_CROSSES_MS, -1);
    }
  });

  it('where red stood already when the lamp was first read, and says "at least"', () => {
    const { matches } = ride({ signal: [{ state: 'red', sinceMs: 1800 }] });
    expect(matches).toHaveLength(1);
    expect(matches[0]?.explanation.en).toContain('at least 0.1 s');
    expect(matches[0]?.explanation.vi).toContain('ít nhất 0,1 giây');
  });

  it('where the light turned green right after the crossing', () => {
    const { matches } = ride({ signal: [...RED_AT_1000, { state: 'green', sinceMs: 1950 }] });
    expect(matches).toHaveLength(1);
    expect(matches[0]?.signal?.state).toBe('red');
  });

  it('on who drives towards the camera', () => {
    const down = {
      name: 'stop-line',
      points: [
        [100, 300],
        [540, 300],
      ],
      forwardTowards: [320, 470],
    };
    for (const label of ['motorbike', 'car'] as const) {
      const { matches } = ride({
        scene: { tripwires: [down] },
        user: { label, path: path([0, 320, 140], [4000, 320, 480]) },
        signal: RED_THROUGHOUT,
      });
      expect(matches, label).toHaveLength(1);
      // the rear is inferred from the front: late rather than early, by less than 20 px
      const crossedAtMs = matches[0]?.measures['crossedAtMediaMs'] ?? 0;
      expect(crossedAtMs, label).toBeGreaterThan(REAR_CROSSES_MS - 60);
      expect(crossedAtMs, label).toBeLessThan(REAR_CROSSES_MS + 240);
    }
  });

  it('on each of two who cross side by side', () => {
    const { matches } = playScenario({
      scene: aScene({ rules: [RULE] }),
      users: [RIDER, { ...RIDER, trackId: 8, label: 'car', path: path([0, 440, 460], [4000, 440, 120]) }],
      signal: RED_THROUGHOUT,
      untilMs: 4000,
    });
    expect(matches.map(({ trackId }) => trackId).sort()).toEqual([7, 8]);
  });

  it('across a short gap in the sights', () => {
    const { matches } = ride({ user: { seen: (atMs) => atMs < 1750 || atMs > 2100 } });
    expect(matches).toHaveLength(1);
    expect(matches[0]?.measures['crossedAtMediaMs']).toBeCloseTo(REAR_CROSSES_MS, -1);
  });

  it('on a slanted line too, where the rider comes along the arrow of the scene', () => {
    const slanted = {
      name: 'stop-line',
      points: [
        [100, 330],
        [540, 270],
      ],
      forwardTowards: [320, 100],
    };
    const approach = { from: [320, 460], to: [320, 200] };
    expect(ride({ scene: { tripwires: [slanted] }, rule: { approach } }).matches).toHaveLength(1);
  });

  it('exactly once on red and never on green, for any lane, speed, start and frame rate', () => {
    forAll(60, (random) => {
      const [x, speed] = [random.between(150, 490), random.between(40, 200)];
      const label = (['motorbike', 'car', 'bicycle'] as const)[random.integer(0, 2)] ?? 'car';
      const begin = random.between(0, 200);
      const durationMs = (300 / speed) * 1000;
      const user = {
        label,
        path: path([begin, x, 440], [begin + durationMs, x + random.between(-40, 40), 140]),
        distort: ([x1, y1, x2, y2]: readonly [number, number, number, number]) => {
          const shake = () => 0.6 * random.gaussian();
          return [x1 + shake(), y1 + shake(), x2 + shake(), y2 + shake()] as const;
        },
      };
      const played = { user, fps: random.between(8, 25), untilMs: begin + durationMs };
      expect(ride({ ...played, signal: [{ state: 'red', sinceMs: -9000 }] }).matches).toHaveLength(1);
      expect(ride({ ...played, signal: [{ state: 'green', sinceMs: -9000 }] }).matches).toEqual([]);
    });
  });
});

describe('red light: stays silent', () => {
  it.each(['green', 'amber'] as const)('on %s', (state) => {
    const signal: ScriptedSignal = [
      { state: 'red', sinceMs: -20_000 },
      { state, sinceMs: 1000 },
    ];
    expect(ride({ signal }).matches).toEqual([]);
  });

  it.each(['off', 'unknown'] as const)('on a lamp that is %s and was not red before', (state) => {
    const signal: ScriptedSignal = [
      { state: 'green', sinceMs: -20_000 },
      { state, sinceMs: 1000 },
    ];
    expect(ride({ signal }).matches).toEqual([]);
    expect(ride({ signal: [{ state, sinceMs: -9000 }] }).matches).toEqual([]);
  });

  it('where the lamp was never read', () => {
    expect(ride({ signal: [] }).matches).toEqual([]);
  });

  it('where red comes right after the crossing', () => {
    expect(
      ride({
        signal: [
          { state: 'amber', sinceMs: -900 },
          { state: 'red', sinceMs: 1900 },
        ],
      }).matches,
    ).toEqual([]);
  });

  it('where the front was over the line before red came', () => {
    const onsetAt = (sinceMs: number): ScriptedSignal => [
      { state: 'amber', sinceMs: -900 },
      { state: 'red', sinceMs },
    ];
    expect(ride({ rule: { graceMs: 0 }, signal: onsetAt(1600) }).matches).toEqual([]);
    expect(ride({ rule: { graceMs: 0 }, signal: onsetAt(1400) }).matches).toHaveLength(1);
  });

  it('where it stood across the line when red came and then drove on', () => {
    const { matches } = ride({
      user: { path: path([0, 320, 460], [1200, 320, 312], [3200, 320, 312], [5200, 320, 142]) },
      signal: [
        { state: 'green', sinceMs: -9000 },
        { state: 'red', sinceMs: 2000 },
      ],
      untilMs: 5200,
    });
    expect(matches).toEqual([]);
  });

  it('on who is first seen beyond the line, or only once before it', () => {
    expect(ride({ user: { path: path([1900, 320, 299], [4000, 320, 120]) } }).matches).toEqual([]);
    expect(ride({ user: { path: path([1800, 320, 307], [4000, 320, 120]) } }).matches).toEqual([]);
  });

  it('on who rolls onto the line and back', () => {
    const { matches } = ride({ user: { path: path([0, 320, 460], [1900, 320, 298.5], [3900, 320, 460]) } });
    expect(matches).toEqual([]);
  });

  it('on who waits with the wheels at the line, whatever the box jitters', () => {
    forAll(20, (random) => {
      const { matches } = ride({
        user: {
          path: path([0, 320, 460], [1500, 320, 303], [8000, 320, 303]),
          distort: ([x1, y1, x2, y2]) => [x1, y1 + random.gaussian(), x2, y2 + random.gaussian()],
        },
        untilMs: 8000,
      });
      expect(matches).toEqual([]);
    });
  });

  it('on who passes beside the end of the line', () => {
    expect(ride({ user: { path: path([0, 590, 460], [4000, 590, 120]) } }).matches).toEqual([]);
    const sideways = path([0, 420, 312], [4000, 636, 280]);
    expect(ride({ user: { path: sideways } }).matches).toEqual([]);
  });

  it('on who drives along the line and drifts over it', () => {
    const along = { user: { path: path([0, 130, 312], [4000, 500, 285]) }, signal: RED_THROUGHOUT };
    expect(ride(along).matches).toEqual([]);
    // the same place and speed across the line, but straight up, is a crossing
    const across = { user: { path: path([0, 320, 330], [4000, 320, 285]) }, signal: RED_THROUGHOUT };
    expect(ride(across).matches).toHaveLength(1);
  });

  it('on who stands while its box jumps over the line and back', () => {
    const { matches } = ride({
      user: {
        path: path([0, 320, 400], [1000, 320, 312], [4000, 320, 312]),
        distort: ([x1, y1, x2, y2], atMs) => {
          const jump = atMs > 1500 && Math.round(atMs / 80) % 3 === 0 ? 25 : 0;
          return [x1, y1 - jump, x2, y2 - jump];
        },
      },
      signal: RED_THROUGHOUT,
    });
    expect(matches).toEqual([]);
  });

  it('on who crosses the line the other way', () => {
    expect(ride({ user: { path: path([0, 320, 140], [4000, 320, 470]) } }).matches).toEqual([]);
  });

  it('on who stands while a road user in front hides more and more of it', () => {
    const { matches } = ride({
      user: {
        path: path([0, 320, 400], [600, 320, 330], [4000, 320, 330]),
        distort: ([x1, y1, x2, y2], atMs) => [x1, y1, x2, y2 - Math.max(0, Math.min(50, (atMs - 1000) / 20))],
      },
    });
    expect(matches).toEqual([]);
  });

  it('while the wheels beyond the line were not in sight', () => {
    expect(ride({ user: { groundSeen: (atMs) => atMs < 1700 } }).matches).toEqual([]);
  });

  it('where the sights around the line are far apart: it may be another road user', () => {
    expect(ride({ user: { seen: (atMs) => atMs < 1500 || atMs > 2300 } }).matches).toEqual([]);
  });

  it('on road users that the rule does not name', () => {
    expect(ride({ user: { label: 'person' } }).matches).toEqual([]);
    expect(ride({ rule: { labels: ['car'] } }).matches).toEqual([]);
  });
});

describe('red light: lets pass, with the reason', () => {
  const redAt = (sinceMs: number): ScriptedSignal => [
    { state: 'amber', sinceMs: -900 },
    { state: 'red', sinceMs },
  ];

  it('within the grace time after the onset', () => {
    expect(reasons(ride({ signal: redAt(1400), rule: { graceMs: 600 } }))).toEqual(['phase-just-begun']);
    expect(reasons(ride({ signal: redAt(1400), rule: { graceMs: 300 } }))).toEqual([undefined]);
  });

  it('where the error of the front does not exclude that it passed before red', () => {
    // the front passes at 1509 ms, give or take about 50 ms
    expect(reasons(ride({ signal: redAt(1520), rule: { graceMs: 0 } }))).toEqual(['phase-just-begun']);
    expect(reasons(ride({ signal: redAt(1420), rule: { graceMs: 0 } }))).toEqual([undefined]);
  });

  it('but not who waited at the line, right in the error of its front, and drives on red long after', () => {
    // its front stands 1 px past the line when red comes, give or take 5
    const user = {
      path: path([0, 320, 460], [1200, 320, 331], [9500, 320, 331], [11_500, 320, 150]),
      heading: [0, -1] as Point,
    };
    expect(reasons(ride({ user, signal: redAt(2000), untilMs: 11_500 }))).toEqual([undefined]);
    const soon = {
      path: path([0, 320, 460], [1200, 320, 331], [2500, 320, 331], [4500, 320, 150]),
      heading: [0, -1] as Point,
    };
    expect(reasons(ride({ user: soon, signal: redAt(2000), untilMs: 4500 }))).toEqual(['phase-just-begun']);
  });

  it('on a light that has been red for longer than a phase lasts', () => {
    const signal: ScriptedSignal = [{ state: 'red', sinceMs: -400_000 }];
    expect(reasons(ride({ signal }))).toEqual(['stuck-lamp']);
    expect(reasons(ride({ signal, rule: { maxPhaseMs: 900_000 } }))).toEqual([undefined]);
  });

  it('on a red lamp that went dark, for a while: then nothing is said', () => {
    const dark = (sinceMs: number): ScriptedSignal => [
      { state: 'red', sinceMs: -60_000 },
      { state: 'off', sinceMs },
    ];
    expect(reasons(ride({ signal: dark(1000) }))).toEqual(['dark-lamp']);
    expect(reasons(ride({ signal: dark(-30_000) }))).toEqual([]);
  });

  it('on who stood over the line behind a queue when red came', () => {
    const held = {
      path: path([0, 320, 460], [1200, 320, 312], [3200, 320, 312], [5200, 320, 142]),
      heading: [0, -1] as Point,
    };
    const signal: ScriptedSignal = [
      { state: 'green', sinceMs: -9000 },
      { state: 'red', sinceMs: 2000 },
    ];
    const play = (ahead: boolean) =>
      playScenario({
        scene: aScene({ rules: [RULE] }),
        users: [
          { ...RIDER, ...held },
          ...(ahead
            ? [{ ...RIDER, trackId: 8, heading: held.heading, path: path([0, 322, 250], [5200, 322, 249]) }]
            : []),
        ],
        signal,
        untilMs: 5200,
      });
    expect(reasons(play(true))).toEqual(['pushed-by-queue']);
    expect(play(false).matches).toEqual([]);
  });

  it('and keeps figures, phase and both explanations of the case', () => {
    const [match] = ride({ signal: redAt(1400), rule: { graceMs: 600 } }).matches;
    expect(match).toMatchObject({ kind: 'RED_LIGHT', signal: { state: 'red' } });
    expect(match?.letPass?.explanation.en).toContain('red had just begun');
    expect(match?.letPass?.explanation.vi).toContain('vừa chuyển đỏ');
    expect(match?.explanation.en).toContain('passed stop line');
  });
});

describe('red light: one case a crossing', () => {
  const twice = path([0, 320, 460], [2000, 320, 220], [4000, 320, 460], [6000, 320, 220]);

  it('stays with one match however short the cool-down is', () => {
    for (const cooldownMs of [0, 500, 60_000]) {
      expect(ride({ rule: { cooldownMs } }).matches, `${cooldownMs} ms`).toHaveLength(1);
    }
  });

  it('tells once of who is followed under two ids at the same time', () => {
    const double = (dx: number) =>
      playScenario({
        scene: aScene({ rules: [RULE] }),
        users: [
          RIDER,
          { ...RIDER, trackId: 8, label: 'bicycle', path: path([0, 320 + dx, 462], [4000, 320 + dx, 122]) },
        ],
        signal: RED_THROUGHOUT,
        untilMs: 4000,
      }).matches.map(({ trackId }) => trackId);
    expect(double(3)).toHaveLength(1);
    expect(double(30)).toEqual([7, 8]);
  });

  it('holds a second crossing back during the cool-down and takes it after', () => {
    const heading: Point = [0, -1];
    const at = (cooldownMs: number) =>
      ride({
        user: { path: twice, heading },
        rule: { cooldownMs },
        signal: [{ state: 'red', sinceMs: -9000 }],
        untilMs: 8000,
      });
    expect(at(60_000).matches).toHaveLength(1);
    expect(at(3000).matches).toHaveLength(2);
  });
});
