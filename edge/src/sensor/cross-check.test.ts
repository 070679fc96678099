import { explainCrossCheck, type Measurement, type Readiness, type Telemetry } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import { forAll } from '../testing/seeded-random.ts';
import { aReading, aSensor } from '../testing/sensor-builder.ts';
import { CrossChecks } from './cross-check.ts';
import { compareCounts } from './cross-check-count.ts';
import { compareHeat, computeRankCorrelation } from './cross-check-heat.ts';
import { explainPicture } from './cross-check-rain.ts';

const T0 = Date.UTC(2026, 0, 5, 8);
const iso = (ms: number): string => new Date(ms).toISOString();

describe('compareCounts', () => {
  it.each([
    [100, 103, 'agree'],
    [100, 60, undefined],
    [1_000, 600, 'camera-low'],
    [300, 900, 'loop-low'],
    [400, 0, 'camera-low'],
    [0, 400, 'loop-low'],
    [20, 10, undefined],
    [0, 0, undefined],
  ])('loop %i, camera %i: %s', (loop, camera, finding) => {
    expect(compareCounts([{ loop, camera }])?.finding).toBe(finding);
  });

  it('does not accuse a pair that counts the same traffic, nor one within what is tolerated', () => {
    let accused = 0;
    forAll(300, (random) => {
      const pairs = Array.from({ length: 18 }, () => {
        const vehicles = random.integer(0, 60);
        // each misses some of its own
        const keep = (share: number) =>
          Array.from({ length: vehicles }, () => random.next()).filter((x) => x < share).length;
        return { loop: keep(0.97), camera: keep(0.85) };
      });
      const finding = compareCounts(pairs)?.finding;
      if (finding !== undefined && finding !== 'agree') accused += 1;
    });
    expect(accused).toBe(0);
  });
});

describe('explainPicture', () => {
  const readiness = (state: 'ready' | 'failing'): Pick<Readiness, 'items'> => ({
    items: [{ item: 'focus', state, since: iso(T0), measures: {}, reason: { vi: '', en: '' } }],
  });
  const rain = (mmPerHour: number, minutesAgo = 2) => [{ atMs: T0 - minutesAgo * 60_000, mmPerHour }];

  it.each([
    ['failing', rain(20), 'rain'],
    ['failing', rain(20, 14), 'rain'],
    ['failing', rain(0), 'not-rain'],
    ['failing', rain(1), undefined],
    ['failing', rain(20, 40), undefined],
    ['failing', [], undefined],
    ['ready', rain(20), 'fine'],
    ['ready', rain(0), 'fine'],
  ] as const)('%s, %j: %s', (state, samples, finding) => {
    expect(explainPicture(readiness(state), samples, T0)?.finding).toBe(finding);
  });
});

describe('compareHeat', () => {
  const day = (dropsAt: (temperature: number) => number) =>
    Array.from({ length: 48 }, (_, index) => {
      const temperature = 40 + 12 * Math.sin(index / 6);
      return { temperature, droppedShare: dropsAt(temperature) };
    });

  it('finds drops that follow the heat, and none where they do not', () => {
    expect(compareHeat(day((t) => (t > 48 ? 0.3 : 0.01)))).toMatchObject({ finding: 'heat' });
    expect(compareHeat(day(() => 0.1))).toMatchObject({ finding: 'no-heat', hotShare: expect.closeTo(0.1) });
    expect(compareHeat(day((t) => (t > 48 ? 0.01 : 0.001)))?.finding).toBe('no-heat');
    expect(compareHeat(day((t) => (t < 34 ? 0.3 : 0.01)))?.finding).toBe('no-heat');
    expect(compareHeat(day((t) => t / 100).slice(0, 10))).toBeUndefined();
    expect(compareHeat(Array(40).fill({ temperature: 40, droppedShare: 0.2 }))).toBeUndefined();
  });

  it('ranks as Spearman did', () => {
    expect(computeRankCorrelation([1, 2, 3, 4], [10, 20, 30, 40])).toBe(1);
    expect(computeRankCorrelation([1, 2, 3, 4], [9, 7, 5, 1])).toBe(-1);
    expect(computeRankCorrelation([1, 2, 2, 3], [1, 2, 3, 4])).toBeCloseTo(0.9487, 4);
    expect(computeRankCorrelation([1, 2, 3], [5, 5, 5])).toBe(0);
  });
});

describe('CrossChecks', () => {
  const source = { kind: 'modbus-tcp', host: 'cabinet' };
  const beside = { camera: 'north', tripwire: 'stop' };
  const sensors = [
    aSensor({ name: 'cabinet', source, beside }, [
      aReading({ metric: 'loopCount', unit: '1' }),
      aReading({ metric: 'rainRate', unit: 'mm/h' }),
    ]),
  ];
  const figure = (
    metric: string,
    value: number,
    atMs: number,
    quality: 'good' | 'bad' = 'good',
  ): Measurement => ({
    at: iso(atMs),
    metric,
    value,
    quality,
    tags: { sensor: 'cabinet' },
  });
  const telemetry = (crossings: number, label: string, atMs: number, tripwire = 'stop'): Telemetry => ({
    schemaVersion: 1,
    site: 'demo',
    node: 'gw-1',
    camera: 'north',
    intervals: [],
    measurements: [
      {
        at: iso(atMs),
        metric: 'lineCrossings',
        value: crossings,
        tags: { tripwire, direction: 'forward', label },
      },
    ],
  });

  it('tells that a camera misses vehicles once, and that it agrees again', () => {
    const checks = new CrossChecks(sensors);
    const told: Measurement[] = [];
    for (let minute = 0; minute < 480; minute++) {
      const atMs = T0 + minute * 60_000;
      checks.addSensors([figure('loopCount', 10, atMs), figure('loopCount', 900, atMs, 'bad')]);
      checks.addCamera(telemetry(minute < 180 ? 4 : 10, 'car', atMs));
      checks.addCamera(telemetry(50, 'person', atMs));
      checks.addCamera(telemetry(50, 'car', atMs, 'other'));
      told.push(...checks.cut(atMs));
    }
    const findings = told.map(({ tags }) => tags?.['finding']);
    expect([...new Set(findings)]).toEqual(['camera-low', 'agree']);
    expect(findings.filter((finding) => finding === 'camera-low').length).toBeLessThanOrEqual(6);
    const [first] = told;
    expect(first).toMatchObject({ metric: 'crossCheck', value: 0.4 });
    expect(first === undefined ? undefined : explainCrossCheck(first)).toMatchObject({
      en: expect.stringContaining('Camera north counts only 40 % of the vehicles of loop cabinet'),
      vi: expect.stringContaining('Camera north chỉ đếm được 40 %'),
    });
  });

  it('is silent where nothing stands beside a camera, or nothing was counted', () => {
    const alone = new CrossChecks([
      aSensor({ name: 'cabinet', source }, [aReading({ metric: 'loopCount', unit: '1' })]),
    ]);
    alone.addSensors([figure('loopCount', 1_000, T0)]);
    expect(alone.cut(T0 + 3_600_000)).toEqual([]);
    expect(new CrossChecks(sensors).cut(T0)).toEqual([]);
  });

  it('explains a poor picture by the rain', () => {
    const checks = new CrossChecks(sensors);
    const readiness: Readiness = {
      at: iso(T0),
      items: [{ item: 'focus', state: 'failing', since: iso(T0), measures: {}, reason: { vi: '', en: '' } }],
      blocked: [],
    };
    checks.addCamera({ ...telemetry(0, 'car', T0), readiness });
    checks.addSensors([figure('rainRate', 30, T0)]);
    const [rain] = checks.cut(T0 + 60_000);
    expect(rain).toMatchObject({ value: 30, tags: { check: 'rain-picture', finding: 'rain' } });
    checks.addSensors([figure('rainRate', 0, T0 + 1_200_000)]);
    expect(checks.cut(T0 + 1_260_000)).toMatchObject([{ tags: { finding: 'not-rain' } }]);
    expect(explainCrossCheck({ at: iso(T0), metric: 'lineCrossings', value: 1 })).toBeUndefined();
  });
});
