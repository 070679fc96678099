import { NgatuError } from '@ngatu/contract';
import type { AtmosphereConstants, MeasuringConditions, PlanckConstants } from './radiometry.ts';
import { isThermalSize } from './thermal-frame.ts';

/*
 * The FFF container of FLIR radiometric files: a 64-byte header with the place and number of a table of 32-byte entries,
 * each naming a record. Layout as documented by ExifTool's FLIR tables (S), checked on files of an SC660 and a T1030sc.
 */
const HEADER_BYTES = 64;
const ENTRY_BYTES = 32;
const MAX_RECORDS = 1_024;
const RECORD_RAW = 0x01;
const RECORD_CAMERA = 0x20;
/** Bytes of the raw record before its pixels. */
const RAW_HEADER_BYTES = 32;
const CAMERA_MIN_BYTES = 0x310;
/** When the picture was taken: seconds since 1970 and, in two of the next four bytes, milliseconds. */
const TAKEN_AT = 0x384;
const KELVIN = 273.15;

/** How the raw pixels of a record are packed. */
export type RawPacking = 'plain' | 'png' | 'jpeg-ls';

export interface FlirRecord {
  readonly width: number;
  readonly height: number;
  readonly packing: RawPacking;
  /** View of the file's bytes: packed pixels; `plain` holds at least `2 · width · height`. */
  readonly pixels: Uint8Array;
  /** Byte order of `plain` pixels. */
  readonly littleEndian: boolean;
  readonly planck: PlanckConstants;
  readonly atmosphere: AtmosphereConstants;
  readonly conditions: MeasuringConditions;
  readonly cameraModel: string;
  /** By the camera's own clock, ms since 1970; absent where it does not say. */
  readonly takenAtMs?: number;
  /** First byte behind the last record, from the record's begin. */
  readonly endOffset: number;
}

function refuse(why: string): NgatuError {
  return new NgatuError('THERMAL_INVALID', `Cannot read FLIR data: ${why}`);
}

interface TableEntry {
  readonly type: number;
  readonly offset: number;
  readonly length: number;
}

/** True where an FFF header stands at `offset`; random pixels may hold its first four bytes as well. */
export function isFlirHeader(bytes: Uint8Array, offset: number): boolean {
  if (offset + HEADER_BYTES > bytes.length) return false;
  if (bytes[offset] !== 0x46 || bytes[offset + 1] !== 0x46 || bytes[offset + 2] !== 0x46) return false;
  return findByteOrder(viewOf(bytes), offset) !== undefined;
}

/**
 * Reads the FFF record that begins at `offset`.
 * @throws NgatuError THERMAL_INVALID
 */
export function parseFlirRecord(bytes: Uint8Array, offset = 0): FlirRecord {
  if (!isFlirHeader(bytes, offset)) throw refuse(`no FFF header at byte ${offset}`);
  const file = bytes.subarray(offset);
  const entries = readTable(file);
  const raw = entries.find(({ type }) => type === RECORD_RAW);
  const camera = entries.find(({ type }) => type === RECORD_CAMERA);
  if (raw === undefined) throw refuse('it holds no raw thermal data');
  if (camera === undefined) throw refuse('it holds no calibration of the camera');
  return {
    ...readRaw(file.subarray(raw.offset, raw.offset + raw.length)),
    ...readCamera(file.subarray(camera.offset, camera.offset + camera.length)),
    endOffset: Math.max(...entries.map((entry) => entry.offset + entry.length)),
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The version stands in the header as 100–199 in the order of its bytes. */
function findByteOrder(view: DataView, offset: number): { little: boolean } | undefined {
  for (const little of [true, false]) {
    const version = view.getUint32(offset + 20, little);
    const table = view.getUint32(offset + 24, little);
    const count = view.getUint32(offset + 28, little);
    if (
      version >= 100 &&
      version < 200 &&
      table >= 32 &&
      table < 1_048_576 &&
      count >= 1 &&
      count <= MAX_RECORDS
    )
      return { little };
  }
  return undefined;
}

function readTable(file: Uint8Array): TableEntry[] {
  const view = viewOf(file);
  const order = findByteOrder(view, 0);
  if (order === undefined) throw refuse('its header names no known version');
  const begin = view.getUint32(24, order.little);
  const count = view.getUint32(28, order.little);
  if (begin + count * ENTRY_BYTES > file.length) throw refuse('its table of records is cut short');
  const entries: TableEntry[] = [];
  for (let i = 0; i < count; i++) {
    const at = begin + i * ENTRY_BYTES;
    const type = view.getUint16(at, order.little);
    const offset = view.getUint32(at + 12, order.little);
    const length = view.getUint32(at + 16, order.little);
    if (type === 0 || length === 0) continue;
    if (offset + length > file.length) throw refuse(`its record ${type} is cut short`);
    entries.push({ type, offset, length });
  }
  return entries;
}

function readRaw(
  record: Uint8Array,
): Pick<FlirRecord, 'width' | 'height' | 'packing' | 'pixels' | 'littleEndian'> {
  if (record.length <= RAW_HEADER_BYTES) throw refuse('its raw record is empty');
  const view = viewOf(record);
  const littleEndian = view.getUint16(0, true) === 2;
  const width = view.getUint16(2, littleEndian);
  const height = view.getUint16(4, littleEndian);
  if (!isThermalSize(width, height)) throw refuse(`its raw record states a size of ${width} × ${height}`);
  const pixels = record.subarray(RAW_HEADER_BYTES);
  const packing = findPacking(pixels);
  if (packing === 'plain' && pixels.length < width * height * 2)
    throw refuse(`${pixels.length} bytes hold no ${width} × ${height} pixels`);
  return { width, height, packing, pixels, littleEndian };
}

function findPacking(pixels: Uint8Array): RawPacking {
  if (pixels[0] === 0x89 && pixels[1] === 0x50 && pixels[2] === 0x4e && pixels[3] === 0x47) return 'png';
  if (pixels[0] === 0xff && pixels[1] === 0xd8 && pixels[2] === 0xff && pixels[3] === 0xf7) return 'jpeg-ls';
  return 'plain';
}

function readCamera(
  record: Uint8Array,
): Pick<FlirRecord, 'planck' | 'atmosphere' | 'conditions' | 'cameraModel' | 'takenAtMs'> {
  if (record.length < CAMERA_MIN_BYTES) throw refuse('its record of the camera is cut short');
  const view = viewOf(record);
  const little = view.getUint16(0, true) === 2;
  const float = (at: number): number => view.getFloat32(at, little);
  const planck = {
    r1: float(0x58),
    b: float(0x5c),
    f: float(0x60),
    o: view.getInt32(0x308, little),
    r2: float(0x30c),
  };
  if (!(planck.r1 > 0 && planck.b > 0 && planck.r2 > 0 && planck.f > 0) || !hasNumbersOnly(planck))
    throw refuse('its Planck constants make no temperature');
  return {
    planck,
    atmosphere: readAtmosphere(float),
    conditions: readConditions(float),
    cameraModel: readText(record.subarray(0xd4, 0xd4 + 32)),
    ...readTakenAt(view, little),
  };
}

function readTakenAt(view: DataView, little: boolean): Pick<FlirRecord, 'takenAtMs'> {
  if (view.byteLength < TAKEN_AT + 8) return {};
  const seconds = view.getUint32(TAKEN_AT, little);
  const ms = view.getUint32(TAKEN_AT + 4, little) & 0xffff;
  return seconds === 0 || ms >= 1_000 ? {} : { takenAtMs: seconds * 1_000 + ms };
}

function hasNumbersOnly(values: object): boolean {
  return Object.values(values).every(Number.isFinite);
}

function readAtmosphere(float: (at: number) => number): AtmosphereConstants {
  const atmosphere = {
    alpha1: float(0x70),
    alpha2: float(0x74),
    beta1: float(0x78),
    beta2: float(0x7c),
    x: float(0x80),
  };
  if (!hasNumbersOnly(atmosphere) || Object.values(atmosphere).some((value) => Math.abs(value) > 100))
    throw refuse('its constants of the atmosphere are not numbers of that kind');
  return atmosphere;
}

function readConditions(float: (at: number) => number): MeasuringConditions {
  const humidity = float(0x3c);
  const conditions: MeasuringConditions = {
    emissivity: float(0x20),
    distanceM: float(0x24),
    reflectedC: float(0x28) - KELVIN,
    atmosphereC: float(0x2c) - KELVIN,
    windowC: float(0x30) - KELVIN,
    windowTransmission: float(0x34),
    // some models write per cent
    relativeHumidity: humidity > 2 ? humidity / 100 : humidity,
  };
  const isShare = (value: number): boolean => value > 0 && value <= 1;
  const temperatures = [conditions.reflectedC, conditions.atmosphereC, conditions.windowC];
  const plausible =
    hasNumbersOnly(conditions) &&
    isShare(conditions.emissivity) &&
    isShare(conditions.windowTransmission) &&
    conditions.relativeHumidity >= 0 &&
    conditions.relativeHumidity <= 1 &&
    conditions.distanceM >= 0 &&
    conditions.distanceM <= 10_000 &&
    temperatures.every((celsius) => celsius > -100 && celsius < 500);
  if (!plausible) throw refuse('its emissivity, distance or air are not possible');
  return conditions;
}

function readText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  const text = new TextDecoder('latin1').decode(end < 0 ? bytes : bytes.subarray(0, end));
  return text.replace(/[^\x20-\x7e]/g, '').trim();
}
