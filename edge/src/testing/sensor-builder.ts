import { fillDefaults, SensorProfile, SensorReading } from '@ngatu/contract';
import type { SensorConfig } from '../sensor/sensor-sample.ts';

/** A reading with the defaults of its schema: by default air temperature in register 0. */
export function aReading(parts: Record<string, unknown> = {}): SensorReading {
  const from = { kind: 'register', address: 0 };
  return fillDefaults(SensorReading, {
    metric: 'airTemperature',
    unit: 'Cel',
    from,
    ...parts,
  }) as SensorReading;
}

/** A sensor with the defaults of its schema. */
export function aSensor(
  parts: Record<string, unknown> & { source: Record<string, unknown> },
  readings: readonly SensorReading[],
): SensorConfig {
  const filled = fillDefaults(SensorProfile, { name: 'station', readings: [], ...parts }) as SensorConfig;
  return { ...filled, readings };
}
