import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildDropMeasurements, type NodeState, type Telemetry } from '@ngatu/contract';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { anEvent, anEventId, aTelemetry, NODE, SITE } from '../../../tests/delivery/message-builder.ts';
import type { CommitItem } from './event-store.ts';
import { SqliteEventStore } from './sqlite-event-store.ts';

const A = '11111111-1111-4111-8111-111111111111';
const B = '22222222-2222-4222-8222-222222222222';
let folder: string;
let store: SqliteEventStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-delivery-store-'));
  store = SqliteEventStore.open(join(folder, 'events.sqlite'));
});
afterEach(() => {
  store[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

const at = (seconds: number) => new Date(Date.UTC(2025, 6, 1) + seconds * 1_000).toISOString();
const anItem = (seq: number, seconds: number, change: Partial<CommitItem> = {}): CommitItem => ({
  site: SITE,
  node: NODE,
  outboxId: A,
  seq,
  publishedAt: at(seconds),
  message: { channel: 'event', body: anEvent(seq) },
  ...change,
});
const commit = (item: CommitItem, seconds: number) => store.commit([item], at(seconds))[0];
const aState = (seconds: number, change: Partial<NodeState> = {}): NodeState => ({
  schemaVersion: 1,
  state: 'online',
  bootId: 'boot-a',
  at: at(seconds),
  version: '0.1.0',
  cameras: ['cam-1'],
  ...change,
});
const outboxState = (oldestSeq: number | undefined, newestSeq: number): Pick<NodeState, 'outbox'> => ({
  outbox: {
    outboxId: A,
    waiting: oldestSeq === undefined ? 0 : 1,
    waitingBytes: 0,
    ...(oldestSeq === undefined ? {} : { oldestSeq }),
    newestSeq,
    droppedTotal: 0,
  },
});
const take = (seconds: number, change: Partial<NodeState> = {}) =>
  store.setNodeState(SITE, NODE, aState(seconds, change), at(seconds));
const look = (seconds: number) => {
  store.delivery.refreshHoles(at(seconds));
  return store.delivery.listDelivery()[0]?.outboxes[0]?.holes;
};

it('a hole is queued while the node has the numbers, open when it has not, and as old as what is left of it', () => {
  for (const seq of [1, 2, 10]) commit(anItem(seq, 0), 0);
  take(1, outboxState(5, 12));
  expect(look(2)).toMatchObject([
    { from: 3, to: 4, state: 'open', since: at(2) },
    { from: 5, to: 9, state: 'queued', since: at(2) },
  ]);
  expect(store.delivery.listAskings(at(10))).toEqual([]);
  expect(store.delivery.listAskings(at(20))).toMatchObject([{ outboxId: A, ranges: [{ from: 3, to: 4 }] }]);
  // The node has nothing any more: what lies above the last committed number is missing too.
  commit(anItem(4, 30), 30);
  take(31, outboxState(undefined, 12));
  expect(look(32)).toMatchObject([
    { from: 3, to: 3, since: at(2) },
    { from: 5, to: 9, since: at(2), state: 'open' },
    { from: 11, to: 12, since: at(32), state: 'open' },
  ]);
  expect(store.delivery.computeFigures(at(62))).toEqual({
    outboxesWithHoles: 1,
    missingNumbers: 8,
    oldestHoleAgeMs: 60_000,
    conflicts: 0,
  });
});

it('a node is asked again after growing waits, and never while it is offline', () => {
  commit(anItem(3, 0), 0);
  take(0, outboxState(undefined, 3));
  look(0);
  const asked: number[] = [];
  for (let seconds = 1; seconds <= 120; seconds++) {
    for (const asking of store.delivery.listAskings(at(seconds))) {
      store.delivery.noteAsked(asking, at(seconds));
      asked.push(seconds);
    }
  }
  expect(asked).toEqual([15, 45, 105]);
  expect(look(121)).toMatchObject([{ from: 1, to: 2, state: 'asked', asks: 3, askedAt: at(105) }]);
  take(122, { state: 'offline', connectedAt: at(0) });
  expect(store.delivery.listAskings(at(100_000))).toEqual([]);
});

it('what the node explains closes the hole and is listed, also where it is told twice', () => {
  const body: Telemetry = {
    ...aTelemetry(1),
    measurements: buildDropMeasurements(
      [
        { from: 1, to: 3, manner: 'thinned' },
        { from: 4, to: 4, manner: 'dropped' },
      ],
      at(0),
    ),
    drops: [
      {
        what: 'event',
        reason: 'outbox-full',
        droppedAt: at(0),
        seq: 4,
        eventId: anEventId(4),
        kind: 'RED_LIGHT',
        sizeBytes: 1_200,
      },
    ],
  };
  for (const seq of [5, 6]) commit(anItem(seq, 1, { message: { channel: 'telemetry', body } }), 1);
  take(1);
  expect(look(2)).toEqual([]);
  const [node] = store.delivery.listDelivery();
  expect(node).toMatchObject({ droppedItems: 1, outboxes: [{ committedThrough: 6 }] });
  expect(node?.outboxes[0]?.explained).toEqual({ thinned: 3, dropped: 1 });
  const dropped = store.delivery.listDroppedItems({ limit: 10 });
  expect(dropped).toMatchObject([{ site: SITE, node: NODE, item: { eventId: anEventId(4), seq: 4 } }]);
  expect(store.delivery.listDroppedItems({ limit: 10, sites: ['elsewhere'] })).toEqual([]);
});

it('another content under a settled number is refused, not taken for a repetition', () => {
  expect(commit(anItem(1, 0), 0)).toEqual({ outcome: 'committed' });
  expect(commit(anItem(1, 9), 9)).toEqual({ outcome: 'duplicate' });
  const other = anItem(1, 9, { message: { channel: 'event', body: anEvent(77) } });
  expect(commit(other, 9)).toMatchObject({ outcome: 'rejected', code: 'OUTBOX_CONFLICT' });
  expect(store.getEvent(anEventId(77))).toBeUndefined();
  expect(store.delivery.listDelivery()[0]?.conflicts).toMatchObject([{ kind: 'same-numbers', sightings: 1 }]);
});

it('an outbox that was replaced and speaks again is a second machine; its late and repeated messages are not', () => {
  const conflicts = () => store.delivery.listDelivery()[0]?.conflicts;
  commit(anItem(1, 0), 0);
  commit(anItem(1, 100, { outboxId: B, message: { channel: 'telemetry', body: aTelemetry(1) } }), 100);
  // On its way when the new one began; then played again a day later.
  commit(anItem(2, 99), 102);
  commit(anItem(2, 99), 86_400);
  expect(conflicts()).toEqual([]);
  commit(anItem(3, 90_000), 90_000);
  expect(conflicts()).toMatchObject([{ kind: 'two-outboxes', sightings: 1 }]);
  const outboxes = store.delivery.listDelivery()[0]?.outboxes;
  expect(outboxes).toMatchObject([
    { outboxId: B, current: true, committedThrough: 1 },
    { outboxId: A, current: true, committedThrough: 3 },
  ]);
});

it('a start that comes back with news is a second machine; an old statement of it is not', () => {
  const conflicts = () => store.delivery.listDelivery()[0]?.conflicts;
  const other = { bootId: 'boot-b', certificateSha256: 'b'.repeat(64) };
  take(0, { certificateSha256: 'a'.repeat(64) });
  take(10, other);
  take(5);
  expect(store.listNodes()[0]?.state).toMatchObject({ bootId: 'boot-b' });
  expect(conflicts()).toEqual([]);
  take(20, { certificateSha256: 'a'.repeat(64) });
  take(30, other);
  const certificates = ['b'.repeat(64), 'a'.repeat(64)];
  expect(conflicts()).toMatchObject([{ kind: 'two-agents', one: 'boot-a', other: 'boot-b', sightings: 2 }]);
  expect(new Set(conflicts()?.[0]?.certificates)).toEqual(new Set(certificates));
});

it('a will of an earlier connection does not end the present one', () => {
  take(0, { connectedAt: at(0) });
  take(50, { connectedAt: at(50) });
  take(0, { state: 'offline', connectedAt: at(0) });
  expect(store.listNodes()[0]?.state.state).toBe('online');
  take(50, { state: 'offline', connectedAt: at(50) });
  expect(store.listNodes()[0]?.state.state).toBe('offline');
});
