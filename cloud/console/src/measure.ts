import type { Event } from '@ngatu/contract';
import { isTextKey, type Language, translate } from './dictionary.ts';
import { formatDuration, formatMediaTime, formatNumber } from './format.ts';

const UNITS: readonly (readonly [suffix: string, unit: string])[] = [
  ['Px', 'px'],
  ['Kmh', 'km/h'],
  ['Mps', 'm/s'],
  ['Deg', '°'],
  ['Metres', 'm'],
  ['M', 'm'],
];

/** Which measure is the error of which others; those are shown as one, `31,5 ± 6,2 px`. */
const ERRORS: Readonly<Record<string, readonly string[]>> = {
  rearErrorPx: ['rearBeyondLinePx', 'rearBeforeLinePx'],
  frontErrorPx: ['frontBeyondLinePx', 'frontBeforeLinePx'],
  laneErrorPx: ['laneMarginPx'],
  errorPx: ['marginPx'],
  travelErrorPx: ['travelPx'],
  angleErrorDeg: ['angleDeg'],
};

/** Lower and upper bound of a measure; the three are shown as one, `72,4 (66,1–78,8) km/h`. */
const BOUNDS: Readonly<Record<string, readonly [low: string, high: string]>> = {
  speedKmh: ['speedLowKmh', 'speedHighKmh'],
  crossedAtMediaMs: ['crossedEarliestMediaMs', 'crossedLatestMediaMs'],
  frontPassedAtMediaMs: ['frontPassedEarliestMediaMs', 'frontPassedLatestMediaMs'],
};

export interface MeasureRow {
  readonly name: string;
  readonly words: string;
  readonly value: string;
}

function findUnit(name: string): readonly [suffix: string, unit: string] {
  return UNITS.find(([suffix]) => name.endsWith(suffix)) ?? ['', ''];
}

/** A name that the dictionary does not know in words: `insidePx` → `inside`. */
function splitName(name: string): string {
  const suffix = name.endsWith('Ms') ? 'Ms' : findUnit(name)[0];
  const stem = name.slice(0, name.length - suffix.length);
  return stem.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
}

function showBare(name: string, value: number, language: Language): string {
  if (name.endsWith('MediaMs')) return formatMediaTime(value);
  if (name.endsWith('Ms')) return formatDuration(value, language);
  return formatNumber(value, language, 2);
}

/** The figures that a rule decided on, each with its unit, its error or its bounds, in the order of the event. */
export function describeMeasures(measures: Event['measures'], language: Language): MeasureRow[] {
  const errorOf = new Map(
    Object.entries(ERRORS).flatMap(([error, names]) => names.map((name) => [name, error] as const)),
  );
  const absorbed = new Set<string>();
  for (const name of Object.keys(measures)) {
    for (const part of [errorOf.get(name), ...(BOUNDS[name] ?? [])])
      if (part !== undefined) absorbed.add(part);
  }
  return Object.entries(measures).flatMap(([name, value]) => {
    if (absorbed.has(name)) return [];
    const key = `measure.${name}`;
    const unit = findUnit(name)[1];
    const [low, high] = (BOUNDS[name] ?? []).map((bound) => measures[bound]);
    const error = measures[errorOf.get(name) ?? ''];
    const bare = showBare(name, value, language);
    const range =
      low === undefined || high === undefined
        ? ''
        : ` (${showBare(name, low, language)}–${showBare(name, high, language)})`;
    const margin = error === undefined ? '' : ` ± ${formatNumber(error, language, 2)}`;
    return [
      {
        name,
        words: isTextKey(key) ? translate(language, key) : splitName(name),
        value: `${bare}${margin}${range}${unit === '°' ? '' : ' '}${unit}`.trim(),
      },
    ];
  });
}
