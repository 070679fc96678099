import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Event,
  type EvidenceManifest,
  Event as eventSchema,
  findSchemaIssues,
  EvidenceManifest as manifestSchema,
  NgatuError,
  resolveLaw,
} from '@ngatu/contract';
import { createAuthority, issueNodeIdentity } from '@ngatu/trust';
import { pino } from 'pino';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EvidenceFiles } from '../evidence/evidence-files.ts';
import { LocalPictureMaker } from '../evidence/local-picture-maker.ts';
import type { PictureJob, PictureMaker } from '../evidence/picture-job.ts';
import { EvidenceSealer } from '../evidence/seal-chain.ts';
import type { Frame } from '../frame/frame.ts';
import { Outbox } from '../outbox/outbox.ts';
import { MaskIncidents } from './mask-incident.ts';
import type { WatchedPerson } from './mask-watch.ts';

const WIDTH = 320;
const HEIGHT = 240;
const HOUR_MS = 3_600_000;
const logger = pino({ level: 'silent' });
const origin = { site: 'q1', node: 'gw-1' };
const policy = { policy: 'Quyết định 12/QĐ-BV, bệnh viện, mùa dịch', maxPerHour: 2 };
const { signal } = new AbortController();

let folder: string;
let dir: string;
let nowMs: number;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-mask-incident-'));
  dir = join(folder, 'identity');
  const clock = { nowMs: () => Date.now() - HOUR_MS };
  const authority = await createAuthority(join(folder, 'ca'), { name: 'Test', clock });
  await issueNodeIdentity(authority, { ...origin, dir, validDays: 90 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => {
  nowMs = Date.now();
});

function aFrame(atMs: number): Frame {
  return {
    ...{ session: 's', index: 1, mediaTimeMs: 40, capturedAtMs: atMs, clockErrorMs: 5 },
    ...{ width: WIDTH, height: HEIGHT, pixels: new Uint8Array(WIDTH * HEIGHT * 3).fill(90) },
    ...{ sourceWidth: 2 * WIDTH, sourceHeight: 2 * HEIGHT, lamps: [] },
  };
}

function aPerson(personId: number, change: Partial<WatchedPerson> = {}): WatchedPerson {
  const faces = [[100, 60, 140, 110] as const, [200, 60, 230, 100] as const];
  return {
    ...{ personId, verdict: 'without', meanLogit: -2.6, looks: 5 },
    ...{ firstSeenMs: nowMs - 3_000, lastSeenMs: nowMs, largestPx: 80 },
    // the box in source pixels, the faces in those of the picture
    picture: { frame: aFrame(nowMs - 1_000 - personId), box: [200, 120, 280, 220], faces },
    ...change,
  };
}

/** The process that blurs, as far as an incident sees it: it answers with a picture and says who looked for faces. */
class AnsweringMaker implements PictureMaker {
  readonly jobs: PictureJob[] = [];
  async make(job: PictureJob) {
    this.jobs.push(job);
    for (const still of job.stills) await copyFile(still.file, still.outFile);
    const recipe = 'blur/1 scope=road-users faces=yunet-n-640@25a606a1 plates=none';
    return { made: { 'still-at': { width: WIDTH, height: HEIGHT, recipe } }, failed: {} };
  }
}

async function open(pictures: PictureMaker, maxPerHour = policy.maxPerHour) {
  const at = await mkdtemp(join(folder, 'case-'));
  const clock = { nowMs: () => nowMs, monotonicMs: () => performance.now() };
  const { outbox } = Outbox.open({ file: join(at, 'outbox.sqlite'), maxBytes: 1e7, origin, clock, logger });
  const incidents = new MaskIncidents({
    ...{ ...origin, camera: 'gate', sceneSha256: 'b'.repeat(64), version: '0.1.0', clock, logger },
    policy: { ...policy, maxPerHour },
    models: () => [{ name: 'aizoo-mask-360', sha256: 'e'.repeat(64) }],
    ...{ pictures, outbox, files: await EvidenceFiles.open(join(at, 'evidence')) },
    sealer: await EvidenceSealer.open({ ...origin, dir, logger }),
  });
  const told = () =>
    outbox.lease(50, 1_000).map(({ channel, body }) => ({ channel, body: JSON.parse(body) }));
  return { incidents, outbox, told, filesDir: join(at, 'evidence', 'files') };
}

describe('incidents of masks', () => {
  it('announce who was clearly seen without a mask, with one sealed still and nothing else', async () => {
    const pictures = new AnsweringMaker();
    const { incidents, outbox, told, filesDir } = await open(pictures);
    expect(await incidents.offer(aPerson(1), signal)).toBe('announced');
    const [first, second, ...rest] = told();
    expect(rest).toEqual([]);
    const event = first?.body as Event;
    const manifest = second?.body as EvidenceManifest;
    expect(findSchemaIssues(eventSchema, event, 3)).toEqual([]);
    expect(findSchemaIssues(manifestSchema, manifest, 3)).toEqual([]);
    expect(event).toMatchObject({ kind: 'NO_MASK', rule: 'no-mask', camera: 'gate' });
    expect(event.subject).toMatchObject({ label: 'person', box: [0.3125, 0.25, 0.4375, 0.4583] });
    expect(event.explanation.vi).toContain(policy.policy);
    expect(manifest.files.map(({ role }) => role)).toEqual(['still-at']);
    expect(manifest.missing.map(({ role }) => role)).toContain('clip');
    expect(manifest.seal?.facts).toMatchObject({ kind: 'NO_MASK', parameters: policy });
    expect(outbox.listUploads(5)).toMatchObject([{ role: 'still-at', eventId: event.eventId }]);
    expect(await readdir(filesDir)).toEqual([manifest.files[0]?.sha256]);
    // every face is handed over to be blurred, and nobody as the one who is shown
    expect(pictures.jobs[0]).not.toHaveProperty('subject');
    expect(pictures.jobs[0]?.sights[0]?.users).toHaveLength(2);
    expect(resolveLaw({ kind: 'NO_MASK', label: 'person', measures: {}, atMs: nowMs }).state).toBe(
      'not-recorded',
    );
  });

  it.each([
    ['wears one', { verdict: 'with', meanLogit: 2.9 }],
    ['is left undecided', { verdict: 'uncertain', meanLogit: -2.6 }],
    ['was seen too seldom', { looks: 2 }],
    ['was not seen clearly enough', { meanLogit: -1.9 }],
  ] as const)('are not made of somebody who %s', async (_, change) => {
    const { incidents, told } = await open(new AnsweringMaker());
    expect(await incidents.offer(aPerson(1, change), signal)).toBe('no-case');
    expect(told()).toEqual([]);
  });

  it('are no more within an hour than the policy allows', async () => {
    const { incidents, told } = await open(new AnsweringMaker());
    const outcomes = [];
    for (const personId of [1, 2, 3]) outcomes.push(await incidents.offer(aPerson(personId), signal));
    expect(outcomes).toEqual(['announced', 'announced', 'limited']);
    nowMs += HOUR_MS;
    expect(await incidents.offer(aPerson(4), signal)).toBe('announced');
    expect(told()).toHaveLength(6);
  });

  it('wait for their pictures in a short line', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const maker = new AnsweringMaker();
    const { incidents } = await open({ make: (job) => held.then(() => maker.make(job)) }, 50);
    const outcomes = [1, 2, 3, 4, 5].map((personId) => incidents.offer(aPerson(personId), signal));
    release();
    const made = Array.from({ length: 4 }, () => 'announced');
    expect(await Promise.all(outcomes)).toEqual([...made, 'busy']);
  });

  it('are not made where nobody looked for faces, and nothing of the picture stays', async () => {
    const { incidents, told, filesDir } = await open(new LocalPictureMaker({}));
    expect(await incidents.offer(aPerson(1), signal)).toBe('not-made');
    expect(told()).toEqual([]);
    expect(await readdir(filesDir)).toEqual([]);
    expect(await readdir(join(filesDir, '..', 'unfinished'))).toEqual([]);
  });

  it('are given up where the process that blurs breaks or the disk is full', async () => {
    const failures = [
      new NgatuError('CHILD_FAILED', 'Cannot make pictures: the process ended'),
      new NgatuError('DISK_FULL', 'Cannot write picture', { retryable: true }),
    ];
    const { incidents, told } = await open({ make: () => Promise.reject(failures.shift()) });
    expect(await incidents.offer(aPerson(1), signal)).toBe('not-made');
    expect(await incidents.offer(aPerson(2), signal)).toBe('not-made');
    expect(told()).toEqual([]);
  });

  it('hand over the picture in the colours that the camera sent', async () => {
    const seen: number[] = [];
    const maker = new AnsweringMaker();
    const { incidents } = await open({
      make: async (job) => {
        const { data } = await sharp(job.stills[0]?.file).raw().toBuffer({ resolveWithObject: true });
        seen.push(...data.subarray(0, 3));
        return maker.make(job);
      },
    });
    const person = aPerson(1);
    person.picture?.frame.pixels.forEach((_, at, pixels) => {
      pixels[at] = [20, 90, 200][at % 3] ?? 0;
    });
    await incidents.offer(person, signal);
    for (const [at, value] of [200, 90, 20].entries())
      expect(Math.abs((seen[at] ?? 0) - value)).toBeLessThan(6);
  });
});
