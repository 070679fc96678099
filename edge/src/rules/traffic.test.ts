import type { Measurement } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import type { Point } from '../geometry/box.ts';
import { aScene, SESSION_START_MS } from '../testing/builder.ts';
import { addNoise } from '../testing/rule-noise.ts';
import { playScenario, type RuleScenario } from '../testing/rule-scenario.ts';
import type { ScriptedRoadUser } from '../testing/scripted-road-user.ts';
import { forAll } from '../testing/seeded-random.ts';

/** Traffic drives to the right through a zone from x = 300 to x = 900; 22 px a metre along, 9.3 px in depth. */
const RULE = {
  name: 'traffic',
  kind: 'TRAFFIC',
  zone: 'road',
  entries: ['west'],
  exits: ['east', 'north'],
};
const SCENE = {
  picture: { width: 1280, height: 720 },
  zones: [
    {
      name: 'road',
      polygon: [
        [300, 300],
        [900, 300],
        [900, 500],
        [300, 500],
      ],
    },
  ],
  tripwires: [
    {
      name: 'west',
      points: [
        [310, 280],
        [310, 520],
      ],
      forwardTowards: [600, 400],
    },
    {
      name: 'east',
      points: [
        [890, 280],
        [890, 520],
      ],
      forwardTowards: [1200, 400],
    },
    {
      name: 'north',
      points: [
        [500, 310],
        [880, 310],
      ],
      forwardTowards: [700, 100],
    },
  ],
};
const PX_PER_M = 22;
const DEPTH_PX_PER_M = 22 * Math.sin((25 * Math.PI) / 180);
const CALIBRATION = {
  pairs: [
    [0, 0],
    [40, 0],
    [40, 20],
    [0, 20],
    [20, 10],
  ].map(([x = 0, y = 0]) => ({ image: [200 + PX_PER_M * x, 520 - DEPTH_PX_PER_M * y], ground: [x, y] })),
};

const path = (...waypoints: [atMs: number, ...rear: Point][]) =>
  waypoints.map(([atMs, x, y]) => ({ atMs, rear: [x, y] as const }));
const driver = (
  trackId: number,
  label: ScriptedRoadUser['label'],
  ...waypoints: [atMs: number, ...rear: Point][]
) => ({
  trackId,
  label,
  heading: [1, 0] as const,
  view: { depressionDeg: 25, pxPerMetre: PX_PER_M },
  path: path(...waypoints),
});

/** 220 px/s are 10 m/s, 36 km/h. */
const through = (trackId: number, fromMs: number, label: ScriptedRoadUser['label'] = 'car', y = 400) =>
  driver(trackId, label, [fromMs, 0, y], [fromMs + 5000, 1100, y]);

function measure(
  users: readonly ScriptedRoadUser[],
  parts: Omit<Partial<RuleScenario>, 'scene'> & { rule?: object; scene?: object } = {},
) {
  const { rule, scene, ...rest } = parts;
  return playScenario({
    users,
    untilMs: 60_000,
    ...rest,
    scene: aScene({ ...SCENE, ...scene, rules: [{ ...RULE, ...rule }] }),
  }).measurements;
}

const atMs = (at: string): number => Date.parse(at) - SESSION_START_MS;
const figureOf = (all: readonly Measurement[], metric: string, windowMs = 0): number | undefined =>
  all.find((m) => m.metric === metric && Math.abs(atMs(m.at) - windowMs) < 2)?.value;

describe('traffic: counts', () => {
  it('counts by class, direction and turning movement, and the flow', () => {
    const turning = driver(9, 'motorbike', [20_000, 0, 400], [23_000, 660, 400], [25_000, 680, 250]);
    const back = { ...driver(8, 'car', [30_000, 1100, 380], [35_000, 0, 380]), heading: [-1, 0] as const };
    const all = measure([through(1, 1000), through(2, 6000), through(3, 12_000, 'truck'), turning, back]);
    const counts = all.filter(({ metric }) => metric === 'trafficCount');
    const count = (tags: object): number | undefined =>
      counts.find((m) => JSON.stringify({ ...m.tags, ...tags }) === JSON.stringify(m.tags))?.value;
    expect(count({ tripwire: 'west', direction: 'forward', label: 'car' })).toBe(2);
    expect(count({ tripwire: 'west', direction: 'forward', label: 'truck' })).toBe(1);
    expect(count({ tripwire: 'west', direction: 'backward', label: 'car' })).toBe(1);
    expect(count({ tripwire: 'east', direction: 'forward', label: 'car' })).toBe(2);
    expect(count({ tripwire: 'north', direction: 'forward', label: 'motorbike' })).toBe(1);
    expect(
      all
        .filter(({ metric }) => metric === 'turningCount')
        .map(({ tags, value }) => [tags?.['entry'], tags?.['exit'], tags?.['label'], value]),
    ).toEqual([
      ['west', 'east', 'car', 2],
      ['west', 'east', 'truck', 1],
      ['west', 'north', 'motorbike', 1],
    ]);
    // four came in within the minute
    expect(figureOf(all, 'flowVehPerHour')).toBeCloseTo(240, 0);
  });

  it('is the same at 6, 12.5 and 25 frames a second, with noise and misses', () => {
    const users = [
      through(1, 1000),
      through(2, 8000, 'bus'),
      driver(3, 'car', [5000, 0, 450], [9000, 700, 450], [60_000, 700, 450]),
    ];
    const figures = (all: readonly Measurement[]) =>
      ['flowVehPerHour', 'occupancyTimeShare', 'occupancyAreaShare', 'queueMaxVehicles', 'meanSpeedKmh'].map(
        (metric) => figureOf(all, metric) ?? Number.NaN,
      );
    const exact = figures(measure(users, { fps: 25, scene: { calibration: CALIBRATION } }));
    for (const fps of [6, 12.5]) {
      const other = figures(measure(users, { fps, scene: { calibration: CALIBRATION } }));
      for (const [i, value] of other.entries())
        expect(Math.abs(value / (exact[i] ?? 0) - 1), `${i} at ${fps}`).toBeLessThan(0.05);
    }
    forAll(2, (random) => {
      const noisy = figures(
        measure(
          users.map((user) => addNoise(user, random)),
          { scene: { calibration: CALIBRATION } },
        ),
      );
      for (const [i, value] of noisy.entries())
        expect(Math.abs(value / (exact[i] ?? 0) - 1), `figure ${i}`).toBeLessThan(0.12);
    });
  });
});

describe('traffic: space and time', () => {
  it('measures the mean speed over space in km/h where the scene is calibrated, and is silent about it where not', () => {
    const users = [through(1, 1000), driver(2, 'car', [10_000, 0, 450], [20_000, 1100, 450])];
    const all = measure(users, { scene: { calibration: CALIBRATION } });
    // 27.3 m in 2.7 s and in 5.5 s: space mean of 36 and 18 km/h
    expect(figureOf(all, 'meanSpeedKmh')).toBeGreaterThan(22.5);
    expect(figureOf(all, 'meanSpeedKmh')).toBeLessThan(25);
    const plain = measure(users);
    expect(plain.some(({ metric }) => metric === 'meanSpeedKmh' || metric === 'queueMaxM')).toBe(false);
  });

  it('measures occupancy of time and area', () => {
    const standing = driver(1, 'car', [0, 500, 420], [30_000, 500, 420]);
    const all = measure([standing], { untilMs: 60_000 });
    expect(figureOf(all, 'occupancyTimeShare')).toBeCloseTo(0.5, 1);
    // 4.4 m × 1.74 m are 97 × 16 px, half the time, of 600 × 200 px
    expect(figureOf(all, 'occupancyAreaShare')).toBeGreaterThan(0.5 * 0.011);
    expect(figureOf(all, 'occupancyAreaShare')).toBeLessThan(0.5 * 0.016);
  });

  it('measures the queue up to the exit line, not who stands apart from it', () => {
    const queue = [0, 1, 2].map((i) =>
      driver(
        i + 1,
        'car',
        [0, -100 - 130 * i, 400],
        [5000, 760 - 130 * i, 400],
        [40_000, 760 - 130 * i, 400],
        [44_000, 1700 - 130 * i, 400],
      ),
    );
    const apart = driver(9, 'car', [0, 310, 480], [60_000, 310, 480]);
    const all = measure([...queue, apart], { scene: { calibration: CALIBRATION } });
    expect(figureOf(all, 'queueMaxVehicles')).toBe(3);
    // from the line at 890 px to the middle of the last one at 548 px: 15.5 m
    expect(figureOf(all, 'queueMaxM')).toBeGreaterThan(14.5);
    expect(figureOf(all, 'queueMaxM')).toBeLessThan(16.5);
    expect(figureOf(all, 'queueMeanVehicles')).toBeGreaterThan(1.5);
    expect(figureOf(all, 'queueMeanVehicles')).toBeLessThan(1.85);
  });
});

describe('traffic: windows', () => {
  it('are aligned, close on time and say how much of them was watched', () => {
    const all = measure([through(1, 1000)], { fromMs: -20_000, untilMs: 75_000 });
    const coverage = all.filter(({ metric }) => metric === 'windowCoverageShare');
    expect(coverage.map(({ at, value }) => [Math.round(atMs(at)), Math.round(value * 100) / 100])).toEqual([
      [-20_000, 0.33],
      [0, 1],
      [60_000, 0.25],
    ]);
  });

  it('marks blind time, and takes nothing from it', () => {
    const all = measure([through(1, 1000), through(2, 50_000)], {
      isBlind: (now) => now > 10_000 && now < 40_000,
    });
    expect(figureOf(all, 'windowCoverageShare')).toBeCloseTo(0.5, 2);
    // two came in half a minute of sight
    expect(figureOf(all, 'flowVehPerHour')).toBeCloseTo(240, -1);
  });

  it('gives counts but no rates of less than a tenth of a window', () => {
    const all = measure([through(1, 1000)], { untilMs: 5000 });
    expect(all.map(({ metric }) => metric)).toEqual([
      'windowCoverageShare',
      'trafficCount',
      'trafficCount',
      'turningCount',
    ]);
  });

  it('says nothing where nothing was watched', () => {
    expect(measure([through(1, 1000)], { untilMs: 0 })).toEqual([]);
    const gap = measure([], { untilMs: 185_000, isBlind: (now) => now > 1000 && now < 121_000 });
    expect(
      gap
        .filter(({ metric }) => metric === 'windowCoverageShare')
        .map(({ at }) => Math.floor(atMs(at) / 60_000)),
    ).toEqual([0, 2, 3]);
  });

  it('keeps to the contract', () => {
    for (const { metric, at, tags } of measure([through(1, 1000)], { scene: { calibration: CALIBRATION } })) {
      expect(metric).toMatch(/^[a-z][A-Za-z0-9]*$/);
      expect(new Date(at).toISOString()).toBe(at);
      expect(tags).toMatchObject({ rule: 'traffic', zone: 'road' });
    }
  });
});
