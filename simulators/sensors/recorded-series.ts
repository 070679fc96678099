import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';
import type { SensorSeries } from './sensor-series.ts';

const MAX_BYTES = 32 * 1024 * 1024;
const MAX_ROWS = 1_000_000;
const ROW =
  /^\s*(\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?)\s*,\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*$/;

/** Quantity of a file by its name, as the traffic files of the Numenta Anomaly Benchmark are named. */
const METRIC_OF: readonly (readonly [RegExp, string])[] = [
  [/^occupancy/i, 'loopOccupancy'],
  [/^speed/i, 'loopSpeed'],
  [/^traveltime/i, 'travelTime'],
];

/**
 * Reads rows of `timestamp,value` (a header line may come first) in the order of the file. The distances of time of the recording are not
 * kept: the values are replayed at the interval that most rows have.
 * @throws NgatuError SENSOR_SERIES_INVALID
 */
export function readRecordedSeries(text: string, name: string): SensorSeries {
  const lines = text.split(/\r?\n/);
  const times: number[] = [];
  const values: number[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const [, time = '', number = ''] = ROW.exec(line) ?? [];
    const atMs = Date.parse(time.endsWith('Z') ? time.replace(' ', 'T') : `${time.replace(' ', 'T')}Z`);
    const value = Number(number);
    if (number === '' || !Number.isFinite(atMs) || !Number.isFinite(value)) {
      if (index === 0) continue;
      throw refuse(name, `line ${index + 1} is no time and value`);
    }
    if (values.length >= MAX_ROWS) throw refuse(name, `more than ${MAX_ROWS} rows`);
    times.push(atMs);
    values.push(value);
  }
  if (values.length < 2) throw refuse(name, 'it has fewer than two rows');
  const metric = METRIC_OF.find(([form]) => form.test(name))?.[1];
  if (metric === undefined)
    throw refuse(name, 'its name tells no quantity (occupancy…, speed…, TravelTime…)');
  return { name, metric, intervalMs: computeUsualStep(times), values };
}

/**
 * Reads a recorded series from a file.
 * @throws NgatuError FILE_UNREADABLE, SENSOR_SERIES_INVALID
 */
export async function loadRecordedSeries(file: string): Promise<SensorSeries> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read ${file}: ${errorMessage(cause)}`, { cause });
  });
  const name = basename(file).replace(/\.csv$/i, '');
  if (bytes.length > MAX_BYTES) throw refuse(name, `larger than ${MAX_BYTES} bytes`);
  return readRecordedSeries(bytes.toString('utf8'), name);
}

function computeUsualStep(times: readonly number[]): number {
  const steps = times
    .slice(1)
    .map((at, index) => at - (times[index] ?? at))
    .filter((step) => step > 0)
    .sort((a, b) => a - b);
  return steps[Math.floor(steps.length / 2)] ?? 60_000;
}

function refuse(name: string, why: string): NgatuError {
  return new NgatuError('SENSOR_SERIES_INVALID', `Cannot read the series "${name}": ${why}`);
}
