import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Ack, buildTopic, type ResendRequest } from '@ngatu/contract';
import Database from 'better-sqlite3';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SqliteEventStore } from '../cloud/src/store/sqlite-event-store.ts';
import type { Outbox } from '../edge/src/outbox/outbox.ts';
import { DeliveryRig } from './delivery/delivery-rig.ts';
import { INGESTOR_USER, NODE_USER, until } from './delivery/loopback-broker.ts';
import { anEvent, anEventId, aTelemetry, aTime, NODE, SITE } from './delivery/message-builder.ts';

let rig: DeliveryRig;
let store: SqliteEventStore;
const clients: MqttClient[] = [];
const stops: (() => Promise<void>)[] = [];
beforeAll(async () => {
  rig = await DeliveryRig.open();
  await rig.startIngestor();
  await rig.untilConnected();
  store = rig.openEvents();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.end(true);
  for (const stop of stops.splice(0)) await stop();
});
afterAll(() => rig.close());

/** An outbox of its own for every test. */
const openOutbox = (name: string) => rig.openOutbox(join(rig.folder, `${name}.sqlite`));
const connect = (outbox: Outbox) => {
  const stop = rig.startUplink(outbox);
  stops.push(stop);
  return stop;
};

async function connectAs({ name, password }: { name: string; password?: string }): Promise<MqttClient> {
  const client = await connectAsync(rig.broker.url, {
    username: name,
    ...(password === undefined ? {} : { password }),
    protocolVersion: 5,
    reconnectPeriod: 0,
  });
  clients.push(client);
  return client;
}

const events = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ channel: 'event' as const, body: anEvent(from + index) }));
const hasAll = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => store.getEvent(anEventId(from + index))).every(
    (record) => record !== undefined,
  );
const later = (ms: number) => new Date(Date.now() + ms).toISOString();
const here = () => store.delivery.listDelivery().find(({ site, node }) => site === SITE && node === NODE);
const deliveryOf = ({ outboxId }: Outbox) => here()?.outboxes.find((own) => own.outboxId === outboxId);

it('a message that somebody kept and sends again later is harmless, also after everything of it was deleted', {
  timeout: 60_000,
}, async () => {
  const kept: { topic: string; payload: Buffer }[] = [];
  const tap = await connectAs(INGESTOR_USER);
  tap.on('message', (topic, payload) => kept.push({ topic, payload }));
  await tap.subscribeAsync(
    ['event', 'telemetry', 'state'].map((name) => `ngatu/v1/+/+/${name}`),
    { qos: 1 },
  );
  const outbox = openOutbox('kept');
  const stopUplink = connect(outbox);
  outbox.append([...events(10_001, 2), { channel: 'telemetry', body: aTelemetry(1) }]);
  await until('all is committed', () => outbox.pending().entries === 0);
  await stopUplink();
  await until('the node is offline', () => store.listNodes()[0]?.state.state === 'offline');

  // A month later the case is erased, and what was kept to recognise repetitions is pruned.
  const database = new Database(join(rig.dataDir, 'events.sqlite'));
  database.exec('DELETE FROM number_digest; DELETE FROM dead_letter; DELETE FROM evidence;');
  database.prepare('DELETE FROM event WHERE event_id = ?').run(anEventId(10_001));
  database.close();

  const acks: Ack[] = [];
  const thief = await connectAs(NODE_USER);
  thief.on('message', (_topic, payload) => acks.push(JSON.parse(payload.toString()) as Ack));
  await thief.subscribeAsync(buildTopic({ site: SITE, node: NODE, channel: 'ack' }), { qos: 1 });
  for (const { topic, payload } of kept.splice(0)) await thief.publishAsync(topic, payload, { qos: 1 });
  await until('all are answered', () => new Set(acks.flatMap(({ committed }) => committed)).size === 3);
  expect(store.getEvent(anEventId(10_001))).toBeUndefined();
  expect(store.getEvent(anEventId(10_002))).toBeDefined();
  expect(acks.flatMap(({ rejected }) => rejected)).toEqual([]);
  // The state of before does not bring the node back to life.
  expect(store.listNodes()[0]).toMatchObject({
    state: { state: 'offline' },
    committedThrough: 3,
    missing: [],
  });
  expect(here()?.conflicts).toEqual([]);
});

it('numbers that the centre lost are asked for again: copies fill the hole, what has none is explained', {
  timeout: 60_000,
}, async () => {
  const outbox = openOutbox('lost');
  connect(outbox);
  outbox.append(events(20_001, 5));
  await until('the first are committed', () => outbox.pending().entries === 0);
  await rig.endIngestor('SIGTERM');
  store[Symbol.dispose]();
  const file = join(rig.dataDir, 'events.sqlite');
  const backup = join(rig.folder, 'backup.sqlite');
  copyFileSync(file, backup);
  await rig.startIngestor();
  outbox.append([...events(20_006, 5), { channel: 'telemetry', body: aTelemetry(2) }]);
  await until('the next are committed', () => outbox.pending().entries === 0);

  // The database is lost, and what is restored knows nothing of the last six numbers.
  await rig.endIngestor('SIGKILL');
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
  copyFileSync(backup, file);
  await rig.startIngestor();
  await rig.untilConnected();
  store = rig.openEvents();
  outbox.append(events(20_020, 1));
  await until('the event after the hole is committed', () => hasAll(20_020, 1));
  await until('the node says that nothing waits', () => here()?.state?.outbox?.waiting === 0);
  store.delivery.refreshHoles(later(0));
  const hole = { from: 6, to: 11 };
  expect(deliveryOf(outbox)?.holes).toMatchObject([{ ...hole, state: 'open', asks: 0 }]);
  expect(store.delivery.listAskings(later(0))).toEqual([]);
  const [asking] = store.delivery.listAskings(later(20_000));
  expect(asking).toMatchObject({ outboxId: outbox.outboxId, ranges: [hole] });
  expect(store.delivery.computeFigures(later(0))).toMatchObject({ outboxesWithHoles: 1, missingNumbers: 6 });
  const centre = await connectAs(INGESTOR_USER);
  const { outboxId } = outbox;
  const request: ResendRequest = { schemaVersion: 1, outboxId, askedAt: later(0), ranges: [hole] };
  const topic = buildTopic({ site: SITE, node: NODE, channel: 'resend' });
  await centre.publishAsync(topic, JSON.stringify(request), { qos: 1 });
  await until('the hole is closed', () => hasAll(20_006, 5) && store.listNodes()[0]?.missing.length === 0);
  store.delivery.refreshHoles(later(0));
  expect(deliveryOf(outbox)).toMatchObject({ holes: [], explained: { gone: 1 }, committedThrough: 13 });
});

describe('two nodes with one name', () => {
  it('keep their numbers apart, and nothing of either is lost', { timeout: 60_000 }, async () => {
    const one = openOutbox('one');
    const other = openOutbox('other');
    one.append(events(30_000, 100));
    other.append(events(31_000, 100));
    connect(one);
    connect(other);
    await until('both are committed', () => one.pending().entries + other.pending().entries === 0);
    expect(hasAll(30_000, 100) && hasAll(31_000, 100)).toBe(true);
    for (const outbox of [one, other]) expect(deliveryOf(outbox)?.committedThrough).toBe(100);
    // A start that speaks again after the other one has spoken is seen, here after the broker was away.
    await rig.broker.kill();
    await rig.broker.restart();
    one.append(events(30_200, 1));
    other.append(events(31_200, 1));
    await until('both go on', () => one.pending().entries + other.pending().entries === 0);
    await until('the operator can see it', () => (here()?.conflicts.length ?? 0) > 0);
    expect(here()?.conflicts[0]).toMatchObject({ kind: 'two-agents' });
    expect(store.delivery.computeFigures(later(0)).conflicts).toBeGreaterThan(0);
  });

  it('and one copied disk: the copy takes a number space of its own', { timeout: 60_000 }, async () => {
    const copied = join(rig.folder, 'copied.sqlite');
    const first = openOutbox('copy');
    first.append(events(40_000, 3));
    first[Symbol.dispose]();
    copyFileSync(join(rig.folder, 'copy.sqlite'), copied);
    const one = openOutbox('copy');
    const other = openOutbox('copied');
    expect(other.outboxId).toBe(one.outboxId);
    one.append([...events(40_100, 20), { channel: 'telemetry', body: aTelemetry(4) }]);
    other.append([...events(42_000, 20), { channel: 'telemetry', body: aTelemetry(5) }]);
    const stopOne = connect(one);
    await until('the first is committed', () => one.pending().entries === 0);
    await stopOne();
    connect(other);
    await until('the copy is committed', () => other.pending().entries === 0);
    expect(other.outboxId).not.toBe(one.outboxId);
    expect(other.listRejected()).toEqual([]);
    expect(hasAll(40_000, 3) && hasAll(40_100, 20) && hasAll(42_000, 20)).toBe(true);
    expect(here()?.conflicts.map(({ kind }) => kind)).toContain('same-numbers');
    expect(deliveryOf(one)?.committedThrough).toBe(24);
    expect(deliveryOf(other)?.committedThrough).toBe(other.pending().newestSeq);
    const period = { from: aTime(40_000), to: aTime(60_000) };
    expect(store.listCoverage(period)[0]?.analysedMs).toBe(20_000);
  });
});

it('a database that stands still fills the outbox, not the memory; then all is committed', {
  timeout: 90_000,
}, async () => {
  const outbox = openOutbox('stall');
  connect(outbox);
  outbox.append(events(50_000, 10));
  await until('the first are committed', () => outbox.pending().entries === 0);
  const lock = new Database(join(rig.dataDir, 'events.sqlite'));
  lock.exec('BEGIN EXCLUSIVE');
  for (let key = 50_100; key < 51_600; key += 500) outbox.append(events(key, 500));
  const health = async () =>
    (await (await fetch(`${rig.ingestorUrl}/healthz`)).json()) as Record<string, unknown>;
  await until('the ingestor takes nothing more', async () => {
    const state = await health().catch(() => ({}) as Record<string, unknown>);
    return state['broker'] === 'held';
  });
  // So little is on its way at once: the rest stays on the node.
  expect(outbox.pending().entries).toBe(1_500);
  expect(Number((await health())['waiting'])).toBeLessThan(500);
  lock.exec('ROLLBACK');
  lock.close();
  await until('all is committed', () => outbox.pending().entries === 0, 45_000);
  expect(hasAll(50_100, 1_500)).toBe(true);
});
