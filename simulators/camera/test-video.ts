import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'vitest';

const run = promisify(execFile);
const STREAM_ARGS = ['-rtsp_transport', 'tcp', '-timeout', '5000000'];
const OUTPUT_MAX_BYTES = 64 * 1024 * 1024;

export interface TestVideoOptions {
  readonly codec: 'h264' | 'hevc' | 'mpeg4';
  /** Source pictures at 25 per second; default 50. */
  readonly pictures?: number;
  /** Keep three of five pictures, so that the intervals are 40, 40 and 120 ms. */
  readonly hasVariableRate?: boolean;
  /** Pictures between keyframes; default 15. */
  readonly keyframeInterval?: number;
}

const ENCODERS = {
  h264: ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-b_strategy', '0'],
  hevc: [
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-x265-params',
    'bframes=2:b-adapt=0:log-level=error',
    '-tag:v',
    'hvc1',
  ],
  mpeg4: ['-c:v', 'mpeg4', '-q:v', '4'],
} as const;

/** Writes a moving test picture, 320×240, all pictures different, with B-frames where the codec is H.264 or H.265. */
export async function makeTestVideo(path: string, options: TestVideoOptions): Promise<string> {
  const { codec, pictures = 50, hasVariableRate = false, keyframeInterval = 15 } = options;
  await run('ffmpeg', [
    ...[
      '-nostdin',
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      `testsrc2=size=320x240:rate=25:duration=${pictures / 25}`,
    ],
    ...[
      '-vf',
      `${hasVariableRate ? "select='lt(mod(n,5),3)'," : ''}format=yuv420p`,
      '-fps_mode',
      'passthrough',
    ],
    ...[...ENCODERS[codec], '-g', String(keyframeInterval), path],
  ]);
  return path;
}

export interface DecodedPicture {
  /** Presentation time, ticks of 1/90000 s. */
  readonly ptsTicks: number;
  readonly md5: string;
}

/**
 * The pictures that ffmpeg decodes from a file or an RTSP address; rejects with ffmpeg's words. The times of a stream
 * count from its first packet; ffmpeg does not know the time of a stream's first picture and says 0.
 */
export async function decodePictures(
  source: string,
  options: { readonly count?: number } = {},
): Promise<DecodedPicture[]> {
  const isStream = source.startsWith('rtsp:');
  const { stdout } = await run(
    'ffmpeg',
    [
      ...['-nostdin', '-v', 'error', '-xerror', ...(isStream ? ['-copyts', ...STREAM_ARGS] : [])],
      ...['-i', source, '-map', '0:v:0', '-fps_mode', 'passthrough', '-enc_time_base', '1:90000'],
      ...(options.count === undefined ? [] : ['-frames:v', String(options.count)]),
      ...['-f', 'framemd5', '-'],
    ],
    { maxBuffer: OUTPUT_MAX_BYTES, timeout: 25_000 },
  );
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('0,'))
    .map((line) => {
      const fields = line.split(',').map((field) => field.trim());
      return { ptsTicks: Number(fields[2]), md5: fields[5] ?? '' };
    });
}

/** Fails unless `pictures` is a run of the file's pictures in order, going on with the first after the last. */
export function expectCyclicRun(pictures: readonly DecodedPicture[], file: readonly DecodedPicture[]): void {
  const start = file.findIndex((picture) => picture.md5 === pictures[0]?.md5);
  expect(start).toBeGreaterThanOrEqual(0);
  const expected = pictures.map((_, index) => file[(start + index) % file.length]?.md5);
  expect(pictures.map((picture) => picture.md5)).toEqual(expected);
}
