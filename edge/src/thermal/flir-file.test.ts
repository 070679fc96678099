import { execFileSync } from 'node:child_process';
import { NgatuError } from '@ngatu/contract';
import { beforeAll, describe, expect, it } from 'vitest';
import { forAll } from '../testing/seeded-random.ts';
import { readFlirFile, streamFlirFile } from './flir-file.ts';
import { parseFlirRecord } from './flir-record.ts';
import { buildFlirRecord, FLIR_RAW, FLIR_SIZE, packPlain, packPng, wrapInJpeg } from './test-flir-file.ts';
import type { ThermalFrame } from './thermal-frame.ts';

const never = new AbortController().signal;
const plain = buildFlirRecord(packPlain(FLIR_RAW));
let expected: number[];

beforeAll(async () => {
  const { frames } = await readFlirFile(plain, {}, never);
  expected = [...(frames[0]?.celsius ?? [])];
});

async function refusalOf(bytes: Uint8Array): Promise<string> {
  const error: unknown = await readFlirFile(bytes, {}, never).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(NgatuError);
  return error instanceof NgatuError ? `${error.code}: ${error.message}` : '';
}

function packJpegLs(raw: Uint16Array): Buffer {
  const size = `${FLIR_SIZE.width}x${FLIR_SIZE.height}`;
  const input = ['-f', 'rawvideo', '-pix_fmt', 'gray16le', '-s', size, '-i', 'pipe:0'];
  return execFileSync('ffmpeg', ['-v', 'error', ...input, '-c:v', 'jpegls', '-f', 'image2pipe', 'pipe:1'], {
    input: packPlain(raw),
  });
}

describe('a FLIR file', () => {
  it('gives the temperatures of plain pixels, in either order of bytes', async () => {
    expect(expected).toHaveLength(FLIR_SIZE.width * FLIR_SIZE.height);
    // raw 18,091, and the value published for 18,090
    expect(expected[13]).toBeCloseTo(23.74, 1);
    const big = await readFlirFile(buildFlirRecord(packPlain(FLIR_RAW), 'big'), {}, never);
    expect([...(big.frames[0]?.celsius ?? [])]).toEqual(expected);
    expect(big.cameraModel).toBe('FLIR TEST');
  });

  it('gives the same from a PNG with exchanged bytes, and from JPEG-LS', async () => {
    const png = await readFlirFile(buildFlirRecord(await packPng(FLIR_RAW)), {}, never);
    expect([...(png.frames[0]?.celsius ?? [])]).toEqual(expected);
    const jpegLs = buildFlirRecord(packJpegLs(FLIR_RAW));
    const twice = await readFlirFile(Buffer.concat([jpegLs, jpegLs]), {}, never);
    expect(twice.frames.map(({ celsius }) => [...celsius])).toEqual([expected, expected]);
  });

  it('is put together from the segments of a JPEG', async () => {
    const { frames } = await readFlirFile(wrapInJpeg(plain), {}, never);
    expect([...(frames[0]?.celsius ?? [])]).toEqual(expected);
  });

  it('may be a recording with damage between its frames', async () => {
    const junk = Buffer.from('FFF\0 is no header here', 'latin1');
    const recording = Buffer.concat([plain, junk, plain, plain.subarray(0, plain.length - 50)]);
    const { frames, skippedBytes } = await readFlirFile(recording, {}, never);
    expect(frames).toHaveLength(2);
    expect(skippedBytes).toBe(junk.length + plain.length - 50);
  });

  it('gives the frames of a long recording in order, with their times by the camera’s clock', async () => {
    const beganMs = Date.UTC(2017, 4, 19, 19, 45, 33, 583);
    const count = 70;
    const records = Array.from({ length: count }, (_, index) => {
      const takenAtMs = beganMs + Math.round((index * 1_000) / 30);
      return buildFlirRecord(packPlain(FLIR_RAW.map((raw) => raw + index)), 'little', {
        ...FLIR_SIZE,
        takenAtMs,
      });
    });
    const frames: ThermalFrame[] = [];
    for await (const frame of streamFlirFile(Buffer.concat(records), {}, never)) frames.push(frame);
    expect(frames.map(({ mediaTimeMs }) => mediaTimeMs)).toEqual(
      Array.from({ length: count }, (_, index) => Math.round((index * 1_000) / 30)),
    );
    const first = frames.map(({ celsius }) => celsius[0] ?? 0);
    expect(first).toEqual(first.toSorted((a, b) => a - b));
    expect(new Set(first).size).toBe(count);
    const whole = await readFlirFile(Buffer.concat(records), {}, never);
    expect(whole.frames).toEqual(frames);
  });

  it('takes what is known better than the camera knew', async () => {
    const { frames } = await readFlirFile(plain, { emissivity: 0.98 }, never);
    // an object of 24 °C in 20 °C: the higher emissivity leaves less to reflection, so that it is cooler
    expect(frames[0]?.celsius[13]).toBeLessThan((expected[13] ?? 0) - 0.05);
  });
});

describe('a damaged FLIR file', () => {
  it('is refused in words', async () => {
    expect(await refusalOf(Buffer.alloc(0))).toMatch(/THERMAL_INVALID: .*holds no frame/);
    expect(await refusalOf(Buffer.of(0xff, 0xd8, 0xff, 0xd9))).toMatch(/no thermal segment/);
    expect(await refusalOf(plain.subarray(0, 900))).toMatch(/cut short/);
    const whole = wrapInJpeg(plain);
    expect(await refusalOf(Buffer.concat([whole.subarray(0, 2), whole.subarray(2 + 312)]))).toMatch(
      /segment 0 is missing/,
    );
    expect(await refusalOf(buildFlirRecord(Buffer.of(0x89, 0x50, 0x4e, 0x47, 1, 2)))).toMatch(
      /PNG is not sound/,
    );
    expect(
      await refusalOf(buildFlirRecord(packPlain(FLIR_RAW), 'little', { width: 60_000, height: 60_000 })),
    ).toMatch(/60000 × 60000/);
    const lossless = packJpegLs(FLIR_RAW);
    expect(await refusalOf(buildFlirRecord(lossless.subarray(0, 60)))).toMatch(/JPEG-LS/);
  });

  it('gives a frame or THERMAL_INVALID, whatever bytes are changed', () => {
    let refused = 0;
    forAll(4_000, (random) => {
      const bytes = Buffer.from(plain);
      for (let count = random.integer(1, 6); count > 0; count--)
        bytes[random.integer(0, random.next() < 0.7 ? 1_000 : bytes.length - 1)] = random.integer(0, 255);
      const cut = random.next() < 0.3 ? bytes.subarray(0, random.integer(0, bytes.length)) : bytes;
      try {
        const { width, height, pixels, packing } = parseFlirRecord(cut);
        if (packing === 'plain') expect(pixels.length).toBeGreaterThanOrEqual(2 * width * height);
      } catch (error) {
        refused++;
        expect(error).toMatchObject({ code: 'THERMAL_INVALID' });
      }
    });
    expect(refused).toBeGreaterThan(500);
  });
});
