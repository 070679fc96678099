import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Event, type NgatuError, readDropRanges, type Telemetry } from '@ngatu/contract';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  aManifest,
  anEvent,
  anEventId,
  aTelemetry,
  NODE,
  SITE,
  sha256Of,
} from '../../../tests/delivery/message-builder.ts';
import { type LeasedEntry, type NewUpload, Outbox, type OutboxMessage } from './outbox.ts';

const MEGABYTE = 1024 * 1024;
const logger = pino({ level: 'silent' });

let folder: string;
let file: string;
let nowMs: number;
const opened: Outbox[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-outbox-'));
  file = join(folder, 'outbox.sqlite');
  nowMs = 1_000;
});
afterEach(() => {
  for (const outbox of opened.splice(0)) outbox[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

function openOutbox(maxBytes = MEGABYTE) {
  const clock = { nowMs: () => Date.UTC(2025, 2, 1) + nowMs, monotonicMs: () => nowMs };
  const opening = Outbox.open({ file, maxBytes, origin: { site: SITE, node: NODE }, clock, logger });
  opened.push(opening.outbox);
  return opening;
}

function reopen(maxBytes = MEGABYTE): Outbox {
  for (const outbox of opened.splice(0)) outbox[Symbol.dispose]();
  return openOutbox(maxBytes).outbox;
}

const event = (key: number): OutboxMessage => ({ channel: 'event', body: anEvent(key) });
const telemetry = (key: number): OutboxMessage => ({ channel: 'telemetry', body: aTelemetry(key) });

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as NgatuError).code;
  }
  return 'nothing was thrown';
}

describe('numbers', () => {
  it('are contiguous and never used again, also after deletion and reopening', () => {
    const { outbox } = openOutbox();
    expect(outbox.append([event(1), telemetry(1)])).toEqual([
      { outcome: 'appended', seq: 1 },
      { outcome: 'appended', seq: 2 },
    ]);
    expect(outbox.ack([1, 2])).toBe(2);
    const again = reopen();
    expect(again.outboxId).toBe(outbox.outboxId);
    expect(again.append([event(2)])).toEqual([{ outcome: 'appended', seq: 3 }]);
  });

  it('leave no hole where an append fails', () => {
    const { outbox } = openOutbox();
    outbox.append([event(1)]);
    const broken = { ...aTelemetry(1), measurements: [{ at: 'now', metric: 'x', value: 1 }] };
    expect(codeOf(() => outbox.append([event(2), { channel: 'telemetry', body: broken }]))).toBe(
      'MESSAGE_INVALID',
    );
    expect(outbox.append([event(2)])).toEqual([{ outcome: 'appended', seq: 2 }]);
  });
});

describe('an outbox that was not closed', () => {
  const SKIPPED = 4_096;
  /** What a killed process leaves: the sign that it had the file open. */
  function reopenKilled(options: Partial<Parameters<typeof Outbox.open>[0]> = {}): Outbox {
    for (const outbox of opened.splice(0)) outbox[Symbol.dispose]();
    writeFileSync(`${file}.open`, '');
    const clock = { nowMs: () => Date.UTC(2025, 2, 1) + nowMs, monotonicMs: () => nowMs };
    const origin = { site: SITE, node: NODE };
    const { outbox } = Outbox.open({ file, maxBytes: MEGABYTE, origin, clock, logger, ...options });
    opened.push(outbox);
    return outbox;
  }

  it('begins behind a gap that it explains: no number is given twice, whatever the disk forgot', () => {
    const { outbox } = openOutbox();
    outbox.append([event(1), telemetry(1)]);
    const again = reopenKilled();
    expect(again.append([event(2)])).toEqual([{ outcome: 'appended', seq: SKIPPED + 4 }]);
    const rows = again.lease(10, 1_000);
    expect(sorted(rows.map(({ seq }) => seq))).toEqual([1, 2, SKIPPED + 3, SKIPPED + 4]);
    const ranges = telemetryOf(rows).flatMap((body) => readDropRanges(body, SKIPPED + 3));
    expect(ranges).toEqual([{ from: 3, to: SKIPPED + 2, manner: 'skipped' }]);
    expect(reopen().append([event(3)])).toEqual([{ outcome: 'appended', seq: SKIPPED + 5 }]);
  });

  it('goes on where nothing was ever numbered', () => {
    openOutbox();
    expect(reopenKilled().append([event(1)])).toEqual([{ outcome: 'appended', seq: 1 }]);
  });

  it('forgets what was bound to its last messages', () => {
    const { outbox } = openOutbox();
    outbox.append([event(1)], { marks: { chain: 'head', camera: '12' } });
    const again = reopenKilled({ fragileMarks: ['chain'] });
    expect([again.mark('chain'), again.mark('camera')]).toEqual([undefined, '12']);
  });
});

describe('duplicates', () => {
  it('are refused within one append, against waiting entries and against entries that have left', () => {
    const { outbox } = openOutbox();
    const duplicate = { outcome: 'duplicate' };
    expect(outbox.append([event(1), event(1)])).toEqual([{ outcome: 'appended', seq: 1 }, duplicate]);
    expect(outbox.append([event(1)])).toEqual([duplicate]);
    outbox.ack([1]);
    expect(reopen().append([event(1)])).toEqual([duplicate]);
  });

  it('do not begin a second evidence job', () => {
    const { outbox } = openOutbox();
    const job = {
      eventId: anEventId(1),
      camera: 'cam-1',
      session: 's-1',
      mediaTimeMs: 40,
      capturedAtMs: 1_040,
    };
    outbox.append([event(1)], { evidenceJobs: [job] });
    expect(outbox.listEvidenceJobs(10)).toEqual([{ ...job, attempts: 0 }]);
    expect(outbox.countEvidenceAttempt(job.eventId)).toBe(1);
    const still = Buffer.from('still');
    outbox.append([{ channel: 'evidence', body: aManifest(1, still) }], {
      finishedEvidenceJobs: [job.eventId],
      uploads: [{ sha256: sha256Of(still), path: '/x/still.jpg', sizeBytes: still.length }],
      marks: { 'analysed.cam-1': '1040' },
    });
    outbox.append([event(1)], { evidenceJobs: [job] });
    const again = reopen();
    expect(again.listEvidenceJobs(10)).toEqual([]);
    expect(again.listUploads(10)).toMatchObject([
      { sha256: sha256Of(still), path: '/x/still.jpg', sizeBytes: 5 },
    ]);
    expect(again.mark('analysed.cam-1')).toBe('1040');
  });
});

describe('leases', () => {
  it('go in order of number, end by time, by release and by a restart', () => {
    const { outbox } = openOutbox();
    outbox.append([1, 2, 3].map(event));
    const take = (from: Outbox, limit: number) => from.lease(limit, 100).map(({ seq }) => seq);
    expect(take(outbox, 2)).toEqual([1, 2]);
    expect(outbox.leasedCount).toBe(2);
    expect(take(outbox, 2)).toEqual([3]);
    expect(take(outbox, 2)).toEqual([]);
    nowMs += 100;
    expect(outbox.leasedCount).toBe(0);
    expect(take(outbox, 1)).toEqual([1]);
    outbox.releaseLeases();
    expect(take(outbox, 9)).toEqual([1, 2, 3]);
    expect(take(reopen(), 9)).toEqual([1, 2, 3]);
  });

  it('give way to the entries behind what was acknowledged or refused', () => {
    const { outbox } = openOutbox();
    outbox.append([1, 2, 3].map(event));
    outbox.lease(3, 100);
    expect(outbox.ack([1, 99])).toBe(1);
    expect(outbox.nack(2, 'EVENT_CONFLICT', 'differs')).toBe(true);
    expect(outbox.nack(2, 'EVENT_CONFLICT', 'differs')).toBe(false);
    expect(outbox.listRejected()).toEqual([
      { seq: 2, channel: 'event', code: 'EVENT_CONFLICT', reason: 'differs' },
    ]);
    outbox.releaseLeases();
    expect(outbox.lease(9, 100).map(({ seq }) => seq)).toEqual([3]);
    expect(outbox.pending().entries).toBe(1);
  });

  it('set the files of a refused manifest aside', () => {
    const { outbox } = openOutbox();
    const still = Buffer.from('still');
    const upload = { sha256: sha256Of(still), path: '/x/still.jpg', sizeBytes: 5 };
    outbox.append([{ channel: 'evidence', body: aManifest(1, still) }], { uploads: [upload] });
    outbox.nack(1, 'SEAL_INVALID', 'forged');
    expect(outbox.pending()).toMatchObject({ uploadsPending: 0, uploadsRefused: 1 });
  });

  it('offer the files of a manifest all the same where the centre keeps another one of the case', () => {
    const { outbox } = openOutbox();
    const still = Buffer.from('still');
    const upload = { sha256: sha256Of(still), path: '/x/still.jpg', sizeBytes: 5 };
    outbox.append([{ channel: 'evidence', body: aManifest(1, still) }], { uploads: [upload] });
    expect(outbox.listUploads(9)).toMatchObject([{ isDoubtful: 0 }]);
    outbox.nack(1, 'EVENT_CONFLICT', 'differs');
    expect(outbox.pending()).toMatchObject({ uploadsPending: 1, uploadsRefused: 0 });
    expect(outbox.listUploads(9)).toMatchObject([{ sha256: upload.sha256, isDoubtful: 1 }]);
  });
});

/** Every number that the drop records among the rows explain, with why. */
function explainedBy(rows: readonly LeasedEntry[]): Map<number, string> {
  const explained = new Map<number, string>();
  for (const { channel, body, seq } of rows) {
    if (channel !== 'telemetry') continue;
    for (const { from, to, manner } of readDropRanges(JSON.parse(body) as Telemetry, seq)) {
      for (let number = from; number <= to; number++) explained.set(number, manner);
    }
  }
  return explained;
}

function holesOf(rows: readonly LeasedEntry[], newestSeq: number): number[] {
  const present = new Set(rows.map(({ seq }) => seq));
  return Array.from({ length: newestSeq }, (_, index) => index + 1).filter((seq) => !present.has(seq));
}

const sorted = (numbers: Iterable<number>) => [...numbers].sort((a, b) => a - b);
const telemetryOf = (rows: readonly LeasedEntry[]) =>
  rows.filter(({ channel }) => channel === 'telemetry').map(({ body }) => JSON.parse(body) as Telemetry);

describe('a full outbox', () => {
  it('thins telemetry first: every second and every count stays, every event stays, each number is explained', () => {
    const { outbox } = openOutbox(100_000);
    const messages = Array.from({ length: 600 }, (_, key) => (key % 30 === 0 ? event(key) : telemetry(key)));
    for (let key = 0; key < messages.length; key += 20) outbox.append(messages.slice(key, key + 20));
    const rows = outbox.lease(10_000, 100);
    const usage = outbox.pending();
    expect(usage.bytes).toBeLessThanOrEqual(100_000);
    expect(usage.bytes).toBe(rows.reduce((sum, row) => sum + row.sizeBytes, 0));
    expect(rows.filter(({ channel }) => channel === 'event')).toHaveLength(20);
    expect(usage).toMatchObject({ telemetryDroppedTotal: 0, casesDroppedTotal: 0 });
    expect(usage.telemetryThinnedTotal).toBeGreaterThan(300);
    const explained = explainedBy(rows);
    expect(holesOf(rows, usage.newestSeq)).toEqual(sorted(explained.keys()));
    expect(new Set(explained.values())).toEqual(new Set(['thinned']));
    const bodies = telemetryOf(rows);
    const covered = bodies.flatMap(({ intervals }) => intervals);
    const watchedMs = covered.reduce((sum, { from, to }) => sum + Date.parse(to) - Date.parse(from), 0);
    expect(watchedMs).toBe(580 * 10_000);
    expect(covered.reduce((sum, { framesDecoded }) => sum + framesDecoded, 0)).toBe(580 * 250);
    const lines = bodies
      .flatMap(({ measurements }) => measurements)
      .filter(({ metric }) => metric === 'lineCount');
    expect(lines.reduce((sum, { value }) => sum + value, 0)).toBe(580 * 3);
  });

  it('never thins what may have been sent, also by an earlier process', () => {
    openOutbox(60_000);
    let outbox = opened[0] as Outbox;
    outbox.append(Array.from({ length: 40 }, (_, key) => telemetry(key)));
    expect(outbox.lease(5, 100)).toHaveLength(5);
    outbox = reopen(60_000);
    for (let key = 40; key < 400; key += 20)
      outbox.append(Array.from({ length: 20 }, (_, index) => telemetry(key + index)));
    const explained = explainedBy(outbox.lease(10_000, 100));
    const manners = new Set(Array.from({ length: 40 }, (_, index) => explained.get(index + 1)));
    expect(manners).toEqual(new Set(['dropped']));
    expect([...explained.values()].filter((manner) => manner === 'thinned').length).toBeGreaterThan(20);
  });

  it('then drops cases, those that were let pass first and the gravest last, and lists each with its number', () => {
    const { outbox } = openOutbox(400_000);
    const letPass = { reason: 'officer-directing', explanation: { vi: 'x', en: 'x' } } as const;
    const kinds = [{ letPass }, { kind: 'STOP_PARK' }, { kind: 'RED_LIGHT' }] as const;
    const caseOf = (key: number): OutboxMessage[] => [
      { channel: 'event', body: anEvent(key, kinds[key % 3] ?? {}) },
      { channel: 'evidence', body: aManifest(key, Buffer.from(`still ${key}`)) },
    ];
    for (let key = 0; key < 300; key += 3) {
      outbox.append([caseOf(key), caseOf(key + 1), caseOf(key + 2)].flat());
      outbox.append([telemetry(key)]);
    }
    const rows = outbox.lease(10_000, 100);
    const usage = outbox.pending();
    expect(usage.bytes).toBeLessThanOrEqual(400_000);
    expect(usage.telemetryDroppedTotal).toBeGreaterThan(0);
    const kept = rows.flatMap(({ channel, body }) =>
      channel === 'event' ? [JSON.parse(body) as Event] : [],
    );
    expect(kept.some((body) => body.letPass !== undefined)).toBe(false);
    expect(kept.filter(({ kind }) => kind === 'RED_LIGHT')).toHaveLength(100);
    expect(kept.filter(({ kind }) => kind === 'STOP_PARK').length).toBeLessThan(100);
    const explained = explainedBy(rows);
    expect(holesOf(rows, usage.newestSeq)).toEqual(sorted(explained.keys()));
    const items = telemetryOf(rows).flatMap(({ drops }) => drops ?? []);
    const keptIds = new Set(kept.map(({ eventId }) => eventId));
    const lost = Array.from({ length: 300 }, (_, key) => anEventId(key)).filter((id) => !keptIds.has(id));
    expect(new Set(items.filter(({ what }) => what === 'event').map(({ eventId }) => eventId))).toEqual(
      new Set(lost),
    );
    for (const { seq } of items) expect(explained.has(seq ?? 0)).toBe(true);
  });

  it('takes a violation when only violations are left, the oldest gives way, and telemetry gives way to itself', () => {
    const { outbox } = openOutbox(60_000);
    for (let key = 0; key < 100; key++) outbox.append([event(key)]);
    expect(outbox.append([telemetry(1)])[0]?.outcome).toBe('appended');
    const rows = outbox.lease(1_000, 100);
    const kept = rows.filter(({ channel }) => channel === 'event').map(({ seq }) => seq);
    expect(kept.length).toBeGreaterThan(10);
    expect(rows.some(({ body }) => body.includes(anEventId(99)))).toBe(true);
    expect(holesOf(rows, outbox.pending().newestSeq)).toEqual(sorted(explainedBy(rows).keys()));
  });
});

describe('the order of sending', () => {
  it('is fresh before backlog and events before telemetry, and starves none', () => {
    openOutbox();
    const outbox = reopen();
    outbox.append(Array.from({ length: 300 }, (_, key) => telemetry(key)));
    outbox.append(Array.from({ length: 50 }, (_, key) => event(key)));
    nowMs += 61_000;
    outbox.append([telemetry(1_000), event(1_000)]);
    const seqs = outbox.lease(20, 1_000).map(({ seq }) => seq);
    expect(seqs.slice(0, 2)).toEqual([352, 351]);
    expect(seqs).toEqual([
      352,
      351,
      301,
      302,
      303,
      304,
      1,
      2,
      3,
      4,
      ...Array.from({ length: 10 }, (_, i) => 305 + i),
    ]);
    // The backlog may not fill the window: what happens now finds a place.
    outbox.releaseLeases();
    expect(outbox.lease(100, 1_000, { backlog: 30 })).toHaveLength(32);
    outbox.append([event(1_001)]);
    expect(outbox.lease(68, 1_000, { backlog: 30 }).map(({ seq }) => seq)).toEqual([353]);
  });

  it('keeps within the bytes that may be on their way, except for fresh events', () => {
    openOutbox();
    const outbox = reopen();
    outbox.append(Array.from({ length: 100 }, (_, key) => telemetry(key)));
    nowMs += 61_000;
    const bytes = outbox
      .lease(100, 1_000, { bytes: 5_000 })
      .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    expect(bytes).toBeGreaterThanOrEqual(5_000);
    expect(bytes).toBeLessThan(6_000);
    outbox.append([event(1)]);
    expect(outbox.lease(100, 1_000, { bytes: 5_000 })).toHaveLength(1);
  });
});

describe('numbers that the centre misses', () => {
  it('are sent again, put back from their copies, or explained', () => {
    const { outbox } = openOutbox();
    outbox.append([event(1), telemetry(1), event(2), event(3)]);
    outbox.lease(10, 60_000);
    outbox.ack([1, 2]);
    expect(
      outbox.resend([
        { from: 1, to: 3 },
        { from: 4, to: 9 },
      ]),
    ).toEqual({ waiting: 2, restored: 1, gone: 1 });
    const rows = outbox.lease(10, 100);
    expect(sorted(rows.map(({ seq }) => seq))).toEqual([1, 3, 4, 5]);
    expect(explainedBy(rows)).toEqual(new Map([[2, 'gone']]));
    expect(JSON.parse(rows.find(({ seq }) => seq === 1)?.body ?? '')).toEqual(anEvent(1));
  });

  it('belong to one identity: another machine under it makes this one take a new one', () => {
    const { outbox } = openOutbox();
    const before = outbox.outboxId;
    nowMs += 120_000;
    outbox.append([event(1), telemetry(1), event(2)]);
    outbox.ack([1]);
    expect(outbox.renewIdentity(1)).toBe(false);
    outbox.ack([2]);
    expect(outbox.renewIdentity(3)).toBe(true);
    expect(outbox.renewIdentity(3)).toBe(false);
    expect(outbox.outboxId).not.toBe(before);
    const again = reopen();
    expect(again.outboxId).toBe(outbox.outboxId);
    const rows = again.lease(10, 100);
    // the event comes again from its copy: of a number of the old identity the centre does not ask any more
    expect(sorted(rows.map(({ seq }) => seq))).toEqual([1, 3, 4]);
    expect(explainedBy(rows)).toEqual(new Map([[2, 'renumbered']]));
  });
});

describe('evidence on a full disk', () => {
  it('goes in the order of need, and what the centre will never get is listed', () => {
    const { outbox } = openOutbox();
    const file = (name: string, change: Partial<NewUpload> = {}): NewUpload => ({
      sha256: sha256Of(Buffer.from(name)),
      path: `/x/${name}`,
      sizeBytes: 100,
      eventId: anEventId(1),
      role: 'clip',
      ...change,
    });
    const sent = file('sent');
    outbox.append([], {
      uploads: [
        file('wanted', { class: 'original' }),
        file('still'),
        file('clip', { class: 'original' }),
        sent,
      ],
    });
    outbox.wantUpload(sha256Of(Buffer.from('wanted')), nowMs);
    outbox.removeUpload(sent.sha256);
    expect(outbox.pending()).toMatchObject({ evidenceFiles: 4, evidenceBytes: 400 });
    expect(outbox.releaseEvidence({ maxBytes: 400 })).toEqual([]);
    const names = (maxBytes: number) => outbox.releaseEvidence({ maxBytes }).map(({ path }) => path);
    expect(names(399)).toEqual(['/x/sent']);
    expect(outbox.pending().newestSeq).toBe(0);
    expect(names(150)).toEqual(['/x/clip', '/x/wanted']);
    const items = telemetryOf(outbox.lease(9, 100)).flatMap(({ drops }) => drops ?? []);
    expect(items).toMatchObject([
      { what: 'file', reason: 'evidence-budget', sha256: sha256Of(Buffer.from('clip')), role: 'clip' },
      { what: 'file', reason: 'evidence-budget', sha256: sha256Of(Buffer.from('wanted')) },
    ]);
    expect(outbox.listUploads(9).map(({ path }) => path)).toEqual(['/x/still']);
  });

  it('was asked for when it was first, or first more urgently', () => {
    const { outbox } = openOutbox();
    const sha256 = sha256Of(Buffer.from('clip'));
    const clip = { sha256, path: '/x/clip', sizeBytes: 100, eventId: anEventId(1), role: 'clip' };
    outbox.append([], { uploads: [{ ...clip, class: 'original', priority: 2 }] });
    const ask = (atMs: number, priority: number) => {
      expect(outbox.wantUpload(sha256, atMs, priority)).toBe(true);
      return outbox.listUploads(1)[0];
    };
    expect(ask(1_000, 10)).toMatchObject({ wantedAtMs: 1_000, priority: 10 });
    expect(ask(2_000, 10)).toMatchObject({ wantedAtMs: 1_000, priority: 10 });
    expect(ask(3_000, 50)).toMatchObject({ wantedAtMs: 3_000, priority: 50 });
    expect(ask(4_000, 50)).toMatchObject({ wantedAtMs: 3_000 });
    expect(ask(5_000, 10)).toMatchObject({ wantedAtMs: 3_000 });
  });
});

it('refuses a message that the centre would refuse for its size', () => {
  const { outbox } = openOutbox();
  const measurements = Array.from({ length: 500 }, () => ({
    at: '2025-03-01T00:00:00.000Z',
    metric: 'm'.repeat(64),
    value: 1,
    tags: Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`t${index}`, 'x'.repeat(64)])),
  }));
  const body = { ...aTelemetry(1), measurements };
  expect(codeOf(() => outbox.append([{ channel: 'telemetry', body }]))).toBe('MESSAGE_TOO_LARGE');
  expect(outbox.pending().entries).toBe(0);
});
