import { createHash } from 'node:crypto';
import { copyFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EvidenceFile, NgatuError } from '@ngatu/contract';
import { Value } from '@sinclair/typebox/value';
import pino from 'pino';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pixelate } from './blur-mosaic.ts';
import { EvidenceFiles } from './evidence-files.ts';
import { makeEvidence } from './evidence-job.ts';
import { LocalPictureMaker } from './local-picture-maker.ts';
import type { PictureMaker } from './picture-job.ts';
import { SegmentRing } from './segment-ring.ts';
import {
  makeSourceVideo,
  makeTestFolder,
  type RecordedSegment,
  recordSegments,
  runTool,
} from './test-recording.ts';

const CAPTURED_MS = Date.UTC(2024, 0, 15, 9, 15, 3);
const { signal } = new AbortController();
let source: Awaited<ReturnType<typeof makeTestFolder>>;
let folder: Awaited<ReturnType<typeof makeTestFolder>>;
let ring: SegmentRing;
let files: EvidenceFiles;
let segments: RecordedSegment[];
let pictures: LocalPictureMaker;

/** The subject stands at the left, somebody else at the right; nobody looks for faces or plates. */
const SUBJECT = { trackId: 1, label: 'car', box: [20, 40, 140, 160], occupants: [] } as const;
const OTHER = { trackId: 2, label: 'car', box: [180, 40, 300, 150], occupants: [] } as const;
const SIGHTS = Array.from({ length: 400 }, (_, index) => ({
  mediaTimeMs: index * 100,
  users: [SUBJECT, OTHER],
}));
const SHOWN = ['still-before', 'still-at', 'still-after', 'subject-crop', 'preview'];

beforeAll(async () => {
  source = await makeTestFolder();
  const video = join(source.dir, 'source.mp4');
  await makeSourceVideo(video);
  segments = await recordSegments(video, source.dir);
});
afterAll(() => source.remove());
beforeEach(async () => {
  folder = await makeTestFolder();
  const log = pino({ level: 'silent' });
  const limits = { maxDurationMs: 60_000, maxBytes: 1e9, segmentMs: 1_000 };
  ring = await SegmentRing.open({ dir: join(folder.dir, 'ring'), ...limits, log });
  files = await EvidenceFiles.open(join(folder.dir, 'evidence'));
  pictures = new LocalPictureMaker({});
  await ring.openSession('s1');
});
afterEach(async () => {
  await ring.close();
  await folder.remove();
});

async function announce(count = segments.length): Promise<void> {
  for (const segment of segments.slice(0, count)) {
    await copyFile(join(source.dir, segment.name), join(folder.dir, 'ring', 's1', segment.name));
    ring.addSegment('s1', segment);
  }
}

function describeJob(mediaTimeMs: number) {
  return {
    moment: { session: 's1', mediaTimeMs, capturedAtMs: CAPTURED_MS },
    ...{ beforeMs: 1_500, afterMs: 1_500, stillOffsetMs: 600, deadlineMs: 20_000 },
    ring,
    files,
    pictures,
    subject: SUBJECT,
    listSights: () => SIGHTS,
  };
}

const listRoles = (result: { files: readonly { role: string }[] }) => result.files.map(({ role }) => role);

describe('makeEvidence', () => {
  it('waits for the ring, then makes what is shown and the clip, stored under their digests', async () => {
    const job = makeEvidence(describeJob(3_000), signal);
    await announce();
    const result = await job;
    expect(result.missing).toEqual([]);
    expect(listRoles(result)).toEqual([...SHOWN, 'clip']);
    for (const file of result.files) {
      expect([...Value.Errors(EvidenceFile, file)]).toEqual([]);
      const bytes = await readFile(files.path(file.sha256));
      expect(bytes.length).toBe(file.sizeBytes);
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(file.sha256);
    }
    const [before, at, after, crop, preview, clip] = result.files;
    expect(crop).toMatchObject({ width: 150, height: 150, capturedAt: at?.capturedAt });
    expect(preview).toMatchObject({ mediaType: 'video/mp4', codec: 'h264', width: 320, height: 180 });
    expect(preview?.sizeBytes).toBeLessThan(400_000);
    for (const shown of result.files.slice(0, 5)) {
      expect(shown.derivation?.sources).toEqual([clip?.sha256]);
      expect(shown.derivation?.recipe).toMatch(/^blur\/1 scope=road-users faces=none plates=none/);
    }
    expect(clip?.derivation).toBeUndefined();
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
    expect(await readdir(join(folder.dir, 'evidence', 'files'))).toHaveLength(6);
  });

  it('makes what there is where the session ended early, and names what is missing', async () => {
    await announce(3);
    ring.closeSession('s1');
    const lastMs = segments[2]?.endMs ?? 0;
    const result = await makeEvidence(describeJob(lastMs - 50), signal);
    expect(listRoles(result)).toEqual(['still-before', 'still-at', 'subject-crop', 'preview', 'clip']);
    expect(result.missing).toEqual([{ role: 'still-after', reason: expect.stringContaining('no picture') }]);
  });

  it('names everything as missing where the ring holds nothing of it', async () => {
    await announce(3);
    ring.closeSession('s1');
    const result = await makeEvidence(describeJob(50_000), signal);
    expect(result.files).toEqual([]);
    expect(result.missing.map(({ role }) => role)).toEqual([...SHOWN, 'clip']);
  });

  it('blurs everybody but the subject, in pictures and preview, and leaves the clip as it was', async () => {
    await announce();
    const result = await makeEvidence(describeJob(3_000), signal);
    const original = join(folder.dir, 'original.png');
    const fileOf = (role: string) =>
      files.path(result.files.find((file) => file.role === role)?.sha256 ?? '');
    const moment = (result.files.at(-1)?.eventOffsetMs ?? 0) / 1_000;
    await runTool('ffmpeg', '-ss', String(moment - 0.001), '-i', fileOf('clip'), '-frames:v', '1', original);
    const shown = fileOf('still-at');
    expect(await measureDetail(original, OTHER.box, 6)).toBeGreaterThan(12);
    // what is left is what JPEG makes of cells
    expect(await measureDetail(shown, OTHER.box, 6)).toBeLessThan(5);
    expect(await measureDetail(shown, SUBJECT.box, 6)).toBeGreaterThan(8);
    const frame = join(folder.dir, 'preview.png');
    await runTool('ffmpeg', '-ss', '1', '-i', fileOf('preview'), '-frames:v', '1', frame);
    expect(await measureDetail(frame, OTHER.box, 6)).toBeLessThan(6);
    expect(await measureDetail(frame, SUBJECT.box, 6)).toBeGreaterThan(8);
  });

  it('shows nobody where nobody knows who was there, and says so', async () => {
    await announce();
    const { subject: _, ...job } = describeJob(3_000);
    const result = await makeEvidence({ ...job, listSights: () => [] }, signal);
    expect(result.missing).toEqual([
      { role: 'subject-crop', reason: 'nobody knows where the subject is in the picture' },
    ]);
    const at = result.files.find(({ role }) => role === 'still-at');
    expect(at?.derivation?.recipe).toContain('scope=picture');
    expect(await measureDetail(files.path(at?.sha256 ?? ''), [0, 0, 320, 180], 20)).toBeLessThan(3);
  });

  it('keeps the clip and names the pictures as missing where their process breaks', async () => {
    await announce();
    let calls = 0;
    const broken: PictureMaker = {
      make: () => {
        calls += 1;
        return Promise.reject(new NgatuError('CHILD_FAILED', 'it ended', { retryable: true }));
      },
    };
    const result = await makeEvidence({ ...describeJob(3_000), pictures: broken }, signal);
    expect(calls).toBe(2);
    expect(listRoles(result)).toEqual(['clip']);
    expect(result.missing).toEqual(SHOWN.map((role) => ({ role, reason: 'it ended' })));
  });

  it('tries again later where the disk is full while it blurs, and leaves nothing unblurred behind', async () => {
    await announce();
    const full: PictureMaker = {
      make: () => Promise.reject(new NgatuError('DISK_FULL', 'no space', { retryable: true })),
    };
    const job = makeEvidence({ ...describeJob(3_000), pictures: full }, signal);
    await expect(job).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(await readdir(join(folder.dir, 'evidence', 'unfinished'))).toEqual([]);
    expect(await readdir(join(folder.dir, 'evidence', 'files'))).toHaveLength(1); // the clip
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

/** How much finer the picture is in a box than cells of one colour, 0–255: next to nothing where it was blurred so. */
async function measureDetail(
  file: string,
  box: readonly [number, number, number, number],
  cells: number,
): Promise<number> {
  const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const levelled = { data: Uint8Array.from(data), width: info.width, height: info.height, channels: 3 };
  pixelate(levelled, box, cells);
  let sum = 0;
  let count = 0;
  for (let y = box[1]; y < box[3]; y++) {
    for (let at = (y * info.width + box[0]) * 3; at < (y * info.width + box[2]) * 3; at++, count++)
      sum += Math.abs((data[at] ?? 0) - (levelled.data[at] ?? 0));
  }
  return sum / count;
}
