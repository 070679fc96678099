import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';
import type { NabWindow } from './nab-score.ts';

const WINDOWS_FILE = 'windows.json';
const MAX_FILE_BYTES = 64 * 1024 * 1024;
const MAX_SERIES = 10_000;
const ROWS_MIN = 20;

/** A series with its labelled anomalies. */
export interface LabelledSeries {
  /** Its path in `windows.json`. */
  readonly name: string;
  /** Times in ms as if they were UTC, rising, [rows]. */
  readonly atMs: Float64Array;
  readonly values: Float64Array;
  readonly windows: readonly NabWindow[];
}

/**
 * Reads a folder as NAB lays one out: `windows.json` (path of a CSV file → pairs of first and last time of an anomaly) beside the CSV
 * files it names, by their path or by their name alone, each with the columns `timestamp,value`.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID
 */
export async function loadNabFolder(folder: string): Promise<LabelledSeries[]> {
  const file = join(folder, WINDOWS_FILE);
  const labels = parseNabWindows(await readText(file), file);
  const series: LabelledSeries[] = [];
  for (const [name, periods] of labels) {
    const { path, text } = await readSeries(folder, name);
    const rows = parseNabSeries(text, path);
    series.push({ name, ...rows, windows: periods.map((period) => findWindow(period, rows.atMs, path)) });
  }
  return series;
}

/** @throws NgatuError TRUTH_INVALID */
export function parseNabWindows(text: string, file: string): Map<string, (readonly [number, number])[]> {
  const refuse = (why: string): NgatuError =>
    new NgatuError('TRUTH_INVALID', `Cannot read windows of ${file}: ${why}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refuse(`it is not JSON (${errorMessage(cause)})`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refuse('expected an object of paths of series');
  const entries = Object.entries(value);
  if (entries.length === 0 || entries.length > MAX_SERIES)
    throw refuse(`it names ${entries.length} series, expected 1 to ${MAX_SERIES}`);
  return new Map(
    entries.map(([name, periods]: [string, unknown]) => {
      if (!Array.isArray(periods)) throw refuse(`"${name}" has no list of windows`);
      const read = periods.map((period: unknown): readonly [number, number] => {
        const [first, last] = Array.isArray(period) ? period.map(parseTime) : [];
        if (first === undefined || last === undefined || last < first)
          throw refuse(`"${name}" has a window that is no pair of rising times`);
        return [first, last];
      });
      return [name, read.sort(([a], [b]) => a - b)];
    }),
  );
}

/**
 * The rows of a CSV file with the columns `timestamp` and `value`. Rows whose time is that of the row before are kept apart by 1 ms (clocks
 * put back, doubled rows): each row counts in NAB's scoring.
 * @throws NgatuError TRUTH_INVALID
 */
export function parseNabSeries(text: string, file: string): { atMs: Float64Array; values: Float64Array } {
  const refuse = (why: string): NgatuError =>
    new NgatuError('TRUTH_INVALID', `Cannot read series ${file}: ${why}`);
  const [head = '', ...lines] = text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== '');
  const columns = head.split(',').map((cell) => cell.trim().replaceAll('"', '').toLowerCase());
  const [timeColumn, valueColumn] = [columns.indexOf('timestamp'), columns.indexOf('value')];
  if (timeColumn < 0 || valueColumn < 0) throw refuse('it has no columns timestamp and value');
  if (lines.length < ROWS_MIN) throw refuse(`it has ${lines.length} rows, expected at least ${ROWS_MIN}`);
  const atMs = new Float64Array(lines.length);
  const values = new Float64Array(lines.length);
  for (const [index, line] of lines.entries()) {
    const cells = line.split(',');
    const at = parseTime(cells[timeColumn]?.trim().replaceAll('"', ''));
    const cell = cells[valueColumn]?.trim().replaceAll('"', '') ?? '';
    const value = cell === '' ? Number.NaN : Number(cell);
    if (at === undefined || !Number.isFinite(value))
      throw refuse(`row ${index + 2} is not a time and a number`);
    const before = index === 0 ? Number.NEGATIVE_INFINITY : (atMs[index - 1] ?? 0);
    if (at < before - 7_200_000) throw refuse(`row ${index + 2} lies before the row above it`);
    atMs[index] = Math.max(at, before + 1);
    values[index] = value;
  }
  return { atMs, values };
}

/** `2015-09-01 13:45:00` or with fractions, as ms; undefined where it is none. */
function parseTime(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined;
  const match = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(\.\d{1,9})?Z?$/.exec(text);
  if (match === null) return undefined;
  const at = Date.parse(`${match[1]}T${match[2]}${(match[3] ?? '').slice(0, 4)}Z`);
  return Number.isNaN(at) ? undefined : at;
}

function findWindow([first, last]: readonly [number, number], atMs: Float64Array, file: string): NabWindow {
  const window = { first: atMs.findIndex((at) => at >= first), last: atMs.findLastIndex((at) => at <= last) };
  if (window.first < 0 || window.last < window.first)
    throw new NgatuError('TRUTH_INVALID', `Cannot place a window in ${file}: no row lies in it`);
  return window;
}

async function readSeries(folder: string, name: string): Promise<{ path: string; text: string }> {
  const isInside = !name.split(/[\\/]/).includes('..') && !name.startsWith('/');
  if (!isInside)
    throw new NgatuError('TRUTH_INVALID', `Cannot read series "${name}": it lies outside of ${folder}`);
  const flat = join(folder, basename(name));
  try {
    const path = join(folder, name);
    return { path, text: await readText(path) };
  } catch (error) {
    if (flat === join(folder, name)) throw error;
    return { path: flat, text: await readText(flat) };
  }
}

async function readText(file: string): Promise<string> {
  try {
    const bytes = await readFile(file);
    if (bytes.length <= MAX_FILE_BYTES) return new TextDecoder().decode(bytes);
  } catch (cause) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read ${file}: ${errorMessage(cause)}`, { cause });
  }
  throw new NgatuError('TRUTH_INVALID', `Cannot accept ${file}: it is larger than ${MAX_FILE_BYTES} bytes`);
}
