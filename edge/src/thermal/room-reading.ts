import type { Measurement } from '@ngatu/contract';
import type { TimedAmbient } from './gate-protocol.ts';

interface Value {
  readonly value: number;
  readonly atMs: number;
}

/** Beyond these it is not a room, whatever the profile lets pass. */
const ROOM_C = { low: -50, high: 80 };
const PER_CENT = { low: 0, high: 100 };

/** The newest air temperature and humidity of each sensor, as they become figures. Bad ones are left out. */
export class RoomReadings {
  readonly #sensors = new Map<string, { celsius?: Value; humidity?: Value }>();

  note(measurements: readonly Measurement[]): void {
    for (const { metric, value, at, tags, quality } of measurements) {
      const sensor = tags?.['sensor'];
      if (sensor === undefined || quality === 'bad') continue;
      const known = this.#sensors.get(sensor) ?? {};
      const read = { value, atMs: Date.parse(at) };
      const { low, high } = metric === 'airHumidity' ? PER_CENT : ROOM_C;
      if (!(value >= low && value <= high)) continue;
      if (metric === 'airTemperature') this.#sensors.set(sensor, { ...known, celsius: read });
      else if (metric === 'airHumidity') this.#sensors.set(sensor, { ...known, humidity: read });
    }
  }

  /** As old as the older of the two; undefined before both were read. `atMs` is ms since 1970. */
  of(sensor: string): TimedAmbient | undefined {
    const { celsius, humidity } = this.#sensors.get(sensor) ?? {};
    if (celsius === undefined || humidity === undefined) return undefined;
    const atMs = Math.min(celsius.atMs, humidity.atMs);
    return { celsius: celsius.value, relativeHumidity: humidity.value / 100, atMs };
  }
}
