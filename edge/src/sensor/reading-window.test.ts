import { computeMetricMerge, type Measurement, mergeMetricValues, type Telemetry } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import { mergeTelemetry } from '../outbox/telemetry-thinning.ts';
import type { JudgedReading } from './reading-check.ts';
import { ReadingWindow } from './reading-window.ts';

const T0 = Date.UTC(2026, 0, 5, 8);
type Rule = ConstructorParameters<typeof ReadingWindow>[0]['rule'];

function windowOf(rule: Partial<Rule> = {}, metric = 'airTemperature') {
  const window = new ReadingWindow({
    metric,
    tags: { sensor: 'station' },
    rule: { manner: 'mean', unit: 'Cel', intervalMs: 10_000, ...rule },
    windowMs: 60_000,
    heartbeatMs: 300_000,
  });
  return {
    window,
    add: (second: number, value: number | undefined, parts: Partial<JudgedReading> = {}) =>
      window.add({
        atMs: T0 + second * 1_000,
        quality: 'good',
        ...(value === undefined ? {} : { value }),
        ...parts,
      }),
    cut: (second: number) =>
      window.cut(T0 + second * 1_000).map(({ at, metric: name, value, quality, tags }) => ({
        second: (Date.parse(at) - T0) / 1_000,
        name,
        value,
        ...(quality === undefined ? {} : { quality }),
        ...(tags?.['fault'] === undefined ? {} : { fault: tags['fault'] }),
      })),
  };
}

describe('a window', () => {
  it('becomes one figure with its extremes when it is over', () => {
    const { add, cut } = windowOf();
    for (const [index, value] of [20, 22, 21, 20, 21, 22].entries()) add(index * 10, value);
    expect(cut(59)).toEqual([]);
    expect(cut(60)).toEqual([
      { second: 0, name: 'airTemperature', value: 21, quality: 'good' },
      { second: 0, name: 'airTemperatureMin', value: 20, quality: 'good' },
      { second: 0, name: 'airTemperatureMax', value: 22, quality: 'good' },
      { second: 0, name: 'sensorReadings', value: 6 },
    ]);
    expect(cut(180)).toEqual([]);
  });

  it('that is open is told when the agent stops', () => {
    const { window, add } = windowOf();
    add(0, 20);
    expect(window.cut(T0 + 5_000)).toEqual([]);
    expect(window.cut(T0 + 5_000, true)[0]).toMatchObject({ value: 20, quality: 'uncertain' });
    expect(window.cut(T0 + 5_000, true)).toEqual([]);
  });

  it('carries its unit', () => {
    const { window, add } = windowOf();
    for (let second = 0; second < 60; second += 10) add(second, 20);
    expect(window.cut(T0 + 60_000)[0]).toMatchObject({ unit: 'Cel', tags: { sensor: 'station' } });
  });

  it('keeps what is bad out of the figures, and tells it apart', () => {
    const { add, cut } = windowOf();
    for (let second = 0; second < 50; second += 10) add(second, 20);
    add(50, 85, { quality: 'bad', fault: 'range' });
    expect(cut(60)).toEqual([
      { second: 0, name: 'airTemperature', value: 85, quality: 'bad', fault: 'range' },
      { second: 0, name: 'airTemperature', value: 20, quality: 'good' },
      { second: 0, name: 'sensorReadings', value: 5 },
      { second: 60, name: 'sensorFaults', value: 1, fault: 'range' },
    ]);
  });

  it('of too few readings, or of uncertain ones alone, is uncertain', () => {
    const few = windowOf();
    few.add(0, 20);
    expect(few.cut(60)[0]).toMatchObject({ quality: 'uncertain', fault: 'gap' });
    const clock = windowOf();
    for (let second = 0; second < 60; second += 10)
      clock.add(second, 20, { quality: 'uncertain', fault: 'clock' });
    expect(clock.cut(60)[0]).toMatchObject({ quality: 'uncertain', fault: 'clock' });
  });

  it('sums counts, and says where some are missing', () => {
    const sum = { manner: 'sum', unit: '1' } as const;
    const whole = windowOf(sum, 'loopCount');
    for (let second = 0; second < 60; second += 10) whole.add(second, 3);
    expect(whole.cut(60)[0]).toEqual({ second: 0, name: 'loopCount', value: 18, quality: 'good' });
    const torn = windowOf(sum, 'loopCount');
    for (let second = 0; second < 40; second += 10) torn.add(second, 3);
    expect(torn.cut(60)[0]).toMatchObject({ value: 12, quality: 'uncertain', fault: 'gap' });
    // a counter went on while nobody read it
    const counter = windowOf({ ...sum, counter: { modulus: 65_536 } }, 'loopCount');
    counter.add(50, 18);
    expect(counter.cut(60)[0]).toMatchObject({ value: 18, quality: 'good' });
  });

  it('averages sound by its energy and wind by its direction', () => {
    const sound = windowOf({ manner: 'level', unit: 'dB[SPL]' }, 'soundLevel');
    for (let second = 0; second < 60; second += 10) sound.add(second, second < 30 ? 60 : 80);
    expect(sound.cut(60)[0]?.value).toBeCloseTo(77.03, 2);
    const wind = windowOf({ manner: 'angle', unit: 'deg' }, 'windDirection');
    for (let second = 0; second < 60; second += 10) wind.add(second, second < 30 ? 350 : 10);
    expect((wind.cut(60)[0]?.value ?? 0) % 360).toBeCloseTo(0, 3);
  });

  it('within the dead band waits for the heartbeat, with every reading counted', () => {
    const { add, cut } = windowOf({ deadBand: 0.5 });
    const told: unknown[] = [];
    for (let second = 0; second < 660; second += 10) {
      add(second, second < 600 ? 20 + (second % 20) / 100 : 25);
      told.push(...cut(second));
    }
    told.push(...cut(660));
    expect(told).toEqual([
      { second: 0, name: 'airTemperature', value: expect.closeTo(20.05), quality: 'good' },
      { second: 0, name: 'sensorReadings', value: 6 },
      { second: 300, name: 'airTemperature', value: expect.closeTo(20.05), quality: 'good' },
      { second: 300, name: 'sensorReadings', value: 30 },
      { second: 600, name: 'airTemperature', value: 25, quality: 'good' },
      { second: 600, name: 'airTemperatureMin', value: 20, quality: 'good' },
      { second: 600, name: 'sensorReadings', value: 30 },
    ]);
  });

  it('tells a state when it changes, and at the heartbeat', () => {
    const { add, cut } = windowOf({ manner: 'state', unit: '1' }, 'doorOpen');
    for (let second = 0; second < 400; second += 10) add(second, second === 50 ? 1 : 0);
    const states = cut(400).filter(({ name }) => name === 'doorOpen');
    expect(states.map(({ second, value }) => [second, value])).toEqual([
      [0, 0],
      [50, 1],
      [60, 0],
      [360, 0],
    ]);
  });
});

describe('figures that are thinned', () => {
  const message = (measurements: Measurement[]): Telemetry => ({
    schemaVersion: 1,
    site: 'demo',
    node: 'gw-1',
    intervals: [],
    measurements,
  });

  it('keep sums, means, extremes and qualities apart', () => {
    const temperature = windowOf();
    const count = windowOf({ manner: 'sum', unit: '1' }, 'loopCount');
    const messages: Telemetry[] = [];
    for (let second = 0; second < 600; second += 10) {
      temperature.add(second, second < 300 ? 20 : 30);
      count.add(second, 2);
      if (second === 120) temperature.add(second + 1, 85, { quality: 'bad', fault: 'range' });
      if (second % 60 === 0)
        messages.push(
          message([...temperature.window.cut(T0 + second * 1_000), ...count.window.cut(T0 + second * 1_000)]),
        );
    }
    messages.push(message([...temperature.window.cut(T0 + 600_000), ...count.window.cut(T0 + 600_000)]));
    const merged = mergeTelemetry(messages)?.measurements ?? [];
    const found = (metric: string, quality: string) =>
      merged.filter((each) => each.metric === metric && each.quality === quality).map(({ value }) => value);
    expect(found('airTemperature', 'good')).toEqual([25]);
    expect(found('airTemperature', 'bad')).toEqual([85]);
    expect(found('loopCount', 'good')).toEqual([120]);
    expect(
      merged.find(({ metric, tags }) => metric === 'sensorReadings' && tags?.['quantity'] === 'loopCount')
        ?.value,
    ).toBe(60);
  });

  it('have a manner for each metric', () => {
    expect(
      [
        'loopCount',
        'rainfall',
        'airTemperature',
        'airTemperatureMin',
        'airTemperatureMax',
        'soundLevel',
        'windDirection',
        'sensorFaults',
        'constructor',
      ].map(computeMetricMerge),
    ).toEqual(['sum', 'sum', 'mean', 'min', 'max', 'level', 'angle', 'sum', 'mean']);
    expect(mergeMetricValues('mean', [10, 20], [1, 3])).toBe(17.5);
    expect(mergeMetricValues('min', [3, -1, 2])).toBe(-1);
    expect(() => mergeMetricValues('mean', [])).toThrow(RangeError);
  });
});
