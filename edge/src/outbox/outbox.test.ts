import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NgatuError, readDropRanges, type Telemetry } from '@ngatu/contract';
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
import { Outbox, type OutboxMessage } from './outbox.ts';

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
    expect(again.listUploads(10)).toEqual([{ sha256: sha256Of(still), path: '/x/still.jpg', sizeBytes: 5 }]);
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
    outbox.nack(1, 'EVENT_CONFLICT', 'differs');
    expect(outbox.pending()).toMatchObject({ uploadsPending: 0, uploadsRefused: 1 });
  });
});

describe('a full outbox', () => {
  it('drops telemetry oldest first, keeps every event, and explains each missing number', () => {
    const { outbox } = openOutbox(100_000);
    const appended: number[] = [];
    for (let key = 0; key < 400; key++) {
      const message = key % 20 === 0 ? event(key) : telemetry(key);
      for (const outcome of outbox.append([message]))
        if (outcome.outcome === 'appended') appended.push(outcome.seq);
    }
    const rows = outbox.lease(10_000, 100);
    const usage = outbox.pending();
    expect(usage.bytes).toBeLessThanOrEqual(100_000);
    expect(usage.bytes).toBe(rows.reduce((sum, row) => sum + row.sizeBytes, 0));
    expect(rows.filter(({ channel }) => channel === 'event')).toHaveLength(20);
    const explained = new Set<number>();
    for (const { channel, body, seq } of rows) {
      if (channel !== 'telemetry') continue;
      for (const { from, to } of readDropRanges(JSON.parse(body) as Telemetry, seq)) {
        for (let number = from; number <= to; number++) explained.add(number);
      }
    }
    const present = new Set(rows.map(({ seq }) => seq));
    const last = Math.max(...present);
    const holes = Array.from({ length: last }, (_, index) => index + 1).filter((seq) => !present.has(seq));
    expect(holes.length).toBeGreaterThan(100);
    expect(holes).toEqual([...explained].sort((a, b) => a - b));
    const droppedAppends = appended.filter((seq) => !present.has(seq));
    expect(usage.telemetryDroppedTotal).toBe(droppedAppends.length);
    expect(Math.max(...droppedAppends)).toBeLessThan(
      Math.min(
        ...appended.filter(
          (seq) => present.has(seq) && rows.find((row) => row.seq === seq)?.channel === 'telemetry',
        ),
      ),
    );
  });

  it('refuses an event when only events are left, and takes it when there is room again', () => {
    const { outbox } = openOutbox(10_000);
    let key = 0;
    while (codeOf(() => outbox.append([event(key)])) !== 'OUTBOX_FULL') key++;
    expect(key).toBeGreaterThan(3);
    const before = outbox.pending();
    expect(before.entries).toBe(key);
    outbox.ack([1]);
    expect(outbox.append([event(key)])).toEqual([{ outcome: 'appended', seq: key + 1 }]);
  });
});

describe('opening', () => {
  it('is refused while another process or connection holds the file', () => {
    openOutbox();
    expect(codeOf(() => openOutbox())).toBe('OUTBOX_LOCKED');
  });

  it.each([
    ['garbage', () => writeFileSync(file, Buffer.alloc(20_000, 'garbage'))],
    [
      'a damaged page',
      () => {
        const { outbox } = openOutbox();
        outbox.append(Array.from({ length: 200 }, (_, key) => event(key)));
        opened.splice(0)[0]?.[Symbol.dispose]();
        const bytes = readFileSync(file);
        bytes.fill(0x5a, 3 * 4096, 6 * 4096);
        writeFileSync(file, bytes);
      },
    ],
    [
      'a cut file',
      () => {
        const { outbox } = openOutbox();
        outbox.append(Array.from({ length: 200 }, (_, key) => event(key)));
        opened.splice(0)[0]?.[Symbol.dispose]();
        writeFileSync(file, readFileSync(file).subarray(0, 10_000));
      },
    ],
  ])('moves a corrupt file aside (%s), says so, and begins anew', (_name, damage) => {
    damage();
    const { outbox, movedAside } = openOutbox();
    expect(movedAside?.file).toMatch(/outbox\.sqlite\.corrupt-2025-03-01T/);
    expect(readdirSync(folder).filter((name) => name.includes('.corrupt-')).length).toBeGreaterThan(0);
    expect(outbox.append([event(1)])).toEqual([{ outcome: 'appended', seq: 1 }]);
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
