import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { indexRecording, type Recording } from './recording.ts';
import { extractStills, findNearestPicture } from './still.ts';
import { makeSourceVideo, makeTestFolder, recordSegments, runTool } from './test-recording.ts';

let folder: Awaited<ReturnType<typeof makeTestFolder>>;
let recording: Recording;
let source: string;
const { signal } = new AbortController();

beforeAll(async () => {
  folder = await makeTestFolder();
  source = join(folder.dir, 'source.mp4');
  await makeSourceVideo(source);
  const closed = await recordSegments(source, folder.dir);
  const segments = closed.map((segment) => ({ ...segment, path: join(folder.dir, segment.name) }));
  recording = await indexRecording(segments.slice(1), join(folder.dir, 'index.ffconcat'), signal);
});
afterAll(() => folder.remove());

it('finds the nearest picture, the earlier of two', () => {
  const pictures = [0, 120, 40, 80].map((mediaTimeMs) => ({ mediaTimeMs, isKeyframe: mediaTimeMs === 0 }));
  expect(findNearestPicture(pictures, 90)?.mediaTimeMs).toBe(80);
  expect(findNearestPicture(pictures, 100)?.mediaTimeMs).toBe(80);
  expect(findNearestPicture(pictures, 9_000)?.mediaTimeMs).toBe(120);
  expect(findNearestPicture([], 0)).toBeUndefined();
});

describe('extractStills', () => {
  it('writes exactly the pictures that were asked for, in full size', async () => {
    const all = recording.pictures.map(({ mediaTimeMs }) => mediaTimeMs).sort((a, b) => a - b);
    const times = [all[20], all[21], all[45]].filter((time) => time !== undefined);
    const requests = times.map((mediaTimeMs) => ({
      mediaTimeMs,
      outFile: join(folder.dir, `${mediaTimeMs}.jpg`),
    }));
    expect(await extractStills(recording, requests, folder.dir, signal)).toEqual([true, true, true]);
    const wholeSource = (await decodeSource()).map((picture) => ({ ...picture }));
    for (const { mediaTimeMs, outFile } of requests) {
      const { data, info } = await sharp(outFile).removeAlpha().raw().toBuffer({ resolveWithObject: true });
      expect([info.width, info.height]).toEqual([320, 180]);
      const differences = wholeSource.map(({ timeMs, pixels }) => ({
        timeMs,
        difference: computeDifference(pixels, data),
      }));
      differences.sort((a, b) => a.difference - b.difference);
      expect(differences[0]?.timeMs).toBe(mediaTimeMs);
      expect(differences[0]?.difference).toBeLessThan(5);
      expect(differences[1]?.difference).toBeGreaterThan(1.5 * (differences[0]?.difference ?? 0));
    }
  });

  it('tells that a picture is not there', async () => {
    const request = { mediaTimeMs: 2_001, outFile: join(folder.dir, 'none.jpg') };
    expect(await extractStills(recording, [request], folder.dir, signal)).toEqual([false]);
  });
});

/** RGB pictures of the source by their presentation time. */
async function decodeSource(): Promise<{ timeMs: number; pixels: Buffer }[]> {
  const bytes = await runTool(
    'ffmpeg',
    '-i',
    source,
    '-fps_mode',
    'passthrough',
    '-pix_fmt',
    'rgb24',
    '-f',
    'rawvideo',
    'pipe:1',
  );
  const text = String(
    await runTool(
      'ffprobe',
      '-select_streams',
      'v:0',
      '-show_entries',
      'packet=pts_time',
      '-of',
      'csv=p=0',
      source,
    ),
  );
  const times = [...text.matchAll(/^[\d.]+/gm)]
    .map(([time]) => Math.round(Number(time) * 1000))
    .sort((a, b) => a - b);
  const size = 320 * 180 * 3;
  return times.map((timeMs, index) => ({ timeMs, pixels: bytes.subarray(index * size, (index + 1) * size) }));
}

/** Mean absolute difference of two pictures, 0–255. */
function computeDifference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += Math.abs((a[index] ?? 0) - (b[index] ?? 0));
  return sum / a.length;
}
