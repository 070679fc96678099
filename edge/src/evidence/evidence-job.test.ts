import { createHash } from 'node:crypto';
import { copyFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EvidenceFile } from '@ngatu/contract';
import { Value } from '@sinclair/typebox/value';
import pino from 'pino';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EvidenceFiles } from './evidence-files.ts';
import { makeEvidence } from './evidence-job.ts';
import { SegmentRing } from './segment-ring.ts';
import { makeSourceVideo, makeTestFolder, type RecordedSegment, recordSegments } from './test-recording.ts';

const CAPTURED_MS = Date.UTC(2024, 0, 15, 9, 15, 3);
const { signal } = new AbortController();
let folder: Awaited<ReturnType<typeof makeTestFolder>>;
let ring: SegmentRing;
let files: EvidenceFiles;
let segments: RecordedSegment[];

beforeEach(async () => {
  folder = await makeTestFolder();
  const video = join(folder.dir, 'source.mp4');
  await makeSourceVideo(video);
  segments = await recordSegments(video, folder.dir);
  const log = pino({ level: 'silent' });
  const limits = { maxDurationMs: 60_000, maxBytes: 1e9, segmentMs: 1_000 };
  ring = await SegmentRing.open({ dir: join(folder.dir, 'ring'), ...limits, log });
  files = await EvidenceFiles.open(join(folder.dir, 'evidence'));
  await ring.openSession('s1');
});
afterEach(async () => {
  await ring.close();
  await folder.remove();
});

async function announce(count = segments.length): Promise<void> {
  for (const segment of segments.slice(0, count)) {
    await copyFile(join(folder.dir, segment.name), join(folder.dir, 'ring', 's1', segment.name));
    ring.addSegment('s1', segment);
  }
}

function describeJob(mediaTimeMs: number) {
  return {
    moment: { session: 's1', mediaTimeMs, capturedAtMs: CAPTURED_MS },
    ...{ beforeMs: 1_500, afterMs: 1_500, stillOffsetMs: 600, deadlineMs: 20_000 },
    ring,
    files,
  };
}

const listRoles = (result: { files: readonly { role: string }[] }) => result.files.map(({ role }) => role);

describe('makeEvidence', () => {
  it('waits for the ring, then makes three stills and the clip, stored under their digests', async () => {
    const job = makeEvidence(describeJob(3_000), signal);
    await announce();
    const result = await job;
    expect(result.missing).toEqual([]);
    expect(listRoles(result)).toEqual(['still-before', 'still-at', 'still-after', 'clip']);
    for (const file of result.files) {
      expect([...Value.Errors(EvidenceFile, file)]).toEqual([]);
      const bytes = await readFile(files.path(file.sha256));
      expect(bytes.length).toBe(file.sizeBytes);
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(file.sha256);
    }
    const [before, at, after, clip] = result.files;
    expect(Date.parse(before?.capturedAt ?? '') - CAPTURED_MS).toBeCloseTo(-600, -2);
    expect(Math.abs(Date.parse(at?.capturedAt ?? '') - CAPTURED_MS)).toBeLessThanOrEqual(80);
    expect(Date.parse(after?.capturedAt ?? '') - CAPTURED_MS).toBeCloseTo(600, -2);
    expect(await sharp(files.path(at?.sha256 ?? '')).metadata()).toMatchObject({ width: 320, height: 180 });
    expect(clip?.eventOffsetMs).toBeGreaterThanOrEqual(1_500);
    expect(clip?.durationMs).toBeGreaterThan((clip?.eventOffsetMs ?? 0) + 1_300);
    expect(Date.parse(clip?.capturedAt ?? '') + (clip?.eventOffsetMs ?? 0)).toBe(CAPTURED_MS);
    expect(await readdir(join(folder.dir, 'evidence', 'unfinished'))).toEqual([]);
  });

  it('gives the same files when it is done again', async () => {
    await announce();
    const once = await makeEvidence(describeJob(3_000), signal);
    const twice = await makeEvidence(describeJob(3_000), signal);
    expect(twice).toEqual(once);
    expect(await readdir(join(folder.dir, 'evidence', 'files'))).toHaveLength(4);
  });

  it('makes what there is where the session ended early, and names what is missing', async () => {
    await announce(3);
    ring.closeSession('s1');
    const lastMs = segments[2]?.endMs ?? 0;
    const result = await makeEvidence(describeJob(lastMs - 50), signal);
    expect(listRoles(result)).toEqual(['still-before', 'still-at', 'clip']);
    expect(result.missing).toEqual([{ role: 'still-after', reason: expect.stringContaining('no picture') }]);
  });

  it('names everything as missing where the ring holds nothing of it', async () => {
    await announce(3);
    ring.closeSession('s1');
    const result = await makeEvidence(describeJob(50_000), signal);
    expect(result.files).toEqual([]);
    expect(result.missing.map(({ role }) => role)).toEqual([
      'still-before',
      'still-at',
      'still-after',
      'clip',
    ]);
  });

  it('goes on with what is there at the deadline', async () => {
    await announce(4);
    const moment = { session: 's1', mediaTimeMs: (segments[3]?.endMs ?? 0) - 700, capturedAtMs: CAPTURED_MS };
    const result = await makeEvidence(
      { ...describeJob(0), moment, afterMs: 30_000, deadlineMs: 300 },
      signal,
    );
    expect(listRoles(result)).toContain('clip');
  });

  it('stops when it is asked to and leaves nothing unfinished', async () => {
    const controller = new AbortController();
    const job = makeEvidence(describeJob(3_000), controller.signal);
    controller.abort(new Error('agent stops'));
    await expect(job).rejects.toThrow('agent stops');
    expect(await readdir(join(folder.dir, 'evidence', 'unfinished'))).toEqual([]);
    expect(await readdir(join(folder.dir, 'evidence', 'files'))).toEqual([]);
  });
});
