import { SeededRandom } from '../random/seeded-random.ts';
import type { SensorSeries } from './sensor-series.ts';

/**
 * What goes wrong with a sensor. `stuck`: the last value again and again; `spike`: one to four values that are far off; `drift`: a growing
 * error; `gap`: silence; `no-value`: NaN; `exception`: the device answers that it cannot; `clock`: its time jumps; `half-open`: the
 * connection stands and nobody answers.
 */
export const SENSOR_FAULTS = [
  'stuck',
  'spike',
  'drift',
  'gap',
  'no-value',
  'exception',
  'clock',
  'half-open',
] as const;
export type SensorFaultKind = (typeof SENSOR_FAULTS)[number];

/** One fault as it was injected: readings `from` to `to` (half-open, numbers of the series). */
export interface InjectedFault {
  readonly kind: SensorFaultKind;
  readonly from: number;
  readonly to: number;
}

/** What the device does at one instant of the series. */
export interface SimulatedReading {
  /** What it says; absent where it says nothing. NaN: it says that it has no value. */
  readonly value?: number;
  readonly silence?: 'gap' | 'exception' | 'half-open';
  /** How far its clock is off, ms. */
  readonly clockErrorMs: number;
}

/** A series with its faults and the exact truth about them. */
export interface FaultedSeries extends SensorSeries {
  readonly readings: readonly SimulatedReading[];
  readonly faults: readonly InjectedFault[];
}

const HOUR_MS = 3_600_000;
/** How long each lasts, ms; spikes are counted in readings. */
const DURATION_MS: Readonly<Record<Exclude<SensorFaultKind, 'spike'>, readonly [number, number]>> = {
  stuck: [HOUR_MS, 12 * HOUR_MS],
  drift: [12 * HOUR_MS, 48 * HOUR_MS],
  gap: [HOUR_MS / 12, 3 * HOUR_MS],
  'no-value': [HOUR_MS / 60, HOUR_MS],
  exception: [HOUR_MS / 60, HOUR_MS],
  clock: [HOUR_MS, 6 * HOUR_MS],
  'half-open': [HOUR_MS / 12, HOUR_MS],
};
const SPIKE_READINGS = 4;
/** Readings between two faults that are left alone at least. */
const REST_READINGS = 60;
const CLOCK_JUMP_MS: readonly [number, number] = [60_000, 400 * 24 * HOUR_MS];

/**
 * Puts faults into a series, each of the kinds `perKind` times where there is room, in random order, with quiet time between them. The
 * seed repeats it.
 */
export function injectFaults(
  series: SensorSeries,
  options: { readonly seed: number; readonly perKind: number; readonly kinds?: readonly SensorFaultKind[] },
): FaultedSeries {
  const random = new SeededRandom(options.seed * 104_729 + 17);
  const kinds = options.kinds ?? SENSOR_FAULTS;
  const wanted = kinds.flatMap((kind) => Array.from({ length: options.perKind }, () => kind));
  const order = wanted
    .map((kind) => ({ kind, key: random.next(), length: drawLength(kind, series, random) }))
    .sort((a, b) => a.key - b.key);
  const busy = order.reduce((sum, { length }) => sum + length + REST_READINGS, REST_READINGS);
  const spare = Math.max(0, series.values.length - busy) / (order.length + 1);
  const faults: InjectedFault[] = [];
  let at = REST_READINGS;
  for (const { kind, length } of order) {
    const from = Math.round(at + random.between(0, spare));
    if (from + length + REST_READINGS > series.values.length) break;
    faults.push({ kind, from, to: from + length });
    at = Math.max(from + length + REST_READINGS, at + spare + length + REST_READINGS);
  }
  return { ...series, faults, readings: applyFaults(series, faults, random) };
}

/** The series as a sound device gives it. */
export function withoutFaults(series: SensorSeries): FaultedSeries {
  return { ...series, faults: [], readings: series.values.map((value) => ({ value, clockErrorMs: 0 })) };
}

function drawLength(kind: SensorFaultKind, { intervalMs }: SensorSeries, random: SeededRandom): number {
  if (kind === 'spike') return 1 + Math.floor(random.next() * SPIKE_READINGS);
  const [least, most] = DURATION_MS[kind];
  // short ones as likely as long ones, by their logarithm
  const ms = Math.exp(random.between(Math.log(least), Math.log(most)));
  return Math.max(kind === 'gap' || kind === 'half-open' ? 4 : 2, Math.round(ms / intervalMs));
}

function applyFaults(
  series: SensorSeries,
  faults: readonly InjectedFault[],
  random: SeededRandom,
): SimulatedReading[] {
  const readings: SimulatedReading[] = series.values.map((value) => ({ value, clockErrorMs: 0 }));
  const deviation = computeDeviation(series.values);
  for (const { kind, from, to } of faults) {
    const sign = random.chance(0.5) ? 1 : -1;
    const size = sign * deviation * random.between(3, 30);
    const clockErrorMs = sign * Math.exp(random.between(...mapLog(CLOCK_JUMP_MS)));
    for (let index = from; index < to; index++) {
      const value = series.values[index] ?? 0;
      const share = (index - from) / (to - from);
      readings[index] = spoil(kind, {
        value,
        held: series.values[from] ?? value,
        spike: value + size * random.between(0.7, 1.3),
        drifted: value + sign * 5 * deviation * share,
        clockErrorMs: Math.round(clockErrorMs),
      });
    }
  }
  return readings;
}

function spoil(
  kind: SensorFaultKind,
  parts: { value: number; held: number; spike: number; drifted: number; clockErrorMs: number },
): SimulatedReading {
  switch (kind) {
    case 'stuck':
      return { value: parts.held, clockErrorMs: 0 };
    case 'spike':
      return { value: parts.spike, clockErrorMs: 0 };
    case 'drift':
      return { value: parts.drifted, clockErrorMs: 0 };
    case 'no-value':
      return { value: Number.NaN, clockErrorMs: 0 };
    case 'clock':
      return { value: parts.value, clockErrorMs: parts.clockErrorMs };
    default:
      return { silence: kind, clockErrorMs: 0 };
  }
}

function mapLog([low, high]: readonly [number, number]): [number, number] {
  return [Math.log(low), Math.log(high)];
}

function computeDeviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return Math.sqrt(square) || 1;
}
