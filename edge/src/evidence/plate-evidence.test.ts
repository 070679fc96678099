import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type EvidenceFile, findSchemaIssues, NgatuError, PlateFinding } from '@ngatu/contract';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { votePlate } from '../plate/plate-vote.ts';
import { readPixels } from './blur-still.ts';
import { computeCarBox, type DrawnCar, DrawnPlateSearch, drawTraffic } from './drawn-plate.ts';
import { EvidenceFiles } from './evidence-files.ts';
import { type EvidenceJobOptions, makeEvidence } from './evidence-job.ts';
import { LocalPictureMaker } from './local-picture-maker.ts';
import { LocalPlateDesk } from './local-plate-desk.ts';
import type { PlateDesk, PlateJob } from './plate-job.ts';
import type { SeenRoadUser } from './road-user-sight.ts';
import { SegmentRing } from './segment-ring.ts';
import { makeTestFolder, type RecordedSegment, recordSegments } from './test-recording.ts';

const CAPTURED_MS = Date.UTC(2025, 10, 22, 3, 0, 0);
const MOMENT_MS = 3_000;
const MINE: DrawnCar = { text: '99Z99999', x: 20, y: 130, speed: 40 };
/** Stands before it, overtakes it, and covers its plate from 1.9 s on. */
const OTHER: DrawnCar = { text: '99Z88888', x: -300, y: 160, speed: 180 };
const MODELS = [{ name: 'drawn', sha256: 'd'.repeat(64) }];
const { signal } = new AbortController();
const search = new DrawnPlateSearch();

let source: Awaited<ReturnType<typeof makeTestFolder>>;
let folder: Awaited<ReturnType<typeof makeTestFolder>>;
let ring: SegmentRing;
let files: EvidenceFiles;
let segments: RecordedSegment[];
let pictures: LocalPictureMaker;

const carAt = (trackId: number, car: DrawnCar, timeMs: number): SeenRoadUser => ({
  ...{ trackId, label: 'car', occupants: [], box: computeCarBox(car, timeMs) },
});
/** Subject and other as a tracker saw them. */
const seeBoth = (timeMs: number): SeenRoadUser[] => [carAt(1, MINE, timeMs), carAt(2, OTHER, timeMs)];

beforeAll(async () => {
  source = await makeTestFolder();
  const video = join(source.dir, 'source.mp4');
  await drawTraffic(source.dir, video, { cars: [MINE, OTHER], seconds: 6 });
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
  for (const segment of segments) {
    await copyFile(join(source.dir, segment.name), join(folder.dir, 'ring', 's1', segment.name));
    ring.addSegment('s1', segment);
  }
});
afterEach(async () => {
  await pictures.close();
  await ring.close();
  await folder.remove();
});

/** Keeps what was asked beside reading it. */
class WatchedDesk implements PlateDesk {
  readonly jobs: PlateJob[] = [];
  readonly #desk = new LocalPlateDesk({ search, vote: votePlate, models: MODELS });

  readPlate(job: PlateJob, stop: AbortSignal) {
    this.jobs.push(job);
    return this.#desk.readPlate(job, stop);
  }
}

function describeJob(
  desk: PlateDesk,
  {
    users = seeBoth,
    ...changes
  }: Partial<EvidenceJobOptions> & { users?: (timeMs: number) => SeenRoadUser[] } = {},
): EvidenceJobOptions {
  const sights = Array.from({ length: 60 }, (_, index) => ({
    mediaTimeMs: index * 100,
    users: users(index * 100),
  }));
  return {
    moment: { session: 's1', mediaTimeMs: MOMENT_MS, capturedAtMs: CAPTURED_MS },
    ...{ beforeMs: 2_500, afterMs: 2_500, stillOffsetMs: 600, deadlineMs: 10_000, ring, files, pictures },
    subject: carAt(1, MINE, MOMENT_MS),
    listSights: (fromMs, toMs) =>
      sights.filter(({ mediaTimeMs }) => mediaTimeMs >= fromMs && mediaTimeMs <= toMs),
    plates: { desk, maxFrames: 8 },
    ...changes,
  };
}

const rolesOf = (made: readonly EvidenceFile[]) => made.map(({ role }) => role);
const spell = (looks: Awaited<ReturnType<DrawnPlateSearch['find']>>) =>
  looks.map(({ characters }) => characters.map(({ character }) => character).join(''));

describe('the plate of an event', () => {
  it('is read in the best pictures before and after, and what was read is shown and nobody else', async () => {
    const desk = new WatchedDesk();
    const { files: made, missing, plate } = await makeEvidence(describeJob(desk), signal);
    expect(missing).toEqual([]);
    expect(plate).toMatchObject({ state: 'read', text: MINE.text, shown: '99Z-999.99', models: MODELS });
    expect(findSchemaIssues(PlateFinding, plate)).toEqual([]);
    const [job] = desk.jobs;
    expect(job?.frames.length).toBe(8);
    expect(new Set(job?.frames.map(({ mediaTimeMs }) => mediaTimeMs > MOMENT_MS)).size).toBe(2);
    const shown = rolesOf(made);
    expect(shown).toEqual([
      ...['still-before', 'still-at', 'still-after', 'subject-crop', 'preview'],
      ...['plate-crop', 'plate-frame', 'clip'],
    ]);
    const fileOf = (role: string) => made.find((file) => file.role === role);
    const [crop, frame, clip] = ['plate-crop', 'plate-frame', 'clip'].map(fileOf);
    expect(crop?.derivation).toEqual({
      recipe: 'blur/1 scope=road-users faces=none plates=none keep=plate cut=plate',
      sources: [clip?.sha256],
    });
    expect(frame).toMatchObject({ width: 640, height: 360, capturedAt: plate?.seen?.capturedAt });
    expect(crop?.capturedAt).toBe(frame?.capturedAt);
    const picture = await readPixels(files.path(frame?.sha256 ?? ''));
    expect(spell(await search.find(picture, [0, 0, 640, 360]))).toEqual([MINE.text]);
    const small = await readPixels(files.path(crop?.sha256 ?? ''));
    expect(spell(await search.find(small, [0, 0, small.width, small.height]))).toEqual([MINE.text]);
    const [x1 = 0, y1 = 0] = plate?.seen?.box ?? [];
    const [left, top] = computeCarBox(MINE, MOMENT_MS + Date.parse(frame?.capturedAt ?? '') - CAPTURED_MS);
    expect(Math.abs(x1 * 640 - left - 58)).toBeLessThan(4);
    expect(Math.abs(y1 * 360 - top - 88)).toBeLessThan(4);
  });

  it('gives the same when it is done again, and costs no other evidence anything', async () => {
    const once = await makeEvidence(describeJob(new WatchedDesk()), signal);
    expect(await makeEvidence(describeJob(new WatchedDesk()), signal)).toEqual(once);
    const { plates: _, ...without } = describeJob(new WatchedDesk());
    const plain = await makeEvidence(without, signal);
    expect(plain).not.toHaveProperty('plate');
    expect(once.files.filter(({ role }) => !role.startsWith('plate-'))).toEqual(plain.files);
  });

  it.each([
    ['no character is seen on it', 'illegible', ['']],
    ['its characters are not sure', 'unsure', ['99Z99999', '98Z99999']],
  ])('is unreadable where %s, says so, and keeps what was looked at', async (_, reason, texts) => {
    const [first = ''] = texts;
    const blind: Pick<DrawnPlateSearch, 'find'> = {
      find: async (...asked) =>
        (await search.find(...asked)).map((look) => ({
          ...look,
          characters: [...first].map((character) => ({ character, confidence: 0.5, alternatives: [] })),
          texts: texts.map((text) => ({ text, confidence: 0.9 / texts.length })),
        })),
    };
    const desk = new LocalPlateDesk({ search: blind, vote: votePlate, models: MODELS });
    const { files: made, plate } = await makeEvidence(
      describeJob(new WatchedDesk(), { plates: { desk, maxFrames: 8 } }),
      signal,
    );
    expect(plate).toMatchObject({ state: 'unreadable', reason, frames: 8 });
    expect(texts).toContain(plate?.text ?? '');
    expect(findSchemaIssues(PlateFinding, plate)).toEqual([]);
    expect(rolesOf(made)).toContain('plate-crop');
  });

  it('belongs to nobody where another road user explains it as well, and nothing of it is kept', async () => {
    // the tracker gave somebody else nearly the same box
    const twin: DrawnCar = { ...MINE, x: MINE.x + 10, y: MINE.y + 2 };
    const users = (timeMs: number) => [carAt(1, MINE, timeMs), carAt(3, twin, timeMs)];
    const { files: made, plate } = await makeEvidence(describeJob(new WatchedDesk(), { users }), signal);
    expect(plate).toMatchObject({ state: 'unreadable', reason: 'other-road-user', characters: [] });
    expect(plate).not.toHaveProperty('text');
    expect(rolesOf(made).filter((role) => role.startsWith('plate-'))).toEqual([]);
  });

  it('is not read where nobody knows who was there, or the subject carries none', async () => {
    const forgotten = await makeEvidence(describeJob(new WatchedDesk(), { listSights: () => [] }), signal);
    expect(forgotten.plate).toMatchObject({ state: 'not-read', reason: 'subject-unseen' });
    const person: SeenRoadUser = { ...carAt(1, MINE, MOMENT_MS), label: 'person' };
    const desk = new WatchedDesk();
    expect(await makeEvidence(describeJob(desk, { subject: person }), signal)).not.toHaveProperty('plate');
    expect(desk.jobs).toEqual([]);
  });
});

describe('faults', () => {
  it('tries a broken process once more, then says so and keeps everything else', async () => {
    let calls = 0;
    const broken: PlateDesk = {
      readPlate: () => {
        calls += 1;
        return Promise.reject(new NgatuError('CHILD_FAILED', 'it ended', { retryable: true }));
      },
    };
    const { files: made, missing, plate } = await makeEvidence(describeJob(broken), signal);
    expect(calls).toBe(2);
    expect(plate).toMatchObject({ state: 'not-read', reason: 'process-failed' });
    expect(missing).toEqual([]);
    expect(rolesOf(made)).toContain('clip');
    expect(made).toHaveLength(6);
  });

  it('says that a model is missing or fails, and that the recording is gone', async () => {
    const missing = await makeEvidence(describeJob(new LocalPlateDesk('model-missing')), signal);
    expect(missing.plate).toMatchObject({ state: 'not-read', reason: 'model-missing' });
    const failing = new LocalPlateDesk({
      search: { find: () => Promise.reject(new NgatuError('MODEL_INVALID', 'cannot run')) },
      ...{ vote: votePlate, models: MODELS },
    });
    const failed = await makeEvidence(describeJob(failing), signal);
    expect(failed.plate).toMatchObject({ state: 'not-read', reason: 'model-failed', models: MODELS });
    expect(failed.files).toHaveLength(6);
    ring.closeSession('s1');
    const moment = { session: 's1', mediaTimeMs: 50_000, capturedAtMs: CAPTURED_MS };
    const gone = await makeEvidence(describeJob(new WatchedDesk(), { moment }), signal);
    expect(gone.plate).toMatchObject({ state: 'not-read', reason: 'recording-missing' });
    expect(gone.files).toEqual([]);
  });

  it('stops when it is asked to, and leaves nothing unfinished', async () => {
    const stop = new AbortController();
    const hanging: PlateDesk = {
      readPlate: (_, given) => {
        stop.abort(new Error('agent stops'));
        return Promise.reject(given.reason);
      },
    };
    await expect(makeEvidence(describeJob(hanging), stop.signal)).rejects.toThrow('agent stops');
    expect(await readdir(join(folder.dir, 'evidence', 'unfinished'))).toEqual([]);
  });
});
