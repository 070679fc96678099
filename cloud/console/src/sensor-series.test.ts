import { describe, expect, it } from 'vitest';
import type { SensorReading } from '../../src/api/series-schema.ts';
import { listQuantities, showRange } from './sensor-series.ts';

function aReading(metric: string, change: Partial<SensorReading> = {}): SensorReading {
  return {
    ...{ site: 'demo', node: 'gw-1', sensor: 'mast', metric, unit: 'Cel' },
    ...{ at: '2026-01-01T00:00:00.000Z', value: 20, ...change },
  };
}

describe('the quantities of a list of readings', () => {
  it('hold the bounds of their window, and leave out what is said about readings', () => {
    const listed = listQuantities([
      aReading('airTemperature', { value: 20.5 }),
      aReading('airTemperatureMax', { value: 21 }),
      aReading('airTemperatureMin', { value: 20 }),
      aReading('sensorReadings', { unit: '1', value: 3 }),
      aReading('sensorFaults', { unit: '1', value: 1 }),
    ]);
    expect(listed.map(({ metric }) => metric)).toEqual(['airTemperature']);
    expect(listed.map((reading) => showRange(reading, 'en'))).toEqual(['20–21 °C']);
  });

  it('keep a bound of another sensor, unit or of nothing as a quantity of its own', () => {
    const listed = listQuantities([
      aReading('airTemperature'),
      aReading('airTemperatureMin', { sensor: 'roof' }),
      aReading('airTemperatureMax', { unit: 'K' }),
      aReading('tideMax'),
    ]);
    expect(listed).toHaveLength(4);
  });

  it('say no range of another window', () => {
    const [listed] = listQuantities([
      aReading('airTemperature'),
      aReading('airTemperatureMin', { at: '2025-12-31T23:59:00.000Z' }),
      aReading('airTemperatureMax'),
    ]);
    expect(listed && showRange(listed, 'vi')).toBeUndefined();
  });
});
