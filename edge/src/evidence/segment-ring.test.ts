import { copyFile, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SegmentRing } from './segment-ring.ts';
import { makeSourceVideo, makeTestFolder, type RecordedSegment, recordSegments } from './test-recording.ts';

const GENEROUS = { maxDurationMs: 600_000, maxBytes: 1e9, segmentMs: 1_000, log: pino({ level: 'silent' }) };
const { signal } = new AbortController();
let recorded: { dir: string; segments: RecordedSegment[]; remove: () => Promise<void> };
let folder: Awaited<ReturnType<typeof makeTestFolder>>;

beforeAll(async () => {
  const { dir, remove } = await makeTestFolder();
  await makeSourceVideo(join(dir, 'source.mp4'));
  recorded = { dir, segments: await recordSegments(join(dir, 'source.mp4'), dir), remove };
  expect(recorded.segments.length).toBeGreaterThanOrEqual(5);
});
afterAll(() => recorded.remove());
beforeEach(async () => {
  folder = await makeTestFolder();
});
afterEach(() => folder.remove());

/** Puts segments where ffmpeg would; `announce` tells the ring of them as ffmpeg does. */
async function record(
  ring: SegmentRing,
  session: string,
  announce = recorded.segments.length,
): Promise<string> {
  const { dir } = await ring.openSession(session);
  for (const [index, segment] of recorded.segments.entries()) {
    await copyFile(join(recorded.dir, segment.name), join(dir, segment.name));
    if (index < announce) ring.addSegment(session, segment);
  }
  return dir;
}

async function settle(ring: SegmentRing, durationMs: (current: number) => boolean): Promise<void> {
  await expect.poll(() => durationMs(ring.durationMs)).toBe(true);
}

const totalMs = () => recorded.segments.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);

describe('finding', () => {
  it('returns the segments from the one that holds the last keyframe before the wanted time', async () => {
    const ring = await SegmentRing.open({ dir: folder.dir, ...GENEROUS });
    await record(ring, 's1');
    await ring.waitUntilCovered({ session: 's1', mediaTimeMs: 4_000 }, signal);
    const [, second, third] = recorded.segments;
    const found = ring.find({
      session: 's1',
      fromMs: (second?.startMs ?? 0) + 1,
      toMs: (third?.startMs ?? 0) + 1,
    });
    expect(found.map(({ startMs }) => startMs)).toEqual([second?.startMs, third?.startMs]);
    await ring.close();
  });

  it('says whether waiting helps', async () => {
    const ring = await SegmentRing.open({ dir: folder.dir, ...GENEROUS });
    await record(ring, 's1', 2);
    const late = { session: 's1', fromMs: 3_000, toMs: 4_000 };
    expect(() => ring.find(late)).toThrow(
      expect.objectContaining({ code: 'CLIP_UNAVAILABLE', retryable: true }),
    );
    expect(() => ring.find({ ...late, session: 'gone' })).toThrow(
      expect.objectContaining({ code: 'CLIP_UNAVAILABLE', retryable: false }),
    );
    await ring.close();
  });

  it('wakes who waits when the segment comes, when the session ends, and when asked to stop', async () => {
    const ring = await SegmentRing.open({ dir: folder.dir, ...GENEROUS });
    await ring.openSession('s1');
    const [first] = recorded.segments;
    if (first === undefined) throw new Error('no segment');
    const covered = ring.waitUntilCovered({ session: 's1', mediaTimeMs: first.endMs - 1 }, signal);
    const ended = ring.waitUntilCovered({ session: 's1', mediaTimeMs: 60_000 }, signal);
    const controller = new AbortController();
    const aborted = ring.waitUntilCovered({ session: 's1', mediaTimeMs: 60_000 }, controller.signal);
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    await copyFile(join(recorded.dir, first.name), join(folder.dir, 's1', first.name));
    ring.addSegment('s1', first);
    expect(await covered).toBe(true);
    ring.closeSession('s1');
    expect(await ended).toBe(false);
    await ring.close();
  });

  it('finds the session and its media time by the clock, also after a restart', async () => {
    const ring = await SegmentRing.open({ dir: folder.dir, ...GENEROUS });
    await record(ring, 's1');
    ring.anchorSession('s1', { anchorMs: 1_700_000_000_000, errorMs: 20 });
    await ring.close();
    const again = await SegmentRing.open({ dir: folder.dir, ...GENEROUS });
    expect(again.locate(1_700_000_002_345)).toEqual({ session: 's1', mediaTimeMs: 2_345 });
    expect(again.locate(1_699_999_999_000)).toBeUndefined();
  });
});

describe('after a kill', () => {
  it('takes in the unfinished segment and what the list had not noted', async () => {
    const ring = await SegmentRing.open({ dir: folder.dir, ...GENEROUS });
    const dir = await record(ring, 's1', 2);
    await settle(ring, (duration) => duration > 0);
    await ring.close();
    const unfinished = recorded.segments.at(-1);
    const path = join(dir, unfinished?.name ?? '');
    await truncate(path, Math.floor((await readFile(path)).length * 0.8));
    await writeFile(join(dir, 'segments.csv'), `${await readFile(join(dir, 'segments.csv'), 'utf8')}00000`);

    const again = await SegmentRing.open({ dir: folder.dir, ...GENEROUS });
    expect(again.quarantined).toBe(0);
    const found = again.find({ session: 's1', fromMs: 0, toMs: 60_000 });
    expect(found.map(({ startMs }) => Math.round(startMs))).toEqual(
      recorded.segments.map(({ startMs }) => Math.round(startMs)),
    );
    expect(found.at(-1)?.endMs).toBeLessThan(unfinished?.endMs ?? 0);
    expect(found.at(-1)?.endMs).toBeGreaterThan(unfinished?.startMs ?? Number.POSITIVE_INFINITY);
  });

  it('puts a file that is no video into quarantine, and only that', async () => {
    const dir = join(folder.dir, 's1');
    await mkdir(dir);
    for (const { name } of recorded.segments) await copyFile(join(recorded.dir, name), join(dir, name));
    await writeFile(join(dir, '000900.mkv'), 'no pictures at all');
    await writeFile(join(dir, '000901.mkv'), '');
    await writeFile(join(dir, 'session.json'), '{"anchorMs": 12');
    const ring = await SegmentRing.open({ dir: folder.dir, ...GENEROUS });
    expect(ring.quarantined).toBe(1);
    expect(await readdir(join(folder.dir, 'quarantine'))).toEqual(['s1-000900.mkv']);
    expect(ring.find({ session: 's1', fromMs: 0, toMs: 60_000 })).toHaveLength(recorded.segments.length);
  });
});

describe('pruning', () => {
  it('lets the oldest go by duration, over sessions, and removes folders that became empty', async () => {
    const [first] = recorded.segments;
    const oneShort = totalMs() * 2 - (first?.endMs ?? 0) / 2;
    const ring = await SegmentRing.open({ dir: folder.dir, ...GENEROUS, maxDurationMs: oneShort });
    await record(ring, 's1');
    ring.closeSession('s1');
    await record(ring, 's2');
    await settle(ring, (duration) => duration === totalMs() * 2 - (first?.endMs ?? 0));
    expect(ring.find({ session: 's1', fromMs: 0, toMs: 60_000 })).toHaveLength(recorded.segments.length - 1);
    await ring.close();

    const smaller = await SegmentRing.open({ dir: folder.dir, ...GENEROUS, maxDurationMs: totalMs() });
    expect(await readdir(folder.dir)).toEqual(['s2']);
    expect(smaller.durationMs).toBe(totalMs());
  });

  it('keeps what is held, up to the limit of bytes', async () => {
    const ring = await SegmentRing.open({ dir: folder.dir, ...GENEROUS, maxDurationMs: 1_500 });
    const release = ring.hold({ session: 's1', fromMs: 0, toMs: 500 });
    await record(ring, 's1');
    ring.closeSession('s1');
    await expect
      .poll(() => ring.waitUntilCovered({ session: 's1', mediaTimeMs: 60_000 }, signal))
      .toBe(false);
    await settle(ring, (duration) => duration <= 2_500);
    expect(ring.findClosed({ session: 's1', fromMs: 0, toMs: 100 })).toHaveLength(1);
    release();
    const tight = await SegmentRing.open({ dir: folder.dir, ...GENEROUS, maxBytes: 1 });
    expect(tight.sizeBytes).toBe(0);
    await rm(folder.dir, { recursive: true });
    await ring.close();
  });
});
