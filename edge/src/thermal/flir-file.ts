import { NgatuError } from '@ngatu/contract';
import sharp from 'sharp';
import { type FlirRecord, isFlirHeader, parseFlirRecord } from './flir-record.ts';
import { decodeJpegLs } from './jpeg-ls.ts';
import {
  buildTemperatureTable,
  type MeasuringConditions,
  mapToTemperatures,
  type PlanckConstants,
} from './radiometry.ts';
import type { ThermalFrame } from './thermal-frame.ts';

/** Of a long recording, so many are read as a whole; all of them one after the other. */
const MAX_FRAMES = 512;
const MAX_STREAMED = 100_000;
/** Frames that are unpacked at once: one second of most cameras. */
const PART = 32;
const CONTAINER_HEAD = [0x46, 0x46, 0x46];
const JPEG_HEAD = [0xff, 0xd8];
const FLIR_MARK = [0x46, 0x4c, 0x49, 0x52, 0x00];
const APP1 = 0xe1;
const START_OF_SCAN = 0xda;

export interface FlirReading {
  readonly frames: readonly ThermalFrame[];
  readonly cameraModel: string;
  readonly planck: PlanckConstants;
  /** As stored by the camera, with what the caller replaced. */
  readonly conditions: MeasuringConditions;
  /** Bytes that belong to no record (a recording that was cut), skipped. */
  readonly skippedBytes: number;
}

/**
 * Reads a FLIR radiometric JPEG, SEQ or CSQ.
 * @param replaced conditions that are known better than what the camera was set to (emissivity of skin, distance, air)
 * @throws NgatuError THERMAL_INVALID; SETUP_PACKAGE_MISSING, CHILD_FAILED where ffmpeg is needed and does not run
 */
export async function readFlirFile(
  bytes: Uint8Array,
  replaced: Partial<MeasuringConditions>,
  signal: AbortSignal,
): Promise<FlirReading> {
  const { first, records, skippedBytes } = findRecords(bytes, MAX_FRAMES);
  const frames: ThermalFrame[] = [];
  for await (const frame of mapRecords(records, replaced, signal)) frames.push(frame);
  return {
    frames,
    skippedBytes,
    cameraModel: first.cameraModel,
    planck: first.planck,
    conditions: { ...first.conditions, ...replaced },
  };
}

/** True where a FLIR file begins so: the container of a recording, or a JPEG. */
export function isFlirFile(head: Uint8Array): boolean {
  return beginsWith(head, CONTAINER_HEAD) || beginsWith(head, JPEG_HEAD);
}

function beginsWith(bytes: Uint8Array, head: readonly number[]): boolean {
  return head.every((byte, at) => bytes[at] === byte);
}

/**
 * The frames of a FLIR file one after the other, unpacked as they are taken. What `readFlirFile` says of input and errors holds here.
 * @throws NgatuError THERMAL_INVALID, SETUP_PACKAGE_MISSING, CHILD_FAILED
 */
export async function* streamFlirFile(
  bytes: Uint8Array,
  replaced: Partial<MeasuringConditions>,
  signal: AbortSignal,
): AsyncGenerator<ThermalFrame> {
  yield* mapRecords(findRecords(bytes, MAX_STREAMED).records, replaced, signal);
}

interface FoundRecords {
  readonly first: FlirRecord;
  readonly records: readonly FlirRecord[];
  readonly skippedBytes: number;
}

function findRecords(bytes: Uint8Array, limit: number): FoundRecords {
  const container = beginsWith(bytes, JPEG_HEAD) ? joinJpegSegments(bytes) : bytes;
  const { records, skippedBytes } = splitRecords(container, limit);
  const [first] = records;
  if (first === undefined)
    throw new NgatuError('THERMAL_INVALID', 'Cannot read FLIR data: it holds no frame');
  return { first, records, skippedBytes };
}

async function* mapRecords(
  records: readonly FlirRecord[],
  replaced: Partial<MeasuringConditions>,
  signal: AbortSignal,
): AsyncGenerator<ThermalFrame> {
  // of the last calibration only: a file that names another in each frame must not fill the memory
  let known: { readonly key: string; readonly table: Float32Array } | undefined;
  const beganMs = records[0]?.takenAtMs;
  for (let from = 0; from < records.length && !signal.aborted; from += PART) {
    const part = records.slice(from, from + PART);
    const pixels = await unpackAll(part, signal);
    for (const [index, { planck, atmosphere, width, height, takenAtMs, ...record }] of part.entries()) {
      const conditions = { ...record.conditions, ...replaced };
      const key = JSON.stringify([planck, atmosphere, conditions]);
      if (known?.key !== key) known = { key, table: buildTemperatureTable(planck, conditions, atmosphere) };
      const celsius = mapToTemperatures(pixels[index] ?? new Uint16Array(), known.table);
      const isTimed = beganMs !== undefined && takenAtMs !== undefined && takenAtMs >= beganMs;
      yield { width, height, celsius, ...(isTimed ? { mediaTimeMs: takenAtMs - beganMs } : {}) };
    }
  }
}

/** The FLIR parts of a JPEG's APP1 segments, in the order of their numbers. */
function joinJpegSegments(bytes: Uint8Array): Uint8Array {
  const parts = new Map<number, Uint8Array>();
  let expected = 0;
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== START_OF_SCAN) {
    const length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
    const body = bytes.subarray(at + 4, at + 2 + length);
    if (bytes[at + 1] === APP1 && FLIR_MARK.every((byte, i) => body[i] === byte) && body.length >= 8) {
      parts.set(body[6] ?? 0, body.subarray(8));
      expected = (body[7] ?? 0) + 1;
    }
    at += 2 + Math.max(2, length);
  }
  if (parts.size === 0)
    throw new NgatuError('THERMAL_INVALID', 'Cannot read FLIR data: the JPEG holds no thermal segment');
  const ordered = Array.from({ length: expected }, (_, index) => parts.get(index));
  const missing = ordered.indexOf(undefined);
  if (missing >= 0)
    throw new NgatuError('THERMAL_INVALID', `Cannot read FLIR data: thermal segment ${missing} is missing`);
  return Buffer.concat(ordered.filter((part) => part !== undefined));
}

/** Frames stand one behind the other; where one is damaged, the next header is looked for. */
function splitRecords(bytes: Uint8Array, limit: number): { records: FlirRecord[]; skippedBytes: number } {
  const records: FlirRecord[] = [];
  let skippedBytes = 0;
  let failure: unknown;
  let at = 0;
  while (at < bytes.length && records.length < limit) {
    const next = findHeader(bytes, at);
    skippedBytes += next - at;
    if (next >= bytes.length) break;
    try {
      const record = parseFlirRecord(bytes, next);
      records.push(record);
      at = next + record.endOffset;
    } catch (error) {
      failure ??= error;
      skippedBytes += 4;
      at = next + 4;
    }
  }
  if (records.length === 0 && failure !== undefined) throw failure;
  return { records, skippedBytes };
}

function findHeader(bytes: Uint8Array, from: number): number {
  const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = haystack.indexOf('FFF', from, 'latin1');
  while (at >= 0 && !isFlirHeader(bytes, at)) at = haystack.indexOf('FFF', at + 1, 'latin1');
  return at < 0 ? bytes.length : at;
}

async function unpackAll(records: readonly FlirRecord[], signal: AbortSignal): Promise<Uint16Array[]> {
  const packed = records.filter(({ packing }) => packing === 'jpeg-ls');
  const decoded = packed.length === 0 ? [] : await decodeJpegLs(packed, signal);
  const byRecord = new Map(packed.map((record, index) => [record, decoded[index]]));
  return Promise.all(records.map(async (record) => byRecord.get(record) ?? (await unpackHere(record))));
}

async function unpackHere(record: FlirRecord): Promise<Uint16Array> {
  const { width, height, pixels, packing, littleEndian } = record;
  if (packing === 'png') return unpackPng(record);
  const view = new DataView(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  return Uint16Array.from({ length: width * height }, (_, i) => view.getUint16(2 * i, littleEndian));
}

/** PNG holds 16-bit samples high byte first; FLIR writes the low byte first into it, so that each sample is swapped. */
async function unpackPng({ width, height, pixels }: FlirRecord): Promise<Uint16Array> {
  try {
    const image = sharp(pixels, { limitInputPixels: width * height, failOn: 'error' });
    const { data, info } = await image
      .toColourspace('grey16')
      .raw({ depth: 'ushort' })
      .toBuffer({ resolveWithObject: true });
    if (info.width !== width || info.height !== height || info.channels !== 1)
      throw new Error(`it holds ${info.width} × ${info.height} × ${info.channels} samples`);
    const samples = new Uint16Array(data.buffer, data.byteOffset, width * height);
    return samples.map((value) => ((value & 0xff) << 8) | (value >> 8));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new NgatuError('THERMAL_INVALID', `Cannot read FLIR data: its PNG is not sound: ${why}`, { cause });
  }
}
