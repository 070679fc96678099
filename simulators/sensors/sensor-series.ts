import { NgatuError } from '@ngatu/contract';
import { SeededRandom } from '../random/seeded-random.ts';

/** Values of one quantity at equal distances of time, as a perfect sensor would give them. */
export interface SensorSeries {
  readonly name: string;
  /** Quantity of the contract (`airTemperature`); values are in its unit. */
  readonly metric: string;
  readonly intervalMs: number;
  readonly values: readonly number[];
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Noise that remembers: stationary, Gaussian, of `deviation`, with a memory of `memoryMs`. */
class Wander {
  readonly #random: SeededRandom;
  readonly #keep: number;
  readonly #deviation: number;
  #value: number;

  constructor(random: SeededRandom, deviation: number, memoryMs: number, intervalMs: number) {
    this.#random = random;
    this.#keep = Math.exp(-intervalMs / memoryMs);
    this.#deviation = deviation;
    this.#value = random.gaussian(0, deviation);
  }

  next(): number {
    const fresh = this.#deviation * Math.sqrt(1 - this.#keep ** 2);
    this.#value = this.#keep * this.#value + this.#random.gaussian(0, fresh);
    return this.#value;
  }
}

/** Happenings at random instants that rise at once and die away. */
class Bursts {
  readonly #random: SeededRandom;
  readonly #chance: number;
  readonly #keep: number;
  readonly #size: readonly [number, number];
  #value = 0;

  constructor(
    random: SeededRandom,
    options: { perDay: number; size: readonly [number, number]; memoryMs: number; intervalMs: number },
  ) {
    this.#random = random;
    this.#chance = (options.perDay * options.intervalMs) / DAY_MS;
    this.#keep = Math.exp(-options.intervalMs / options.memoryMs);
    this.#size = options.size;
  }

  next(): number {
    this.#value *= this.#keep;
    if (this.#random.chance(this.#chance)) this.#value += this.#random.between(...this.#size);
    return this.#value;
  }
}

type Step = (atMs: number) => number;
type Recipe = (random: SeededRandom, intervalMs: number) => Step;

/** −1 at four in the morning, 1 at four in the afternoon. */
const dayWave = (atMs: number): number => -Math.cos((2 * Math.PI * (atMs - 4 * HOUR_MS)) / DAY_MS);

/** 0–1: empty at night, peaks at half past seven and half past five. */
function computeTraffic(atMs: number): number {
  const hour = (atMs % DAY_MS) / HOUR_MS;
  const peak = (at: number, width: number): number => Math.exp(-(((hour - at) / width) ** 2));
  const day = 1 / (1 + Math.exp(-(hour - 6) * 2.5)) / (1 + Math.exp((hour - 21.5) * 1.5));
  return 0.02 + 0.5 * day + 0.3 * peak(7.5, 1) + 0.4 * peak(17.5, 1.3);
}

const round = (value: number, step: number): number => Number((Math.round(value / step) * step).toFixed(6));
const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

function poisson(random: SeededRandom, mean: number): number {
  if (mean > 50) return Math.max(0, Math.round(random.gaussian(mean, Math.sqrt(mean))));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random.next(); product > limit; product *= random.next()) count += 1;
  return count;
}

/** How each quantity behaves on a street of a hot and wet province. */
const RECIPES: Readonly<Record<string, Recipe>> = {
  airTemperature: (random, intervalMs) => {
    const weather = new Wander(random, 1.2, 4 * HOUR_MS, intervalMs);
    const wind = new Wander(random, 0.15, 2 * 60_000, intervalMs);
    const storm = new Bursts(random, { perDay: 0.4, size: [2, 7], memoryMs: HOUR_MS, intervalMs });
    let cold = 0;
    return (atMs) => {
      // the air takes ten minutes to follow a storm
      cold += (storm.next() - cold) * (1 - Math.exp(-intervalMs / 600_000));
      return round(29 + 4.5 * dayWave(atMs) + weather.next() + wind.next() - cold, 0.1);
    };
  },
  airHumidity: (random, intervalMs) => {
    const weather = new Wander(random, 6, 5 * HOUR_MS, intervalMs);
    const wind = new Wander(random, 0.6, 2 * 60_000, intervalMs);
    return (atMs) => round(clamp(78 - 14 * dayWave(atMs) + weather.next() + wind.next(), 15, 100), 0.1);
  },
  pm25: (random, intervalMs) => {
    const air = new Wander(random, 0.4, 8 * HOUR_MS, intervalMs);
    const street = new Wander(random, 0.12, 3 * 60_000, intervalMs);
    const lorry = new Bursts(random, { perDay: 40, size: [5, 60], memoryMs: 60_000, intervalMs });
    return (atMs) =>
      round(
        35 * (0.7 + 0.5 * computeTraffic(atMs)) * Math.exp(air.next() + street.next()) + lorry.next(),
        0.1,
      );
  },
  soundLevel: (random, intervalMs) => {
    const street = new Wander(random, 2.5, 60_000, intervalMs);
    const horn = new Bursts(random, { perDay: 500, size: [4, 22], memoryMs: 5_000, intervalMs });
    return (atMs) => round(54 + 18 * Math.sqrt(computeTraffic(atMs)) + street.next() + horn.next(), 0.1);
  },
  rainRate: (random, intervalMs) => {
    const storm = new Bursts(random, { perDay: 1.2, size: [5, 90], memoryMs: 25 * 60_000, intervalMs });
    const gust = new Wander(random, 0.35, 3 * 60_000, intervalMs);
    return () => {
      const rate = storm.next() * Math.exp(gust.next());
      return rate < 0.4 ? 0 : round(rate, 0.2);
    };
  },
  waterLevel: (random, intervalMs) => {
    const river = new Wander(random, 0.25, 20 * HOUR_MS, intervalMs);
    const waves = new Wander(random, 0.012, 60_000, intervalMs);
    return (atMs) =>
      round(
        1.8 + 0.6 * Math.sin((2 * Math.PI * atMs) / (12.42 * HOUR_MS)) + river.next() + waves.next(),
        0.01,
      );
  },
  cabinetTemperature: (random, intervalMs) => {
    const weather = new Wander(random, 1.5, 4 * HOUR_MS, intervalMs);
    const fine = new Wander(random, 0.1, 60_000, intervalMs);
    let fan = 0;
    let isOn = false;
    return (atMs) => {
      const warm = 38 + 9 * dayWave(atMs) + weather.next() + fan;
      if (warm > 42) isOn = true;
      else if (warm < 39) isOn = false;
      fan += ((isOn ? -6 : 0) - fan) * (1 - Math.exp(-intervalMs / 400_000));
      return round(warm + fine.next(), 0.1);
    };
  },
  mainsVoltage: (random, intervalMs) => {
    const net = new Wander(random, 2.2, 20 * 60_000, intervalMs);
    const flicker = new Wander(random, 0.5, 10_000, intervalMs);
    const motor = new Bursts(random, { perDay: 30, size: [3, 14], memoryMs: 10_000, intervalMs });
    const cut = new Bursts(random, { perDay: 0.15, size: [1, 1], memoryMs: 30 * 60_000, intervalMs });
    return (atMs) => {
      if (cut.next() > 0.4) return 0;
      return round(228 - 5 * dayWave(atMs) + net.next() + flicker.next() - motor.next(), 0.1);
    };
  },
  loopOccupancy: (random, intervalMs) => {
    const flow = new Wander(random, 0.25, 10 * 60_000, intervalMs);
    const queue = new Bursts(random, { perDay: 6, size: [10, 45], memoryMs: 8 * 60_000, intervalMs });
    return (atMs) => {
      const mean = 22 * computeTraffic(atMs) * Math.exp(flow.next()) + queue.next() * computeTraffic(atMs);
      return round(clamp(mean * (1 + random.gaussian(0, 0.25)), 0, 100), 0.1);
    };
  },
  loopCount: (random, intervalMs) => {
    const flow = new Wander(random, 0.15, 15 * 60_000, intervalMs);
    return (atMs) =>
      poisson(random, (900 * computeTraffic(atMs) * Math.exp(flow.next()) * intervalMs) / HOUR_MS);
  },
};

/** Quantities of which a series can be generated. */
export const GENERATED_METRICS: readonly string[] = Object.keys(RECIPES);

/**
 * A series from its quantity and a seed; the first value is that of midnight.
 * @throws NgatuError USAGE for a quantity that is not among `GENERATED_METRICS`
 */
export function generateSeries(options: {
  readonly metric: string;
  readonly seed: number;
  readonly intervalMs: number;
  readonly days: number;
}): SensorSeries {
  const { metric, seed, intervalMs, days } = options;
  const recipe = Object.hasOwn(RECIPES, metric) ? RECIPES[metric] : undefined;
  if (recipe === undefined)
    throw new NgatuError('USAGE', `Cannot generate "${metric}": known are ${GENERATED_METRICS.join(', ')}`);
  const step = recipe(new SeededRandom(seed * 7919 + GENERATED_METRICS.indexOf(metric)), intervalMs);
  const length = Math.max(1, Math.round((days * DAY_MS) / intervalMs));
  const values = Array.from({ length }, (_, index) => step(index * intervalMs));
  return { name: metric, metric, intervalMs, values };
}
