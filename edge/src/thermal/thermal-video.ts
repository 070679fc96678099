import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { NgatuError } from '@ngatu/contract';
import { FrameTimes } from './frame-times.ts';
import { mapToTemperatures } from './radiometry.ts';
import { buildMappingTable, type RawMapping } from './raw-mapping.ts';
import { isThermalSize, type ThermalFrame } from './thermal-frame.ts';

/** A recording with 16-bit grey pictures (FFV1 and others), or a camera that delivers Y16. */
export type ThermalVideoInput =
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'v4l2';
      /** `/dev/video0`. */
      readonly device: string;
      readonly width: number;
      readonly height: number;
      readonly framesPerSecond: number;
    };

export interface ThermalVideoOptions {
  readonly input: ThermalVideoInput;
  readonly mapping: RawMapping;
  /** No picture for this long is a stall, ms. */
  readonly stallTimeoutMs: number;
}

/** Pipe on which the filter prints one line a frame. */
const TIMING_FD = 3;
const TIMED = `settb=1/1000000,metadata=mode=add:key=n:value=1,metadata=mode=print:file=pipe\\\\:${TIMING_FD}:direct=1`;
/** Ends ffmpeg where a picture is of another size: a driver may choose its own, and raw pictures would then be cut in the wrong places. */
const sizedAs = (width: number, height: number): string =>
  `crop=w='${width}*eq(iw,${width})':h='${height}*eq(ih,${height})'`;
const SIXTEEN_BITS = /^gray(9|10|12|14|16)(le|be)$/;
const PROBE_TIMEOUT_MS = 10_000;
const MESSAGE_CHARS = 400;

/** Arguments of ffmpeg that open an input as 16-bit grey. */
export function buildInputArguments(input: ThermalVideoInput): string[] {
  if (input.kind === 'file') return ['-i', `file:${input.path}`];
  return [
    ...['-f', 'v4l2', '-input_format', 'gray16le', '-video_size', `${input.width}x${input.height}`],
    ...['-framerate', String(input.framesPerSecond), '-i', input.device],
  ];
}

/**
 * The pictures of a recording, as fast as they are taken, or of a camera: the driver's ring drops what nobody takes. Values
 * of fewer than 16 bits keep their number. Ends with the file, with `signal`, or when the consumer stops.
 * @throws NgatuError THERMAL_INVALID, THERMAL_UNAVAILABLE, PROFILE_INVALID, SETUP_PACKAGE_MISSING
 */
export async function* readThermalVideo(
  options: ThermalVideoOptions,
  signal: AbortSignal,
): AsyncGenerator<ThermalFrame> {
  const { input, stallTimeoutMs } = options;
  const table = buildMappingTable(options.mapping);
  const { width, height, format } =
    input.kind === 'file' ? await probeFile(input.path, signal) : { ...input, format: 'gray16le' };
  const child = startDecoder(input, {
    filter: `${sizedAs(width, height)},${TIMED}`,
    format: format.endsWith('be') ? format.replace('be', 'le') : format,
  });
  const stop = (): void => void child.process.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) return;
    let frames = 0;
    for await (const bytes of cutPictures(child, width * height * 2, stallTimeoutMs)) {
      const raw = new Uint16Array(bytes.buffer, bytes.byteOffset, width * height);
      frames++;
      const timeUs = await child.times.take();
      yield {
        width,
        height,
        celsius: mapToTemperatures(raw, table),
        ...(timeUs === undefined ? {} : { mediaTimeMs: timeUs / 1000 }),
      };
    }
    const code = await child.exited;
    if (!signal.aborted && (code !== 0 || frames === 0)) throw failureOf(input, child.message());
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
    await child.exited;
  }
}

/** A file does not get better; a camera may come back. */
function failureOf(input: ThermalVideoInput, message: string): NgatuError {
  if (input.kind === 'file')
    return new NgatuError(
      'THERMAL_INVALID',
      `Cannot read thermal video ${input.path}: ${message || 'it holds no frame'}`,
    );
  return new NgatuError(
    'THERMAL_UNAVAILABLE',
    `Cannot read thermal camera ${input.device} (asked for ${input.width} × ${input.height}): ${message || 'it gives no picture'}`,
    { retryable: true },
  );
}

interface Decoder {
  readonly process: ChildProcess;
  readonly pictures: Readable;
  /** µs. */
  readonly times: FrameTimes;
  readonly exited: Promise<number | null>;
  message(): string;
}

function startDecoder(
  input: ThermalVideoInput,
  { filter, format }: { readonly filter: string; readonly format: string },
): Decoder {
  const args = [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'error'],
    ...buildInputArguments(input),
    ...[
      '-map',
      '0:v:0',
      '-vf',
      filter,
      '-fps_mode',
      'passthrough',
      '-f',
      'rawvideo',
      '-pix_fmt',
      format,
      'pipe:1',
    ],
  ];
  const child = spawn('ffmpeg', args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  let message = '';
  readPipe(child, 2).on('data', (text: string) => {
    message = (message + text).slice(0, MESSAGE_CHARS);
  });
  const times = new FrameTimes(readPipe(child, TIMING_FD));
  const exited = new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      message = error.message;
      resolve(null);
    });
    child.once('close', (code) => resolve(code));
  });
  const [, pictures] = child.stdio;
  if (pictures === null) throw new Error('ffmpeg has no output');
  return { process: child, pictures, times, exited, message: () => message.trim().split('\n')[0] ?? '' };
}

function readPipe(child: ChildProcess, fd: number): Readable {
  const pipe = child.stdio[fd];
  if (pipe === null || pipe === undefined || !('read' in pipe)) throw new Error(`ffmpeg has no pipe ${fd}`);
  return pipe.setEncoding('utf8');
}

async function* cutPictures(
  child: Decoder,
  sizeBytes: number,
  stallTimeoutMs: number,
): AsyncGenerator<Buffer> {
  let picture = Buffer.allocUnsafeSlow(sizeBytes);
  let filled = 0;
  let isStalled = false;
  const watch = setTimeout(() => {
    isStalled = true;
    child.process.kill('SIGKILL');
  }, stallTimeoutMs);
  try {
    for await (const chunk of child.pictures as AsyncIterable<Buffer>) {
      for (let offset = 0; offset < chunk.length; ) {
        const count = Math.min(sizeBytes - filled, chunk.length - offset);
        chunk.copy(picture, filled, offset, offset + count);
        filled += count;
        offset += count;
        if (filled < sizeBytes) continue;
        watch.refresh();
        yield picture;
        watch.refresh();
        picture = Buffer.allocUnsafeSlow(sizeBytes);
        filled = 0;
      }
    }
  } finally {
    clearTimeout(watch);
  }
  if (isStalled)
    throw new NgatuError(
      'THERMAL_UNAVAILABLE',
      `Cannot read thermal video: no picture for ${stallTimeoutMs} ms`,
      {
        retryable: true,
      },
    );
}

/** Size and pixel format; a picture of 8 bits holds no temperatures. */
async function probeFile(
  path: string,
  signal: AbortSignal,
): Promise<{ readonly width: number; readonly height: number; readonly format: string }> {
  const text = await runProbe(path, signal);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new NgatuError('THERMAL_INVALID', `Cannot read thermal video ${path}: ffprobe cannot open it`, {
      cause,
    });
  }
  const { width, height, pix_fmt: format } = readStream(value);
  if (
    typeof width !== 'number' ||
    typeof height !== 'number' ||
    typeof format !== 'string' ||
    !isThermalSize(width, height)
  )
    throw new NgatuError('THERMAL_INVALID', `Cannot read thermal video ${path}: it holds no picture`);
  if (!SIXTEEN_BITS.test(format))
    throw new NgatuError(
      'THERMAL_INVALID',
      `Cannot read thermal video ${path}: pixels of the form ${format} hold no temperatures, 16-bit grey is needed`,
    );
  return { width, height, format };
}

/** The first stream of what ffprobe prints. */
function readStream(value: unknown): { width?: unknown; height?: unknown; pix_fmt?: unknown } {
  if (typeof value !== 'object' || value === null || !('streams' in value)) return {};
  const [stream]: unknown[] = Array.isArray(value.streams) ? value.streams : [];
  return typeof stream === 'object' && stream !== null ? stream : {};
}

function runProbe(path: string, signal: AbortSignal): Promise<string> {
  const args = [
    '-v',
    'error',
    '-of',
    'json',
    '-select_streams',
    'v:0',
    '-show_entries',
    'stream=width,height,pix_fmt',
  ];
  return new Promise((resolve, reject) => {
    const stop = AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)]);
    const child = spawn('ffprobe', [...args, `file:${path}`], {
      stdio: ['ignore', 'pipe', 'ignore'],
      signal: stop,
      killSignal: 'SIGKILL',
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    child.once('error', (cause) => {
      const isMissing = 'code' in cause && cause.code === 'ENOENT';
      reject(
        isMissing
          ? new NgatuError('SETUP_PACKAGE_MISSING', 'Cannot read thermal video: ffmpeg is not installed', {
              cause,
            })
          : new NgatuError('CHILD_FAILED', `Cannot probe ${path}: ${cause.message}`, {
              retryable: true,
              cause,
            }),
      );
    });
    child.once('close', () => resolve(text));
  });
}
