import type { CrossCheckFinding, CrossCheckName, Measurement, Telemetry } from '@ngatu/contract';
import { type CountPair, compareCounts } from './cross-check-count.ts';
import { compareHeat, type HeatPair } from './cross-check-heat.ts';
import { explainPicture, type RainSample } from './cross-check-rain.ts';
import type { SensorConfig } from './sensor-sample.ts';

/** Counts and shares are compared over stretches of this length, ms. */
const STRETCH_MS = 600_000;
/** A finding is told when it changes, and again this often, ms. */
const REPEAT_MS = 3_600_000;
/** What is compared lies within this time, ms. */
const MEMORY_MS = 24 * 3_600_000;
/** Loops are compared over this time, so that a fault of today is not hidden by the days before, ms. */
const COUNT_MEMORY_MS = 3 * 3_600_000;

/** Sums of one stretch of time. */
interface Stretch {
  loop: number;
  camera: number;
  decoded: number;
  dropped: number;
  temperature: { sum: number; count: number };
}

interface Pairing {
  readonly sensor: string;
  readonly camera: string;
  readonly tripwire?: string;
  readonly stretches: Map<number, Stretch>;
  rain: RainSample[];
  readiness?: Telemetry['readiness'];
  readonly told: Map<CrossCheckName, { finding: CrossCheckFinding; atMs: number }>;
  readonly metrics: ReadonlySet<string>;
}

/**
 * Compares sensors with the cameras that they stand beside: loop counts with camera counts, rain with pictures that are poor, heat of the
 * cabinet with dropped frames. Pure: telemetry comes in as it is told, figures come out as measurements `crossCheck`.
 */
export class CrossChecks {
  readonly #pairings: Pairing[];

  constructor(sensors: readonly SensorConfig[]) {
    this.#pairings = sensors.flatMap(({ name, beside, readings }) =>
      beside === undefined
        ? []
        : [
            {
              sensor: name,
              ...beside,
              stretches: new Map(),
              rain: [],
              told: new Map(),
              metrics: new Set(readings.map(({ metric }) => metric)),
            },
          ],
    );
  }

  /** Takes what the sensors measured. What is bad counts in nothing. */
  addSensors(measurements: readonly Measurement[]): void {
    for (const pairing of this.#pairings) {
      for (const { at, metric, value, quality, tags } of measurements) {
        if (tags?.['sensor'] !== pairing.sensor || quality === 'bad') continue;
        const atMs = Date.parse(at);
        if (metric === 'rainRate') pairing.rain.push({ atMs, mmPerHour: value });
        if (metric === 'loopCount') stretchOf(pairing, atMs).loop += value;
        if (metric !== 'cabinetTemperature') continue;
        const { temperature } = stretchOf(pairing, atMs);
        temperature.sum += value;
        temperature.count += 1;
      }
    }
  }

  /** Takes what a camera tells. */
  addCamera({ camera, measurements, intervals, readiness }: Telemetry): void {
    for (const pairing of this.#pairings) {
      if (pairing.camera !== camera) continue;
      if (readiness !== undefined) pairing.readiness = readiness;
      for (const { at, metric, value, tags } of measurements) {
        const isCounted = metric === 'lineCrossings' && tags?.['label'] !== 'person';
        if (isCounted && pairing.tripwire !== undefined && tags?.['tripwire'] === pairing.tripwire)
          stretchOf(pairing, Date.parse(at)).camera += value;
      }
      for (const { from, framesDecoded, framesDropped } of intervals) {
        const stretch = stretchOf(pairing, Date.parse(from));
        stretch.decoded += framesDecoded;
        stretch.dropped += framesDropped;
      }
    }
  }

  /** What is new at `nowMs` (ms since 1970), or due again. */
  cut(nowMs: number): Measurement[] {
    return this.#pairings.flatMap((pairing) => {
      forget(pairing, nowMs);
      return judge(pairing, nowMs).flatMap(({ check, finding, value }): Measurement[] => {
        const told = pairing.told.get(check);
        if (told?.finding === finding && nowMs - told.atMs < REPEAT_MS) return [];
        pairing.told.set(check, { finding, atMs: nowMs });
        const { sensor, camera } = pairing;
        const tags = { check, finding, sensor, camera };
        const at = new Date(Math.round(nowMs)).toISOString();
        return [{ at, metric: 'crossCheck', value: Number(value.toPrecision(4)), tags }];
      });
    });
  }
}

interface Judgement {
  readonly check: CrossCheckName;
  readonly finding: CrossCheckFinding;
  readonly value: number;
}

function judge({ stretches, metrics, tripwire, readiness, rain }: Pairing, nowMs: number): Judgement[] {
  // windows of sensors are told when they are over: the last stretch is not whole yet
  const whole = [...stretches].filter(([index]) => (index + 2) * STRETCH_MS <= nowMs);
  const judgements: Judgement[] = [];
  if (metrics.has('loopCount') && tripwire !== undefined) {
    const since = (nowMs - COUNT_MEMORY_MS) / STRETCH_MS;
    const pairs = whole.filter(([index]) => index >= since).map(([, stretch]): CountPair => stretch);
    const counts = compareCounts(pairs);
    if (counts !== undefined)
      judgements.push({ check: 'loop-count', finding: counts.finding, value: counts.ratio });
  }
  if (metrics.has('rainRate') && readiness !== undefined) {
    const picture = explainPicture(readiness, rain, nowMs);
    if (picture !== undefined)
      judgements.push({ check: 'rain-picture', finding: picture.finding, value: picture.rain });
  }
  if (metrics.has('cabinetTemperature')) {
    const pairs = whole.flatMap(([, { temperature, decoded, dropped }]): HeatPair[] =>
      temperature.count === 0 || decoded === 0
        ? []
        : [
            {
              temperature: temperature.sum / temperature.count,
              droppedShare: Math.min(1, dropped / decoded),
            },
          ],
    );
    const heat = compareHeat(pairs);
    if (heat !== undefined)
      judgements.push({ check: 'cabinet-heat', finding: heat.finding, value: heat.hotShare });
  }
  return judgements;
}

function stretchOf({ stretches }: Pairing, atMs: number): Stretch {
  const index = Math.floor(atMs / STRETCH_MS);
  const known = stretches.get(index);
  if (known !== undefined) return known;
  const fresh: Stretch = { loop: 0, camera: 0, decoded: 0, dropped: 0, temperature: { sum: 0, count: 0 } };
  stretches.set(index, fresh);
  return fresh;
}

function forget(pairing: Pairing, nowMs: number): void {
  for (const index of pairing.stretches.keys())
    if (Math.abs(nowMs - index * STRETCH_MS) > MEMORY_MS) pairing.stretches.delete(index);
  pairing.rain = pairing.rain.filter(({ atMs }) => Math.abs(nowMs - atMs) < STRETCH_MS * 3);
}
