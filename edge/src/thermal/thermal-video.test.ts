import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ThermalFrame } from './thermal-frame.ts';
import { buildInputArguments, readThermalVideo } from './thermal-video.ts';

const never = new AbortController().signal;
const WIDTH = 24;
const HEIGHT = 16;
const FRAMES = 5;
const HUNDREDTHS_OF_KELVIN = { kind: 'linear', gain: 0.01, offsetC: -273.15 } as const;
let folder: string;

/** Frame `n`, pixel `i` holds 20 °C + n + i / 100. */
const rawOf = (frame: number, pixel: number): number => 29_315 + 100 * frame + pixel;

function encode(file: string, ...codec: string[]): void {
  const bytes = Buffer.alloc(FRAMES * WIDTH * HEIGHT * 2);
  for (let n = 0; n < FRAMES; n++)
    for (let i = 0; i < WIDTH * HEIGHT; i++) bytes.writeUInt16LE(rawOf(n, i), 2 * (n * WIDTH * HEIGHT + i));
  const input = [
    '-f',
    'rawvideo',
    '-pix_fmt',
    'gray16le',
    '-s',
    `${WIDTH}x${HEIGHT}`,
    '-r',
    '8',
    '-i',
    'pipe:0',
  ];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...input, ...codec, file], { input: bytes });
}

async function readAll(path: string, take = Number.POSITIVE_INFINITY): Promise<ThermalFrame[]> {
  const frames: ThermalFrame[] = [];
  const options = {
    input: { kind: 'file', path } as const,
    mapping: HUNDREDTHS_OF_KELVIN,
    stallTimeoutMs: 20_000,
  };
  for await (const frame of readThermalVideo(options, never)) if (frames.push(frame) >= take) break;
  return frames;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-thermal-'));
  encode(join(folder, 'ffv1.mkv'), '-c:v', 'ffv1');
  encode(join(folder, 'eight-bit.mkv'), '-c:v', 'ffv1', '-pix_fmt', 'gray');
  await writeFile(join(folder, 'text.mkv'), 'no video');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a 16-bit recording', () => {
  it('gives every pixel of every frame, with its time', async () => {
    const frames = await readAll(join(folder, 'ffv1.mkv'));
    expect(frames.map(({ mediaTimeMs }) => mediaTimeMs)).toEqual([0, 125, 250, 375, 500]);
    for (const [n, { width, height, celsius }] of frames.entries()) {
      expect([width, height]).toEqual([WIDTH, HEIGHT]);
      for (const i of [0, 1, 200, WIDTH * HEIGHT - 1]) expect(celsius[i]).toBeCloseTo(20 + n + i / 100, 3);
    }
  });

  it('ends with its consumer', async () => {
    expect(await readAll(join(folder, 'ffv1.mkv'), 2)).toHaveLength(2);
  });

  it('is refused where it holds no temperatures', async () => {
    const refusal = (code: string, message: RegExp) =>
      expect.objectContaining({ code, message: expect.stringMatching(message) });
    await expect(readAll(join(folder, 'eight-bit.mkv'))).rejects.toEqual(
      refusal('THERMAL_INVALID', /gray hold no temp/),
    );
    await expect(readAll(join(folder, 'text.mkv'))).rejects.toEqual(
      refusal('THERMAL_INVALID', /holds no picture/),
    );
    await expect(readAll(join(folder, 'absent.mkv'))).rejects.toEqual(
      refusal('THERMAL_INVALID', /holds no picture/),
    );
  });
});

describe('a camera that delivers Y16', () => {
  it('is opened at its raw form, so that nothing is converted', () => {
    const input = {
      kind: 'v4l2',
      device: '/dev/video2',
      width: 640,
      height: 512,
      framesPerSecond: 9,
    } as const;
    expect(buildInputArguments(input)).toEqual(
      '-f v4l2 -input_format gray16le -video_size 640x512 -framerate 9 -i /dev/video2'.split(' '),
    );
  });

  it('is refused in words where it is not there', async () => {
    const input = {
      kind: 'v4l2',
      device: '/dev/video-of-nobody',
      width: 32,
      height: 32,
      framesPerSecond: 9,
    } as const;
    const frames = readThermalVideo({ input, mapping: HUNDREDTHS_OF_KELVIN, stallTimeoutMs: 20_000 }, never);
    await expect(frames.next()).rejects.toMatchObject({
      code: 'THERMAL_UNAVAILABLE',
      message: expect.stringMatching(/video-of-nobody/),
      retryable: true,
    });
  });

  it('needs a mapping that reaches the temperatures of people', async () => {
    const input = { kind: 'file', path: join(folder, 'ffv1.mkv') } as const;
    const mapping = { kind: 'linear', gain: 0, offsetC: 0 } as const;
    const frames = readThermalVideo({ input, mapping, stallTimeoutMs: 20_000 }, never);
    await expect(frames.next()).rejects.toMatchObject({ code: 'PROFILE_INVALID' });
  });
});
