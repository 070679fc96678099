import { mkdtemp, readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Frame } from '../frame/frame.ts';
import type { ClosedSegment } from './segment-list.ts';
import { makeTestFolder, makeUnevenClip, probePictureTimes, runFfmpeg } from './test-clip.ts';
import { openVideoSession, type VideoSessionOptions } from './video-session.ts';

const START_MS = Date.UTC(2024, 0, 15, 9, 15);
let folder: Awaited<ReturnType<typeof makeTestFolder>>;
let clip: string;

beforeAll(async () => {
  folder = await makeTestFolder();
  clip = join(folder.dir, 'uneven.mp4');
  await makeUnevenClip(clip);
});
afterAll(() => folder.remove());

function describeFile(path: string, changes: Partial<VideoSessionOptions> = {}): VideoSessionOptions {
  return {
    session: 's',
    input: { kind: 'file', path, startMs: START_MS },
    picture: { width: 320, height: 180 },
    analysis: { maxWidth: 1920, maxFps: 60 },
    lamps: [],
    clock: () => 0,
    ...changes,
  };
}

function openFile(path: string, changes: Partial<VideoSessionOptions> = {}) {
  return openVideoSession(describeFile(path, changes), new AbortController().signal);
}

async function readFrames(path: string, changes: Partial<VideoSessionOptions> = {}): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of openFile(path, changes).frames) frames.push(frame);
  return frames;
}

/** The whole clip as ffmpeg decodes it by itself, BGR24. */
async function decodeReference(path: string): Promise<Buffer[]> {
  const bytes = await runFfmpeg(
    '-i',
    path,
    '-fps_mode',
    'passthrough',
    '-pix_fmt',
    'bgr24',
    '-f',
    'rawvideo',
    'pipe:1',
  );
  const size = 320 * 180 * 3;
  return Array.from({ length: bytes.length / size }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

describe('frames of a file', () => {
  it('carries every picture with its own time, though times are uneven and pictures reordered', async () => {
    const [frames, times, reference] = await Promise.all([
      readFrames(clip),
      probePictureTimes(clip),
      decodeReference(clip),
    ]);
    expect(frames).toHaveLength(60);
    expect(reference).toHaveLength(60);
    frames.forEach((frame, index) => {
      expect(frame.index).toBe(index);
      expect(frame.mediaTimeMs).toBeCloseTo((times[index] ?? Number.NaN) * 1000, 2);
      expect(frame.capturedAtMs).toBe(START_MS + frame.mediaTimeMs);
      expect(frame.clockErrorMs).toBe(0);
      expect(reference[index]?.equals(frame.pixels)).toBe(true);
    });
  });

  it('skips to the wanted rate without resampling: every time is one of the source', async () => {
    const times = (await probePictureTimes(clip)).map((time) => time * 1000);
    const session = openFile(clip, { analysis: { maxWidth: 1920, maxFps: 5 } });
    const frames: Frame[] = [];
    for await (const frame of session.frames) frames.push(frame);
    expect(session.sourceFramesDecoded).toBe(60);
    expect(frames.length).toBeGreaterThan(10);
    frames.forEach((frame, place) => {
      expect(frame.mediaTimeMs).toBeCloseTo(times[frame.index] ?? Number.NaN, 2);
      const before = frames[place - 1];
      if (before !== undefined) expect(frame.mediaTimeMs - before.mediaTimeMs).toBeGreaterThanOrEqual(198);
    });
  });

  it('cuts lamps at source resolution, pixel for pixel, from a smaller analysis picture', async () => {
    const boxes = { odd: [101, 51, 134, 96], corner: [300, 150, 330, 190], top: [0, 0, 64, 31] } as const;
    const lamps = Object.entries(boxes).map(([signal, box]) => ({ signal, box }));
    const [frames, reference] = await Promise.all([
      readFrames(clip, { lamps, analysis: { maxWidth: 160, maxFps: 60 } }),
      decodeReference(clip),
    ]);
    expect(frames).toHaveLength(60);
    expect(frames[0]).toMatchObject({ width: 160, height: 90, sourceWidth: 320, sourceHeight: 180 });
    expect(frames[0]?.lamps.map(({ width, height }) => [width, height])).toEqual([
      [33, 45],
      [20, 30],
      [64, 31],
    ]);
    frames.forEach((frame, index) => {
      expect(frame.pixels).toHaveLength(160 * 90 * 3);
      frame.lamps.forEach((lamp) => {
        const box = lamps.find(({ signal }) => signal === lamp.signal)?.box ?? [0, 0, 0, 0];
        for (let row = 0; row < lamp.height; row++) {
          const start = ((box[1] + row) * 320 + box[0]) * 3;
          const expected = reference[index]?.subarray(start, start + lamp.width * 3);
          const actual = lamp.pixels.subarray(row * lamp.width * 3, (row + 1) * lamp.width * 3);
          expect(expected?.equals(actual), `${lamp.signal} row ${row} of picture ${index}`).toBe(true);
        }
      });
    });
  });

  it('gives the same lamps where the analysis picture has source size', async () => {
    const lamps = [{ signal: 'odd', box: [101, 51, 134, 96] as const }];
    const [large, small] = await Promise.all([
      readFrames(clip, { lamps }),
      readFrames(clip, { lamps, analysis: { maxWidth: 160, maxFps: 60 } }),
    ]);
    expect(large[30]?.lamps).toEqual(small[30]?.lamps);
  });

  it('waits for a slow consumer and drops nothing', async () => {
    const long = join(folder.dir, 'long.mp4');
    await runFfmpeg(
      '-f',
      'lavfi',
      '-i',
      'testsrc2=s=320x180:r=25:d=8',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      long,
    );
    const session = openFile(long);
    let count = 0;
    for await (const frame of session.frames) {
      expect(frame.index).toBe(count++);
      if (count === 5) {
        // Longer than ffmpeg needs for the whole file: it must be held back by the pipe.
        await expect.poll(() => session.sourceFramesDecoded).toBeGreaterThan(5);
        const seen: number[] = [];
        const settled = () => {
          seen.push(session.sourceFramesDecoded);
          return seen.at(-1) === seen.at(-2);
        };
        await expect.poll(settled, { interval: 200 }).toBe(true);
        expect(session.sourceFramesDecoded).toBeLessThan(150);
      }
    }
    expect(count).toBe(200);
    expect(session.framesDropped).toBe(0);
    expect(await session.ended).toEqual({ reason: 'end-of-file' });
  });

  it('ends ffmpeg when the consumer leaves, and when the signal aborts', async () => {
    const left = openFile(clip);
    for await (const _ of left.frames) break;
    expect(await left.ended).toEqual({ reason: 'stopped' });

    const controller = new AbortController();
    const aborted = openVideoSession(describeFile(clip), controller.signal);
    let count = 0;
    for await (const _ of aborted.frames) if (++count === 2) controller.abort();
    expect(count).toBe(2);
    expect(await aborted.ended).toEqual({ reason: 'stopped' });
  });
});

describe('the ring beside the frames', () => {
  it.each([
    ['mp4', []],
    ['ts', ['-output_ts_offset', '7.3', '-f', 'mpegts']],
  ])('keeps the packets on the time of the frames: %s', async (extension, output) => {
    const path = join(folder.dir, `ring.${extension}`);
    await makeUnevenClip(path, ...output);
    const dir = await mkdtemp(join(folder.dir, 'ring-'));
    const segments: ClosedSegment[] = [];
    const frames = await readFrames(path, {
      ring: { dir, segmentMs: 400, onSegment: (segment) => segments.push(segment) },
    });
    expect(segments.length).toBeGreaterThanOrEqual(4);
    expect(await readdir(dir)).toHaveLength(segments.length);
    const times: number[] = [];
    for (const segment of segments) {
      const [first] = await probeAbsoluteTimes(join(dir, segment.name));
      expect(Math.abs(segment.startMs - (first ?? Number.NaN))).toBeLessThan(0.001);
      times.push(...(await probeAbsoluteTimes(join(dir, segment.name))));
    }
    times.sort((a, b) => a - b);
    expect(times).toHaveLength(60);
    frames.forEach((frame, index) => {
      expect(Math.abs(frame.mediaTimeMs - (times[index] ?? Number.NaN))).toBeLessThanOrEqual(0.51);
    });
  });
});

/** Presentation times in decode order, ms. */
async function probeAbsoluteTimes(path: string): Promise<number[]> {
  const text = await runFfmpeg(
    '-copyts',
    '-i',
    path,
    '-c',
    'copy',
    '-copytb',
    '1',
    '-f',
    'framecrc',
    'pipe:1',
  );
  const lines = String(text).split('\n');
  const [, scale = '1000'] = /#tb 0: 1\/(\d+)/.exec(String(text)) ?? [];
  return lines
    .filter((line) => /^\d/.test(line))
    .map((line) => (Number(line.split(',')[2]) / Number(scale)) * 1000);
}

describe('what is not video', () => {
  const unreadable = async (path: string, changes: Partial<VideoSessionOptions> = {}) => {
    const session = openFile(path, changes);
    const reading = (async () => {
      let count = 0;
      try {
        for await (const _ of session.frames) count++;
      } catch (error) {
        return { count, error };
      }
      return { count, error: undefined };
    })();
    const { count, error } = await reading;
    expect((await session.ended).reason).toBe('failed');
    return { count, error };
  };

  it('names both sizes of a picture that is not the scene’s', async () => {
    const { error } = await unreadable(clip, { picture: { width: 1280, height: 720 } });
    expect(error).toMatchObject({ code: 'VIDEO_UNREADABLE' });
    expect(String(error)).toMatch(/320×180.*1280×720/);
  });

  it('refuses text, nothing, sound without picture and an MP4 without its index', async () => {
    const text = join(folder.dir, 'notes.mp4');
    await writeFile(text, 'these are no pictures\n'.repeat(100));
    const empty = join(folder.dir, 'empty.mp4');
    await writeFile(empty, '');
    const sound = join(folder.dir, 'sound.mp4');
    await runFfmpeg('-f', 'lavfi', '-i', 'sine=d=1', sound);
    const cut = join(folder.dir, 'cut.mp4');
    await makeUnevenClip(cut);
    await truncate(cut, 20_000);
    for (const path of [text, empty, sound, cut]) {
      const { count, error } = await unreadable(path);
      expect(count).toBe(0);
      expect(error, path).toMatchObject({ code: 'VIDEO_UNREADABLE' });
    }
  });

  it('delivers what a cut-off file holds and then says so', async () => {
    const path = join(folder.dir, 'cut-off.mp4');
    await makeUnevenClip(path, '-movflags', '+faststart');
    await truncate(path, 40_000);
    const { count, error } = await unreadable(path);
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(60);
    expect(error).toMatchObject({ code: 'VIDEO_UNREADABLE' });
    expect(String(error)).toContain('cut off');
  });

  it('says that a file is not there', async () => {
    const { error } = await unreadable(join(folder.dir, 'absent.mp4'));
    expect(error).toMatchObject({ code: 'FILE_UNREADABLE' });
  });

  it('says that ffmpeg is not installed', async () => {
    vi.stubEnv('PATH', folder.dir);
    try {
      const { error } = await unreadable(clip);
      expect(error).toMatchObject({ code: 'SETUP_PACKAGE_MISSING' });
    } finally {
      vi.unstubAllEnvs();
    }
  });
});
