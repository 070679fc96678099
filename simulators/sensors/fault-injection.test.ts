import { describe, expect, it } from 'vitest';
import { injectFaults, SENSOR_FAULTS, withoutFaults } from './fault-injection.ts';
import { readRecordedSeries } from './recorded-series.ts';
import { GENERATED_METRICS, generateSeries } from './sensor-series.ts';

const series = (metric = 'airTemperature', seed = 1) =>
  generateSeries({ metric, seed, intervalMs: 60_000, days: 12 });

describe('generated series', () => {
  it.each([...GENERATED_METRICS])('of %s are repeated by their seed', (metric) => {
    const first = series(metric);
    expect(series(metric).values.join()).toBe(first.values.join());
    expect(series(metric, 2).values.join() === first.values.join()).toBe(false);
    expect(first.values).toHaveLength(12 * 1_440);
    expect(first.values.every(Number.isFinite)).toBe(true);
  });

  it('refuse a quantity that is not known', () => {
    expect(() => generateSeries({ metric: 'constructor', seed: 1, intervalMs: 1_000, days: 1 })).toThrow(
      /Cannot generate/,
    );
  });
});

describe('injected faults', () => {
  it('are exactly where the truth says, and nowhere else', () => {
    const clean = series();
    const faulted = injectFaults(clean, { seed: 7, perKind: 2 });
    expect(new Set(faulted.faults.map(({ kind }) => kind))).toEqual(new Set(SENSOR_FAULTS));
    expect(faulted.faults).toHaveLength(2 * SENSOR_FAULTS.length);
    const owner = new Array<string | undefined>(clean.values.length).fill(undefined);
    for (const { kind, from, to } of faulted.faults) {
      expect(owner.slice(from, to).every((known) => known === undefined)).toBe(true);
      owner.fill(kind, from, to);
    }
    const wrong = faulted.readings.flatMap(({ value, silence, clockErrorMs }, index) => {
      const kind = owner[index];
      const sound = clean.values[index];
      const isRight =
        kind === undefined
          ? value === sound && silence === undefined && clockErrorMs === 0
          : kind === 'gap' || kind === 'exception' || kind === 'half-open'
            ? silence === kind
            : kind === 'no-value'
              ? Number.isNaN(value)
              : kind === 'clock'
                ? Math.abs(clockErrorMs) >= 60_000 && value === sound
                : kind !== 'spike' || value !== sound;
      return isRight ? [] : [`${index} ${kind}`];
    });
    expect(wrong).toEqual([]);
    expect(JSON.stringify(injectFaults(clean, { seed: 7, perKind: 2 }))).toBe(JSON.stringify(faulted));
    expect(withoutFaults(clean).faults).toEqual([]);
  });

  it('that do not fit are left out, and not told', () => {
    const short = generateSeries({ metric: 'airTemperature', seed: 1, intervalMs: 60_000, days: 0.5 });
    const faulted = injectFaults(short, { seed: 1, perKind: 20 });
    expect(faulted.faults.every(({ to }) => to <= short.values.length)).toBe(true);
    expect(faulted.faults.length).toBeLessThan(20 * SENSOR_FAULTS.length);
  });
});

describe('a recorded series', () => {
  it('is rows of time and value', () => {
    const text =
      'timestamp,value\r\n2015-09-01 13:45:00,3.06\n2015-09-01 13:50:00,6.44\n2015-09-01 14:35:00,1e1\n';
    expect(readRecordedSeries(text, 'occupancy_6005')).toMatchObject({
      metric: 'loopOccupancy',
      intervalMs: 2_700_000,
      values: [3.06, 6.44, 10],
    });
  });

  it.each([
    ['', 'speed_1'],
    ['timestamp,value\n', 'speed_1'],
    ['timestamp,value\n2015-09-01 13:45:00,3\n2015-09-01 13:50:00,NaN\n', 'speed_1'],
    ['timestamp,value\n2015-09-01 13:45:00,3\nsoon,4\n', 'speed_1'],
    ['2015-09-01 13:45:00,3\n2015-13-41 13:45:00,4\n', 'speed_1'],
    ['2015-09-01 13:45:00,3\n2015-09-01 13:50:00,4\n', 'cats'],
  ])('refuses %j as %s', (text, name) => {
    expect(() => readRecordedSeries(text, name)).toThrow(
      expect.objectContaining({ code: 'SENSOR_SERIES_INVALID' }),
    );
  });
});
