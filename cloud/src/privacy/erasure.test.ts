import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  anEvent,
  anEvidenceFile,
  openTestCentre,
  TEST_SITE,
  type TestCentre,
} from '../api/api-test-centre.ts';
import { computeCaseDigest } from '../store/case-erasure.ts';
import { buildCentrePaths } from '../store/centre-path.ts';
import { FolderEvidenceStore } from '../store/folder-evidence-store.ts';
import { SqliteEventStore } from '../store/sqlite-event-store.ts';
import {
  buildPrivacyPolicyPath,
  computeWorkingDeadline,
  DEFAULT_PRIVACY_POLICY,
  loadPrivacyPolicy,
} from './privacy-policy.ts';
import { finishErasures, runRetentionOnce } from './retention-run.ts';
import { eraseForSubject, exportForSubject, listSubjectCases } from './subject-request.ts';

const DAY_MS = 24 * 3_600_000;
const PLATE = '29X1-987.65';
const MARK = 'marked-bytes-of-an-evidence-file';

let centre: TestCentre;
let evidence: FolderEvidenceStore;

beforeEach(async () => {
  centre = await openTestCentre();
  evidence = await FolderEvidenceStore.open(buildCentrePaths(centre.dataDir).evidence);
});
afterEach(() => centre[Symbol.asyncDispose]());

const parts = (nowMs = centre.clock.nowMs) => ({
  events: centre.events,
  evidence,
  clock: { nowMs: () => nowMs },
});

/** A case with a still and a clip, reviewed by somebody who wrote the plate down. */
async function storeCase(number: number): Promise<{ eventId: string; digests: string[] }> {
  const event = anEvent(number);
  const still = Buffer.from(`${MARK} still ${number}`);
  const clip = Buffer.from(`${MARK} clip ${number}`);
  const files = [
    anEvidenceFile(still),
    anEvidenceFile(clip, { role: 'clip', mediaType: 'video/mp4', codec: 'h264', durationMs: 10_000 }),
  ];
  centre.commitEvent(event);
  centre.commitManifest(event, files);
  for (const bytes of [still, clip])
    centre.events.markEvidenceArrived(await centre.storeFile(bytes), '2025-11-22T03:01:00.000Z');
  const review = {
    decision: 'rejected',
    reason: `plate ${PLATE} was read wrongly`,
    reviewer: 'lan',
    decidedAt: '2025-11-22T04:00:00.000Z',
  } as const;
  expect(centre.events.appendReview(event.eventId, review, 0)).toBe('appended');
  return { eventId: event.eventId, digests: files.map(({ sha256 }) => sha256) };
}

/** Every file below the folder in which the text occurs as raw bytes. */
function grepFolder(folder: string, text: string): string[] {
  const needle = Buffer.from(text);
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const path = join(folder, name);
    return statSync(path).isFile() && readFileSync(path).includes(needle);
  });
}

describe('retention', () => {
  it('deletes by kind and outcome what is over its time, and leaves no byte of it', async () => {
    const old = await storeCase(1);
    const kept = await storeCase(2);
    const { dataDir } = centre;
    for (const text of [old.eventId, MARK, PLATE]) expect(grepFolder(dataDir, text)).not.toEqual([]);
    centre.events.privacy.placeHold({
      ...{ holdId: 'hold-1', eventId: kept.eventId, reason: 'court', placedBy: 'minh' },
      placedAt: '2025-11-23T00:00:00.000Z',
    });
    const endMs = Date.parse('2025-11-22T04:00:00.000Z') + 30 * DAY_MS;
    expect((await runRetentionOnce(parts(endMs - 1), DEFAULT_PRIVACY_POLICY)).cases).toEqual([]);
    const dry = await runRetentionOnce(parts(endMs), DEFAULT_PRIVACY_POLICY, { dryRun: true });
    expect(dry.cases).toMatchObject([{ eventId: old.eventId, outcome: 'rejected' }]);
    expect(centre.events.getEvent(old.eventId)).toBeDefined();

    const result = await runRetentionOnce(parts(endMs), DEFAULT_PRIVACY_POLICY);
    expect(result).toMatchObject({ filesRemoved: 2, scrubbed: true });
    expect(centre.events.getEvent(old.eventId)).toBeUndefined();
    expect(centre.events.getEvent(kept.eventId)).toBeDefined();
    expect(grepFolder(dataDir, old.eventId)).toEqual([]);
    expect(grepFolder(dataDir, `${MARK} still 1`)).toEqual([]);
    expect(grepFolder(dataDir, `${MARK} clip 1`)).toEqual([]);
    for (const sha256 of old.digests) expect(await evidence.open(sha256)).toBeUndefined();
    expect(centre.events.privacy.listTombstones(5)).toEqual([
      {
        caseDigest: computeCaseDigest(old.eventId),
        ...{ kind: 'RED_LIGHT', day: '2025-11-22', cause: 'retention', reason: 'rejected: 30 days are over' },
        ...{ erasedBy: 'retention', erasedAt: new Date(endMs).toISOString() },
      },
    ]);
    expect(centre.events.privacy.listNodeErasures(10)).toEqual([
      { ...TEST_SITE, files: [...old.digests].sort() },
    ]);

    expect(centre.events.privacy.liftHold('hold-1', { by: 'minh', at: 'x', reason: 'closed' })).toBe(true);
    await runRetentionOnce(parts(endMs), DEFAULT_PRIVACY_POLICY);
    expect(grepFolder(dataDir, PLATE)).toEqual([]);
    expect(grepFolder(dataDir, MARK)).toEqual([]);
  });

  it('counts from the arrival of a case whose node was away for longer than it is kept, whatever older cases there are', async () => {
    const days = DEFAULT_PRIVACY_POLICY.retentionDays.open;
    const kept = anEvent(20, { capturedAt: '2024-01-01T00:00:00.000Z' });
    centre.commitEvent(kept);
    const review = { decision: 'confirmed', reason: 'seen', reviewer: 'lan' } as const;
    const decidedAt = '2025-11-22T04:00:00.000Z';
    centre.events.appendReview(kept.eventId, { ...review, decidedAt }, 0);
    const late = anEvent(21, { capturedAt: '2025-01-01T00:00:00.000Z' });
    centre.commitEvent(late);
    const endMs = centre.clock.nowMs + days * DAY_MS;
    expect((await runRetentionOnce(parts(endMs - 1), DEFAULT_PRIVACY_POLICY)).cases).toEqual([]);
    expect(centre.events.privacy.listDue(() => days, endMs, 1)).toMatchObject([{ outcome: 'confirmed' }]);
    const { cases } = await runRetentionOnce(parts(endMs), DEFAULT_PRIVACY_POLICY);
    expect(cases).toMatchObject([
      { eventId: late.eventId, since: new Date(centre.clock.nowMs).toISOString() },
    ]);
    expect(centre.events.getEvent(kept.eventId)).toBeDefined();
  });

  it('keeps a deleted case deleted, whoever sends it again', async () => {
    const { eventId } = await storeCase(3);
    const order = {
      cause: 'order',
      reason: 'test',
      erasedBy: 'minh',
      erasedAt: '2025-11-25T00:00:00.000Z',
    } as const;
    expect(centre.events.privacy.erase(eventId, order)).toBe('erased');
    await finishErasures(parts());
    const event = anEvent(3);
    centre.commitEvent(event);
    centre.commitManifest(event, [anEvidenceFile(Buffer.from('late'))]);
    expect(centre.events.getEvent(eventId)).toBeUndefined();
    expect(centre.events.isEvidenceAnnounced(anEvidenceFile(Buffer.from('late')).sha256)).toBe(false);
    const [node] = centre.events.privacy.listNodeErasures(10);
    expect(node?.files).toContain(anEvidenceFile(Buffer.from('late')).sha256);
    await finishErasures(parts());
    expect(grepFolder(centre.dataDir, eventId)).toEqual([]);
    expect(centre.events.privacy.erase(eventId, order)).toBe('unknown-event');
  });

  it('goes on where it was killed between the rows and the files', async () => {
    const { eventId, digests } = await storeCase(4);
    const order = {
      cause: 'order',
      reason: 'test',
      erasedBy: 'minh',
      erasedAt: '2025-11-25T00:00:00.000Z',
    } as const;
    centre.events.privacy.erase(eventId, order);
    // the process ends here: another one opens the same folder and finds the files still to be removed
    using again = SqliteEventStore.open(buildCentrePaths(centre.dataDir).events);
    expect(again.privacy.listFileErasures(10).sort()).toEqual([...digests].sort());
    const broken = { remove: () => Promise.reject(new Error('killed')) };
    await expect(finishErasures({ ...parts(), events: again, evidence: broken })).rejects.toThrow('killed');
    expect(again.privacy.listFileErasures(10)).toHaveLength(2);
    expect((await finishErasures({ ...parts(), events: again })).filesRemoved).toBe(2);
    expect(grepFolder(centre.dataDir, `${MARK} clip 4`)).toEqual([]);
  });

  it('keeps a file that another case names too', async () => {
    const shared = Buffer.from(`${MARK} shared`);
    for (const number of [5, 6]) {
      centre.commitEvent(anEvent(number));
      centre.commitManifest(anEvent(number), [anEvidenceFile(shared)]);
    }
    await centre.storeFile(shared);
    const order = {
      cause: 'order',
      reason: 'x',
      erasedBy: 'minh',
      erasedAt: '2025-11-25T00:00:00.000Z',
    } as const;
    centre.events.privacy.erase(anEvent(5).eventId, order);
    expect(await finishErasures(parts())).toMatchObject({ filesRemoved: 0 });
    centre.events.privacy.erase(anEvent(6).eventId, order);
    expect(await finishErasures(parts())).toMatchObject({ filesRemoved: 1 });
  });
});

describe('privacy.json', () => {
  it('replaces defaults by what the controller says, and refuses what it cannot understand', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ngatu-privacy-'));
    try {
      expect(loadPrivacyPolicy(folder)).toEqual(DEFAULT_PRIVACY_POLICY);
      const write = (value: unknown) => writeFileSync(buildPrivacyPolicyPath(folder), JSON.stringify(value));
      write({ retentionByKind: { SPEED: { confirmed: 90 } } });
      expect(loadPrivacyPolicy(folder).retentionByKind['SPEED']).toEqual({ confirmed: 90 });
      expect(loadPrivacyPolicy(folder).opening).toEqual(DEFAULT_PRIVACY_POLICY.opening);
      for (const bad of [
        { retentionDays: { open: 0 } },
        { schemaVersion: 2 },
        { retentionByKind: { X: {} } },
        [],
      ]) {
        write(bad);
        expect(() => loadPrivacyPolicy(folder), JSON.stringify(bad)).toThrowError(
          expect.objectContaining({ code: 'PRIVACY_POLICY_INVALID' }),
        );
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('counts working days in Vietnam', () => {
    const deadline = (from: string) => new Date(computeWorkingDeadline(Date.parse(from), 2)).toISOString();
    expect(deadline('2025-11-24T03:00:00Z')).toBe('2025-11-26T17:00:00.000Z'); // Monday → end of Wednesday
    expect(deadline('2025-11-21T03:00:00Z')).toBe('2025-11-25T17:00:00.000Z'); // Friday → end of Tuesday
    expect(deadline('2025-11-21T18:00:00Z')).toBe('2025-11-25T17:00:00.000Z'); // Saturday in Vietnam
  });
});

describe('requests of persons', () => {
  const request = (plate: string) => ({
    ...{ query: { plate }, handledBy: 'minh', policy: DEFAULT_PRIVACY_POLICY },
    ...{ nowMs: Date.parse('2025-11-24T03:00:00Z'), receivedMs: Date.parse('2025-11-24T02:00:00Z') },
  });

  it('finds by plate, writes down, deletes, and records each with its deadline but not whom it was about', async () => {
    const mine = await storeCase(7);
    centre.commitEvent(anEvent(8));
    const stores = { events: centre.events, evidence };
    const answer = exportForSubject(stores, request('29x1 98765'));
    expect(answer.cases.map(({ event }) => event.eventId)).toEqual([mine.eventId]);
    expect(answer.acknowledgeBy).toBe('2025-11-26T17:00:00.000Z');
    expect(answer.deadlineBasis.certainty).toBe('S');
    const dry = await eraseForSubject(stores, { ...request(PLATE), dryRun: true });
    expect(dry).toMatchObject({ found: 1, erased: 0 });
    const erased = await eraseForSubject(stores, { ...request(PLATE), dryRun: false });
    expect(erased).toMatchObject({ found: 1, erased: 1, held: 0 });
    expect(grepFolder(centre.dataDir, PLATE)).toEqual([]);
    expect(grepFolder(centre.dataDir, mine.eventId)).toEqual([]);
    const cases = listSubjectCases(stores, Date.parse('2026-01-01T00:00:00Z'));
    expect(cases.map(({ kind, isLate, outcome }) => [kind, isLate, outcome])).toEqual(
      expect.arrayContaining([
        ['export', false, 'exported'],
        ['erase', false, 'erased'],
      ]),
    );
    expect(centre.events.getEvent(anEvent(8).eventId)).toBeDefined();
  });
});
