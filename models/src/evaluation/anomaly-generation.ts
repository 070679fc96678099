import { SeededRandom } from '@ngatu/simulators';
import type { LabelledSeries } from './nab-folder.ts';
import type { NabWindow } from './nab-score.ts';

const ROWS = 2_500;
const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2025, 2, 3);
/** Rows before the first anomaly: the probation of NAB (15 %) and a little. */
const QUIET_ROWS = 450;

/** What a series measures: a daily and weekly course, and how its readings scatter about it. */
interface Course {
  readonly kind: string;
  readonly stepMs: number;
  /** Expected value at an instant. */
  readonly level: (atMs: number) => number;
  /** Scatter about it; `drift` is a slow wandering of size about 1. */
  readonly scatter: (level: number, random: SeededRandom, drift: number) => number;
  readonly low: number;
  readonly high: number;
}

type Injection = (values: Float64Array, place: number, random: SeededRandom, spread: number) => number;

/** What makes one place another than the next. */
interface Place {
  /** Of its day against UTC, ms. */
  readonly phase: number;
  readonly stepMs: number;
  /** Vehicles of a step when it is busy. */
  readonly size: number;
  /** How busy an instant is, about 0.1 to 1.2. */
  readonly rush: (atMs: number) => number;
}

function makeCourse(random: SeededRandom): Course {
  const phase = random.between(0, DAY_MS);
  const morning = random.between(6.5, 9);
  const evening = random.between(16.5, 19);
  const rush = (atMs: number): number => {
    const hour = ((atMs + phase) % DAY_MS) / 3_600_000;
    const weekend = Math.floor((atMs + phase) / DAY_MS) % 7 >= 5 ? 0.6 : 1;
    const peak = (at: number, width: number): number => Math.exp(-(((hour - at) / width) ** 2));
    const day = 1 / (1 + Math.exp(-(hour - 5.5))) - 1 / (1 + Math.exp(-(hour - 21.5)));
    return weekend * (0.12 + 0.5 * day + 0.45 * peak(morning, 1.3) + 0.5 * peak(evening, 1.6));
  };
  const stepMs = random.pick([300_000, 300_000, 600_000]);
  const size = random.between(20, 220);
  const place = { phase, stepMs, size, rush };
  return random.pick([...listTraffic(place), ...listSurroundings(place)]);
}

function listTraffic({ stepMs, size, rush }: Place): readonly Course[] {
  return [
    {
      kind: 'count',
      stepMs,
      level: (atMs) => size * rush(atMs),
      scatter: (level, source, drift) =>
        Math.round(Math.max(0, level * (1 + 0.08 * drift) + Math.sqrt(level + 1) * source.gaussian())),
      low: 0,
      high: 1e6,
    },
    {
      kind: 'speed',
      stepMs,
      level: (atMs) => 75 - 22 * Math.max(0, rush(atMs) - 0.5),
      scatter: (level, source, drift) =>
        Math.round(
          level + 3 * drift + source.gaussian() * 4 - (source.next() < 0.03 ? 12 * source.next() : 0),
        ),
      low: 2,
      high: 130,
    },
    {
      kind: 'occupancy',
      stepMs,
      level: (atMs) => 1 + 14 * rush(atMs),
      scatter: (level, source, drift) => level * Math.exp(0.25 * source.gaussian() + 0.15 * drift),
      low: 0,
      high: 100,
    },
    {
      kind: 'travelTime',
      stepMs,
      level: (atMs) => 180 + 90 * rush(atMs),
      scatter: (level, source, drift) =>
        Math.round(
          level *
            Math.exp(
              0.12 * drift + 0.22 * source.gaussian() + (source.next() < 0.02 ? 0.7 * source.next() : 0),
            ),
        ),
      low: 20,
      high: 1e5,
    },
  ];
}

function listSurroundings({ stepMs, phase }: Place): readonly Course[] {
  return [
    {
      kind: 'waterLevel',
      stepMs,
      level: (atMs) => 1.6 + 0.5 * Math.sin((2 * Math.PI * atMs) / 44_714_164),
      scatter: (level, source, drift) => level + 0.08 * drift + 0.015 * source.gaussian(),
      low: 0,
      high: 20,
    },
    {
      kind: 'temperature',
      stepMs,
      level: (atMs) => 29 + 5 * Math.sin((2 * Math.PI * (atMs + phase)) / DAY_MS),
      scatter: (level, source, drift) => level + 1.2 * drift + 0.25 * source.gaussian(),
      low: -20,
      high: 90,
    },
  ];
}

/** Each changes the values from `place` on and returns how many rows it touched. */
const INJECTIONS: Readonly<Record<string, Injection>> = {
  spike: (values, place, random, spread) => {
    const rows = random.integer(1, 3);
    const size = (random.next() < 0.5 ? -1 : 1) * random.between(5, 10) * spread;
    for (let row = 0; row < rows; row++) values[place + row] = (values[place + row] ?? 0) + size;
    return rows;
  },
  outage: (values, place, random) => {
    const rows = random.integer(6, 40);
    for (let row = 0; row < rows; row++) values[place + row] = (values[place + row] ?? 0) * 0.03;
    return rows;
  },
  shift: (values, place, random, spread) => {
    const rows = random.integer(30, 120);
    const size = (random.next() < 0.5 ? -1 : 1) * random.between(2.5, 5) * spread;
    for (let row = 0; row < rows; row++) values[place + row] = (values[place + row] ?? 0) + size;
    return rows;
  },
  congestion: (values, place, random, spread) => {
    const rows = random.integer(18, 60);
    const size = (random.next() < 0.7 ? -1 : 1) * random.between(4, 7) * spread;
    for (let row = 0; row < rows; row++)
      values[place + row] =
        (values[place + row] ?? 0) + size * Math.sin((Math.PI * (row + 1)) / (rows + 1)) ** 0.5;
    return rows;
  },
  unrest: (values, place, random, spread) => {
    const rows = random.integer(24, 80);
    for (let row = 0; row < rows; row++)
      values[place + row] = (values[place + row] ?? 0) + 4 * spread * random.gaussian();
    return rows;
  },
};

/**
 * A series of a sensor or a traffic measure with injected anomalies, labelled as NAB labels: a tenth of the rows, shared by the windows, each
 * about its anomaly. The seed decides everything.
 */
export function generateSeries(seed: number): LabelledSeries {
  const random = new SeededRandom(seed);
  const course = makeCourse(random);
  const atMs = new Float64Array(ROWS);
  const values = new Float64Array(ROWS);
  let drift = 0;
  let now = START_MS + random.integer(0, 86_400) * 1_000;
  for (let row = 0; row < ROWS; row++) {
    now +=
      random.next() < 0.002
        ? course.stepMs * random.integer(5, 60)
        : course.stepMs * (random.next() < 0.03 ? 2 : 1);
    drift = 0.985 * drift + Math.sqrt(1 - 0.985 ** 2) * random.gaussian();
    atMs[row] = now;
    values[row] = course.scatter(course.level(now), random, drift);
  }
  const spread = measureScatter(course, values, atMs);
  const count = random.integer(1, 3);
  const half = Math.floor((0.1 * ROWS) / count / 2);
  const gap = Math.floor((ROWS - QUIET_ROWS - 2 * half) / count);
  const windows = Array.from({ length: count }, (_, place): NabWindow => {
    const at = QUIET_ROWS + half + place * gap + random.integer(0, Math.max(1, gap - 2 * half - 130));
    const inject = INJECTIONS[random.pick(Object.keys(INJECTIONS))];
    const rows = inject?.(values, at, random, spread) ?? 0;
    const centre = at + Math.min(Math.floor(rows / 2), half - 2);
    return { first: centre - half, last: Math.min(ROWS - 1, centre + half) };
  });
  for (let row = 0; row < ROWS; row++)
    values[row] = Math.min(course.high, Math.max(course.low, values[row] ?? 0));
  return { name: `${course.kind}-${seed}`, atMs, values, windows };
}

function measureScatter(course: Course, values: Float64Array, atMs: Float64Array): number {
  let sum = 0;
  for (let row = 0; row < values.length; row++)
    sum += ((values[row] ?? 0) - course.level(atMs[row] ?? 0)) ** 2 / values.length;
  return Math.sqrt(sum);
}
