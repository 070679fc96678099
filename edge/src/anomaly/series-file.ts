import { createHash } from 'node:crypto';
import type { DetectorState } from './series-detector.ts';

/** Of the format and of what its numbers mean: a file of another version is not read. */
const VERSION = 1;
const MAGIC = 'ngatu-series';
const DIGEST_BYTES = 32;
const HEADER_BYTES_MAX = 64 * 1024;

interface Header {
  readonly magic: string;
  readonly version: number;
  readonly series: string;
  readonly numbers: Readonly<Record<string, number>>;
  readonly arrays: readonly {
    readonly name: string;
    readonly type: 'f32' | 'f64';
    readonly length: number;
  }[];
}

/**
 * What was learned of a series as bytes: SHA-256 of the rest [32], length of the header [4, little endian], header as JSON, then the
 * arrays it names, little endian.
 */
export function encodeSeriesFile(series: string, state: DetectorState): Buffer {
  const entries = Object.entries(state.arrays);
  const header: Header = {
    magic: MAGIC,
    version: VERSION,
    series,
    numbers: state.numbers,
    arrays: entries.map(([name, array]) => ({
      name,
      type: array instanceof Float32Array ? 'f32' : 'f64',
      length: array.length,
    })),
  };
  const head = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  const body = entries.map(([, array]) => Buffer.from(array.buffer, array.byteOffset, array.byteLength));
  const rest = Buffer.concat([length, head, ...body]);
  return Buffer.concat([createHash('sha256').update(rest).digest(), rest]);
}

/** The state in the bytes of a file, or why there is none of this series. */
export function decodeSeriesFile(series: string, bytes: Uint8Array): DetectorState | string {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < DIGEST_BYTES + 4) return 'it is cut short';
  const rest = file.subarray(DIGEST_BYTES);
  if (!createHash('sha256').update(rest).digest().equals(file.subarray(0, DIGEST_BYTES)))
    return 'its bytes are not those that were written';
  const headLength = rest.readUInt32LE();
  if (headLength > Math.min(HEADER_BYTES_MAX, rest.length - 4)) return 'its header is cut short';
  const header = readHeader(rest.subarray(4, 4 + headLength));
  if (header === undefined) return 'its header is not known';
  if (header.version !== VERSION) return `it is of version ${header.version}`;
  if (header.series !== series) return 'it is of another series';
  const arrays = cutArrays(header, rest.subarray(4 + headLength));
  return arrays === undefined ? 'its arrays are cut short' : { numbers: header.numbers, arrays };
}

function readHeader(bytes: Buffer): Header | undefined {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { magic, version, series, numbers, arrays } = value as Record<string, unknown>;
  const isKnown = magic === MAGIC && typeof version === 'number' && typeof series === 'string';
  if (!isKnown || typeof numbers !== 'object' || numbers === null || !Array.isArray(arrays)) return undefined;
  return arrays.every(isArrayEntry) && Object.values(numbers).every((each) => typeof each === 'number')
    ? (value as Header)
    : undefined;
}

function isArrayEntry(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { name, type, length } = value as Record<string, unknown>;
  return (
    typeof name === 'string' &&
    (type === 'f32' || type === 'f64') &&
    Number.isInteger(length) &&
    Number(length) >= 0
  );
}

function cutArrays({ arrays }: Header, bytes: Buffer): DetectorState['arrays'] | undefined {
  const sizeOf = ({ type, length }: Header['arrays'][number]): number => length * (type === 'f32' ? 4 : 8);
  if (arrays.reduce((total, each) => total + sizeOf(each), 0) !== bytes.length) return undefined;
  const result: Record<string, Float32Array | Float64Array> = {};
  let offset = 0;
  for (const entry of arrays) {
    // a copy of its own: the numbers of a buffer need not lie where an array of numbers may begin
    const copy = Uint8Array.from(bytes.subarray(offset, offset + sizeOf(entry))).buffer;
    result[entry.name] = entry.type === 'f32' ? new Float32Array(copy) : new Float64Array(copy);
    offset += sizeOf(entry);
  }
  return result;
}
