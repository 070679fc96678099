import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ack } from '@ngatu/contract';
import Database from 'better-sqlite3';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from '../../../tests/delivery/loopback-broker.ts';
import { anEvent, aTelemetry, aTime, NODE, SITE } from '../../../tests/delivery/message-builder.ts';
import { DuckdbSeriesStore } from '../store/duckdb-series-store.ts';
import { SqliteEventStore } from '../store/sqlite-event-store.ts';
import { CommitLoop } from './commit-loop.ts';
import { IntakeQueue } from './intake-queue.ts';

const OUTBOX = '11111111-1111-4111-8111-111111111111';
let folder: string;
let events: SqliteEventStore;
let series: DuckdbSeriesStore;
let acks: Ack[];
let stop: AbortController;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-commit-'));
  events = SqliteEventStore.open(join(folder, 'events.sqlite'));
  series = await DuckdbSeriesStore.open(join(folder, 'series.duckdb'));
  acks = [];
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  events[Symbol.dispose]();
  await series.close();
  rmSync(folder, { recursive: true, force: true });
});

function startLoop(limits = { messages: 100, bytes: 1_000_000 }): IntakeQueue {
  const queue = new IntakeQueue(limits);
  const publishAck = (_site: string, _node: string, ack: Ack) => acks.push(ack);
  const parts = {
    queue,
    events,
    series,
    publishAck,
    logger: pino({ level: 'silent' }),
    clock: { nowMs: () => Date.now() },
  };
  new CommitLoop(parts).run(stop.signal);
  return queue;
}

function aMessage(seq: number, channel: 'event' | 'telemetry') {
  const body = channel === 'event' ? anEvent(seq) : aTelemetry(seq);
  const envelope = { schemaVersion: 1, outboxId: OUTBOX, seq, publishedAt: aTime(0), body };
  return { topic: `ngatu/v1/${SITE}/${NODE}/${channel}`, payload: Buffer.from(JSON.stringify(envelope)) };
}

const committed = () => acks.flatMap((ack) => ack.committed).sort((a, b) => a - b);
const proceed = () => undefined;
const sumLines = async () => {
  const query = {
    metric: 'lineCount',
    from: aTime(0),
    to: aTime(100_000),
    stepMs: 100_000,
    aggregate: 'sum' as const,
  };
  return (await series.query(query))[0]?.points[0]?.value;
};

it('acknowledges telemetry only when its measurements are written, and events meanwhile', async () => {
  await series.close();
  const queue = startLoop();
  queue.offer(aMessage(1, 'event'), proceed);
  queue.offer(aMessage(2, 'telemetry'), proceed);
  queue.offer(aMessage(3, 'event'), proceed);
  await until('the events are acknowledged', () => committed().length === 2);
  expect(committed()).toEqual([1, 3]);
  stop.abort();
  // The number is in the ledger; its measurements are not. The node sends again, to the next process.
  stop = new AbortController();
  series = await DuckdbSeriesStore.open(join(folder, 'series.duckdb'));
  const again = startLoop();
  again.offer(aMessage(2, 'telemetry'), proceed);
  again.offer(aMessage(2, 'telemetry'), proceed);
  await until('the telemetry is acknowledged', () => committed().includes(2));
  expect(await sumLines()).toBe(3);
});

it('waits for a store that is held, lets no more in than its bound, and loses nothing', {
  timeout: 60_000,
}, async () => {
  const other = new Database(join(folder, 'events.sqlite'));
  other.exec('BEGIN IMMEDIATE');
  const queue = startLoop({ messages: 5, bytes: 1_000_000 });
  let sent = 0;
  const sendNext = (): void => {
    if (sent < 300) queue.offer(aMessage(++sent, 'event'), sendNext);
  };
  sendNext();
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  // One batch in hand and a full queue behind it; the sender stands still.
  expect(acks).toEqual([]);
  expect(sent).toBeLessThan(20);
  other.exec('ROLLBACK');
  other.close();
  await until('all are acknowledged', () => committed().length === 300, 30_000);
  expect(committed()).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
});
