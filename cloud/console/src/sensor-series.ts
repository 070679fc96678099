import type { SensorList, SensorReading } from '../../src/api/series-schema.ts';
import { call, fetchSeries } from './api-client.ts';
import type { ChartGap } from './chart.tsx';
import { isTextKey, type Language, translate } from './dictionary.ts';
import { formatNumber } from './format.ts';
import { alignLine, listTimes } from './traffic-data.ts';

export interface SensorPeriod {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
}

export interface SensorCourse {
  readonly times: readonly number[];
  readonly low: readonly (number | null)[];
  readonly mean: readonly (number | null)[];
  readonly high: readonly (number | null)[];
  readonly gaps: readonly ChartGap[];
}

/** UCUM codes as people write them; others are shown as they are. */
const UNIT_SIGNS: Readonly<Record<string, string>> = {
  '1': '',
  Cel: '°C',
  'ug/m3': 'µg/m³',
  'mg/m3': 'mg/m³',
  'dB[SPL]': 'dB',
  'B[SPL]': 'B',
  'm/s2': 'm/s²',
  m3: 'm³',
  'm3/s': 'm³/s',
  deg: '°',
  '[ppm]': 'ppm',
  '[ppb]': 'ppb',
};

export const nameSensor = ({ site, node, sensor, metric, unit }: SensorReading): string =>
  [site, node, sensor, metric, unit].join('/');

export const showUnit = (unit = ''): string => UNIT_SIGNS[unit] ?? unit;

/** The quantity of a metric in words; a metric that the dictionary does not know is taken apart. */
export function showQuantity(metric: string, language: Language): string {
  const key = `quantity.${metric}`;
  return isTextKey(key)
    ? translate(language, key)
    : metric.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
}

/** `1,85 m`: three digits where there are decimals. */
export function showReading({ value, unit }: SensorReading, language: Language): string {
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.max(1, Math.abs(value)))));
  return `${formatNumber(value, language, decimals)} ${showUnit(unit)}`.trim();
}

/** What a node says about its readings, beside them. */
const ABOUT_READINGS = new Set(['sensorReadings', 'sensorFaults', 'sensorAnomaly', 'crossCheck']);

/** A quantity as it is listed: its last figure, with the lowest and highest reading behind it where they were told. */
export interface ListedReading extends SensorReading {
  readonly lowest?: SensorReading;
  readonly highest?: SensorReading;
}

/** One entry a quantity: the figures of one window belong together. */
export function listQuantities(readings: readonly SensorReading[]): ListedReading[] {
  const keyOf = ({ site, node, sensor, unit }: SensorReading, metric: string): string =>
    [site, node, sensor, metric, unit].join('/');
  const known = new Map(readings.map((reading) => [nameSensor(reading), reading]));
  return readings.flatMap((reading): ListedReading[] => {
    const { metric } = reading;
    if (ABOUT_READINGS.has(metric)) return [];
    const isBound = /(?:Min|Max)$/.test(metric) && known.has(keyOf(reading, metric.slice(0, -3)));
    if (isBound) return [];
    const lowest = known.get(keyOf(reading, `${metric}Min`));
    const highest = known.get(keyOf(reading, `${metric}Max`));
    return [
      {
        ...reading,
        ...(lowest === undefined ? {} : { lowest }),
        ...(highest === undefined ? {} : { highest }),
      },
    ];
  });
}

/** `26.8–26.9 °C`, of the window of the last figure; undefined where it had one reading, or they are as old as another window. */
export function showRange({ lowest, highest, at }: ListedReading, language: Language): string | undefined {
  if (lowest === undefined || highest === undefined || lowest.at !== at || highest.at !== at)
    return undefined;
  const low = showReading({ ...lowest, unit: '1' }, language);
  return `${low}–${showReading(highest, language)}`;
}

/** @throws ApiFailure */
export function fetchSensors(signal: AbortSignal): Promise<SensorList> {
  return call<SensorList>('GET', '/sensors', { signal, background: true });
}

/** Mean of each step, and with `isWhole` also its lowest and highest reading. @throws ApiFailure */
export async function fetchCourse(
  reading: ListedReading,
  period: SensorPeriod & { readonly includeBad: boolean; readonly isWhole: boolean },
  signal: AbortSignal,
): Promise<SensorCourse> {
  const { site, node, sensor, metric, unit } = reading;
  const { fromMs, toMs, stepMs, includeBad, isWhole } = period;
  const request = {
    ...{ site, node, stepMs, includeBad, tag: [`sensor:${sensor}`] },
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
  };
  const ask = async (source: string, aggregate: 'mean' | 'min' | 'max') => {
    const lines = await fetchSeries({ ...request, metric: source, aggregate }, signal);
    return alignLine(lines.find((each) => each.unit === unit)?.points ?? [], period);
  };
  const bound = async (aggregate: 'min' | 'max', told: SensorReading | undefined) => {
    const own = ask(metric, aggregate);
    // A window whose readings were all the same tells its mean alone.
    return told === undefined
      ? own
      : joinBounds(await own, await ask(told.metric, aggregate), Math[aggregate]);
  };
  const [mean, low, high] = await Promise.all([
    ask(metric, 'mean'),
    isWhole ? bound('min', reading.lowest) : [],
    isWhole ? bound('max', reading.highest) : [],
  ]);
  return {
    times: listTimes(period),
    low,
    mean,
    high,
    gaps: listSilence(mean, period),
  };
}

function joinBounds(
  ones: readonly (number | null)[],
  others: readonly (number | null)[],
  choose: (one: number, other: number) => number,
): (number | null)[] {
  return ones.map((one, place) => {
    const other = others[place] ?? null;
    return one === null || other === null ? (one ?? other) : choose(one, other);
  });
}

/** Stretches of more than two steps without a reading. */
export function listSilence(
  values: readonly (number | null)[],
  { fromMs, stepMs }: Pick<SensorPeriod, 'fromMs' | 'stepMs'>,
): ChartGap[] {
  const gaps: ChartGap[] = [];
  let begin: number | undefined;
  for (let step = 0; step <= values.length; step++) {
    if (step < values.length && values[step] === null) {
      begin ??= step;
      continue;
    }
    if (begin !== undefined && step - begin > 2) {
      const at = (place: number): number => (fromMs + place * stepMs) / 1_000;
      gaps.push({ from: at(begin), to: at(step) });
    }
    begin = undefined;
  }
  return gaps;
}
