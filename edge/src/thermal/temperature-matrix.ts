import { gunzipSync } from 'node:zlib';
import {
  errorMessage,
  NgatuError,
  parseWithSchema,
  TemperatureMatrix,
  type TemperatureUnit,
} from '@ngatu/contract';
import { findNumberTable, type TableFormat } from './number-table.ts';
import { isThermalSize, type ThermalFrame } from './thermal-frame.ts';

/** A packed file may not unfold to more, bytes. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024;
/** The middle of a picture with people in it lies within these, °C: anything else was read in the wrong unit. */
const PLAUSIBLE_MEDIAN_C = { low: -30, high: 80 };
/** At least this share of the pixels must be readable. */
const MIN_READABLE = 0.5;

/** What the caller knows better than the file says. */
export interface MatrixFormat extends TableFormat {
  readonly unit?: TemperatureUnit;
}

export interface MatrixReading {
  readonly frame: ThermalFrame;
  readonly unit: TemperatureUnit;
  /** Who says so: the caller, words in the file, or the size of the numbers alone. */
  readonly unitFrom: 'declared' | 'stated' | 'inferred';
}

/** How a matrix comes over a line: a `TemperatureMatrix` as JSON, or a table as text. */
export type MatrixForm = 'json' | 'text';

/**
 * Reads a matrix as it came over a line. At 640 × 512 this takes a tenth of a second.
 * @throws NgatuError THERMAL_INVALID
 */
export function readMatrix(bytes: Uint8Array, form: MatrixForm): ThermalFrame {
  return form === 'json' ? readJsonMatrix(new TextDecoder().decode(bytes)) : readTextMatrix(bytes).frame;
}

function refuse(why: string, cause?: unknown): NgatuError {
  return new NgatuError(
    'THERMAL_INVALID',
    `Cannot read a matrix of temperatures: ${why}`,
    cause === undefined ? {} : { cause },
  );
}

/**
 * Reads a matrix of temperatures written as text, as cameras' own software exports it: any of the usual delimiters, decimal point or
 * comma, UTF-8, UTF-16 or Latin-1, with or without gzip, with or without numbered rows and columns.
 * @throws NgatuError THERMAL_INVALID
 */
export function readTextMatrix(bytes: Uint8Array, format: MatrixFormat = {}): MatrixReading {
  const text = decodeText(unpack(bytes));
  const table = findNumberTable(text, format);
  if (table === undefined) throw refuse('it holds no table of numbers');
  const { width, height, values } = table;
  if (!isThermalSize(width, height)) throw refuse(`a table of ${width} × ${height} is no thermal picture`);
  const stated = findStatedUnit(table.words);
  const unit = format.unit ?? stated ?? inferUnit(values);
  const unitFrom = format.unit !== undefined ? 'declared' : stated !== undefined ? 'stated' : 'inferred';
  return { frame: { width, height, celsius: toCelsius(values, unit) }, unit, unitFrom };
}

/**
 * Takes a `TemperatureMatrix` as it comes by HTTP or MQTT.
 * @throws NgatuError THERMAL_INVALID
 */
export function readJsonMatrix(text: string): ThermalFrame {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refuse(`it is not JSON: ${errorMessage(cause)}`, cause);
  }
  const values = findValues(value);
  const matrix = parseWithSchema(
    TemperatureMatrix,
    values === undefined ? value : { ...Object(value), values: [] },
    {
      code: 'THERMAL_INVALID',
      what: 'a matrix of temperatures',
    },
  );
  const { width, height, unit, capturedAt } = matrix;
  const numbers = takeNumbers(values ?? matrix.values, width * height);
  const frame = { width, height, celsius: toCelsius(numbers, unit) };
  return capturedAt === undefined ? frame : { ...frame, capturedAtMs: Date.parse(capturedAt) };
}

/** The list of a matrix, which is looked at by itself: a schema takes half a second for a picture. */
function findValues(value: unknown): readonly unknown[] | undefined {
  if (typeof value !== 'object' || value === null || !('values' in value)) return undefined;
  return Array.isArray(value.values) ? value.values : undefined;
}

function takeNumbers(values: readonly unknown[], count: number): Float32Array {
  if (values.length !== count) throw refuse(`${values.length} values are not the ${count} of its size`);
  const numbers = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const value = values[i];
    if (value === null) numbers[i] = Number.NaN;
    else if (typeof value === 'number' && Number.isFinite(value)) numbers[i] = value;
    else throw refuse(`/values/${i}: expected a number or null`);
  }
  return numbers;
}

function unpack(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) {
    if (bytes.length > MAX_TEXT_BYTES) throw refuse(`${bytes.length} bytes are more than ${MAX_TEXT_BYTES}`);
    return bytes;
  }
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_TEXT_BYTES });
  } catch (cause) {
    throw refuse(`its gzip is not sound: ${errorMessage(cause)}`, cause);
  }
}

function decodeText(bytes: Uint8Array): string {
  const [a, b, c, d] = bytes;
  if (a === 0xff && b === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (a === 0xfe && b === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  if (a !== 0 && b === 0 && c !== 0 && d === 0) return new TextDecoder('utf-16le').decode(bytes);
  if (a === 0 && b !== 0 && c === 0 && d !== 0) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // exports of older Windows software: only the degree sign lies outside ASCII
    return new TextDecoder('latin1').decode(bytes);
  }
}

function findStatedUnit(words: string): TemperatureUnit | undefined {
  const found = [
    ...words.matchAll(
      /(?:°|º|\bdeg(?:rees?)?\.?\s*|\bin\s+|[[(]\s*)(F|C|K)\b|\b(fahrenheit|celsius|kelvin)\b/gi,
    ),
  ].map(([, letter, word]) => (letter ?? word ?? '').charAt(0).toUpperCase());
  const [letter] = found;
  if (letter === undefined || found.some((other) => other !== letter)) return undefined;
  return letter === 'F' ? '[degF]' : letter === 'K' ? 'K' : 'Cel';
}

/** Rooms and people are 15–40 °C, 59–104 °F or 288–313 K: the ranges do not meet. */
function inferUnit(values: Float32Array): TemperatureUnit {
  const median = medianOf(values);
  if (median === undefined) throw refuse('none of its pixels can be read');
  if (median > 230) return 'K';
  return median > 50 ? '[degF]' : 'Cel';
}

function medianOf(values: Float32Array): number | undefined {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  return sorted[Math.floor(sorted.length / 2)];
}

function toCelsius(values: Float32Array, unit: TemperatureUnit): Float32Array {
  const celsius = values.map((value) => {
    if (unit === 'Cel') return value;
    return unit === 'K' ? value - 273.15 : (value - 32) / 1.8;
  });
  const readable = celsius.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0);
  if (readable < MIN_READABLE * celsius.length)
    throw refuse(`only ${readable} of ${celsius.length} pixels can be read`);
  const median = medianOf(celsius) ?? Number.NaN;
  if (!(median >= PLAUSIBLE_MEDIAN_C.low && median <= PLAUSIBLE_MEDIAN_C.high))
    throw refuse(`a middle temperature of ${median.toFixed(1)} °C is none of a room with people`);
  return celsius;
}
