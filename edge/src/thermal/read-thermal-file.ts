import { readFile } from 'node:fs/promises';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { isFlirFile, readFlirFile } from './flir-file.ts';
import type { MeasuringConditions } from './radiometry.ts';
import type { RawMapping } from './raw-mapping.ts';
import { type MatrixFormat, readJsonMatrix, readTextMatrix } from './temperature-matrix.ts';
import type { ThermalFrame } from './thermal-frame.ts';
import { readThermalVideo } from './thermal-video.ts';

export interface ThermalFileOptions {
  /** Replace what a FLIR camera was set to. */
  readonly conditions?: Partial<MeasuringConditions>;
  /** For 16-bit video. */
  readonly mapping?: RawMapping;
  readonly format?: MatrixFormat;
  readonly maxFrames: number;
}

export interface ThermalFile {
  readonly kind: 'flir' | 'text matrix' | 'json matrix' | '16-bit video';
  readonly frames: readonly ThermalFrame[];
  /** What else is known of the file, in words. */
  readonly notes: readonly string[];
}

/** Cameras of hundredths of a kelvin. */
const TLINEAR: RawMapping = { kind: 'linear', gain: 0.01, offsetC: -273.15 };
const MAX_FILE_BYTES = 1_073_741_824;
const STALL_TIMEOUT_MS = 20_000;

/**
 * Reads a file of any known thermal form, told by its first bytes.
 * @throws NgatuError FILE_UNREADABLE, THERMAL_INVALID, SETUP_PACKAGE_MISSING, CHILD_FAILED, THERMAL_UNAVAILABLE
 */
export async function readThermalFile(
  path: string,
  options: ThermalFileOptions,
  signal: AbortSignal,
): Promise<ThermalFile> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read ${path}: ${errorMessage(cause)}`, { cause });
  }
  if (bytes.length === 0 || bytes.length > MAX_FILE_BYTES)
    throw new NgatuError('THERMAL_INVALID', `Cannot read ${path}: ${bytes.length} bytes are no thermal file`);
  if (isFlirFile(bytes)) return readFlir(bytes, options, signal);
  if (isVideo(bytes)) return readVideo(path, options, signal);
  if (/^\s*\{/.test(bytes.subarray(0, 64).toString('utf8')))
    return { kind: 'json matrix', frames: [readJsonMatrix(bytes.toString('utf8'))], notes: [] };
  const { frame, unit, unitFrom } = readTextMatrix(bytes, options.format);
  return { kind: 'text matrix', frames: [frame], notes: [`unit ${unit}, ${unitFrom}`] };
}

async function readFlir(
  bytes: Buffer,
  options: ThermalFileOptions,
  signal: AbortSignal,
): Promise<ThermalFile> {
  const { frames, cameraModel, conditions, skippedBytes } = await readFlirFile(
    bytes,
    options.conditions ?? {},
    signal,
  );
  return {
    kind: 'flir',
    frames: frames.slice(0, options.maxFrames),
    notes: [
      `camera ${cameraModel}`,
      `emissivity ${conditions.emissivity.toFixed(2)}, ${conditions.distanceM} m, air ${conditions.atmosphereC.toFixed(1)} °C, ` +
        `${Math.round(conditions.relativeHumidity * 100)} %, reflected ${conditions.reflectedC.toFixed(1)} °C`,
      ...(skippedBytes > 0 ? [`${skippedBytes} bytes belong to no whole frame`] : []),
    ],
  };
}

/** Matroska, AVI and ISO media. */
function isVideo(bytes: Buffer): boolean {
  const isMatroska = bytes.subarray(0, 4).equals(Buffer.of(0x1a, 0x45, 0xdf, 0xa3));
  const isAvi = bytes.subarray(0, 4).toString('latin1') === 'RIFF';
  return isMatroska || isAvi || bytes.subarray(4, 8).toString('latin1') === 'ftyp';
}

async function readVideo(
  path: string,
  options: ThermalFileOptions,
  signal: AbortSignal,
): Promise<ThermalFile> {
  const mapping = options.mapping ?? TLINEAR;
  const frames: ThermalFrame[] = [];
  const input = { kind: 'file', path } as const;
  for await (const frame of readThermalVideo({ input, mapping, stallTimeoutMs: STALL_TIMEOUT_MS }, signal)) {
    frames.push(frame);
    if (frames.length >= options.maxFrames) break;
  }
  const notes = options.mapping === undefined ? ['read as hundredths of a kelvin'] : [];
  return { kind: '16-bit video', frames, notes };
}
