import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { anEvent, aTime, NODE, SITE } from '../../../tests/delivery/message-builder.ts';
import type { CommitItem } from './event-store.ts';
import { describeEventStore } from './event-store-suite.ts';
import { SqliteEventStore } from './sqlite-event-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'ngatu-events-'));
const file = join(folder, 'events.sqlite');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function removeFiles(): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
}

describeEventStore('SQLite', { open: () => SqliteEventStore.open(file), reset: removeFiles });

function aBatch(from: number, count: number): CommitItem[] {
  return Array.from({ length: count }, (_, index) => ({
    site: SITE,
    node: NODE,
    outboxId: '11111111-1111-4111-8111-111111111111',
    seq: from + index,
    message: { channel: 'event', body: anEvent(from + index) },
  }));
}

it('is shared by two processes: one reads what the other has committed', () => {
  removeFiles();
  using writer = SqliteEventStore.open(file);
  using reader = SqliteEventStore.open(file);
  writer.commit(aBatch(1, 3), aTime(0));
  expect(reader.listEvents({ limit: 10 }).items).toHaveLength(3);
  reader.appendReview(
    anEvent(1).eventId,
    { decision: 'rejected', reason: 'r', reviewer: 'lan', decidedAt: aTime(0) },
    0,
  );
  expect(writer.getEvent(anEvent(1).eventId)?.reviews).toHaveLength(1);
});

it.each([
  ['garbage', (bytes: Buffer) => bytes.fill('garbage')],
  ['a damaged page', (bytes: Buffer) => bytes.fill(0x5a, 4096 * 4, 4096 * 8)],
  ['a cut file', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
  ['another format', (bytes: Buffer) => bytes.fill(9, 44, 48)],
  [
    'other columns',
    (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replaceAll('event_id', 'event_ix'), 'latin1'),
  ],
])('refuses a corrupt database (%s) and leaves it as it is', (_name, damage) => {
  removeFiles();
  const store = SqliteEventStore.open(file);
  store.commit(aBatch(1, 300), aTime(0));
  store[Symbol.dispose]();
  const damaged = Buffer.from(damage(readFileSync(file)));
  writeFileSync(file, damaged);
  expect(() => SqliteEventStore.open(file)).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
  expect(readFileSync(file).equals(damaged)).toBe(true);
});
