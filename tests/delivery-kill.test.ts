import { join } from 'node:path';
import { NgatuError, readDropRanges, type SeqRange, type Telemetry } from '@ngatu/contract';
import { afterEach, expect, it, vi } from 'vitest';
import { RemoteSeriesStore } from '../cloud/src/store/remote-series-store.ts';
import type { SqliteEventStore } from '../cloud/src/store/sqlite-event-store.ts';
import { bundleEntry, LineProcess } from './delivery/child-process.ts';
import { DeliveryRig, INTERNAL_TOKEN, seededRandom } from './delivery/delivery-rig.ts';
import { until } from './delivery/loopback-broker.ts';
import { aManifest, anEvent, anEventId, aTelemetry, aTime, NODE, SITE } from './delivery/message-builder.ts';

const SEED = Number(process.env['NGATU_TEST_SEED'] ?? Date.now() % 1_000_000);
const KILLS = Number(process.env['NGATU_TEST_KILLS'] ?? 10);

let rig: DeliveryRig;
afterEach(() => rig.close());

function listAllEventIds(store: SqliteEventStore): string[] {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = store.listEvents({ limit: 500, ...(cursor === undefined ? {} : { cursor }) });
    ids.push(...page.items.map(({ eventId }) => eventId));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return ids;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

it(`commits every appended entry exactly once through ${KILLS} kills each of broker and ingestor (seed ${SEED})`, {
  timeout: 120_000 + KILLS * 15_000,
}, async () => {
  const random = seededRandom(SEED);
  rig = await DeliveryRig.open();
  await rig.startIngestor();
  const outbox = rig.openOutbox();
  rig.startUplink(outbox, { random: seededRandom(SEED + 1), leaseMs: 2_000 });
  const sealed = (key: number) => rig.seal.seal(aManifest(key, Buffer.from(`still ${key}`)), anEvent(key));
  let events = 0;
  let appended = 0;
  let producing = true;
  const producer = (async () => {
    while (producing) {
      const key = events++;
      const messages = [
        { channel: 'event' as const, body: anEvent(key) },
        { channel: 'telemetry' as const, body: aTelemetry(key) },
        { channel: 'evidence' as const, body: sealed(key) },
      ];
      appended += outbox.append(messages).length;
      await sleep(2 + random() * 8);
    }
  })();
  const victims = Array.from({ length: 2 * KILLS }, (_, index) => (index % 2 === 0 ? 'broker' : 'ingestor'));
  for (const victim of victims) {
    await sleep(random() * 300);
    if (victim === 'broker') {
      await rig.broker.kill();
      await sleep(random() * 200);
      if (random() < 0.5) rig.broker.wipe();
      await rig.broker.restart();
    } else {
      await rig.endIngestor('SIGKILL');
      await sleep(random() * 200);
      await rig.startIngestor();
    }
  }
  producing = false;
  await producer;
  const drainedFrom = performance.now();
  await until('the outbox is empty', () => outbox.pending().entries === 0, 90_000);
  const drainMs = Math.round(performance.now() - drainedFrom);

  const store = rig.openEvents();
  const ids = listAllEventIds(store);
  expect(ids).toHaveLength(events);
  expect(new Set(ids)).toEqual(new Set(Array.from({ length: events }, (_, key) => anEventId(key))));
  expect(store.listNodes()[0]).toMatchObject({ committedThrough: appended, missing: [] });
  expect(store.countDeadLetters()).toBe(0);
  expect(outbox.listRejected()).toEqual([]);
  for (let key = 0; key < events; key++)
    expect(store.getEvent(anEventId(key))?.evidence?.files).toHaveLength(1);
  const [coverage] = store.listCoverage({ from: aTime(0), to: aTime(events * 10_000) });
  expect(coverage).toMatchObject({ analysedMs: events * 10_000, unreportedMs: 0 });
  expect(await sumLineCounts(events)).toBe(events * 3);
  console.log(
    `${2 * KILLS} kills, ${appended} entries, all committed once; drained ${drainMs} ms after the last kill`,
  );
});

async function sumLineCounts(events: number): Promise<number> {
  const series = new RemoteSeriesStore(rig.ingestorUrl, INTERNAL_TOKEN);
  const to = aTime(events * 10_000);
  const [line] = await series.query({
    metric: 'lineCount',
    from: aTime(0),
    to,
    stepMs: 3_600_000,
    aggregate: 'sum',
  });
  return (line?.points ?? []).reduce((sum, { value }) => sum + value, 0);
}

function listNumbers({ from, to }: SeqRange): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

it(`keeps what an append had returned when its process is killed (seed ${SEED})`, {
  timeout: 60_000,
}, async () => {
  const random = seededRandom(SEED + 2);
  rig = await DeliveryRig.open();
  const script = await bundleEntry('producer-process', rig.folder);
  const file = join(rig.folder, 'killed.sqlite');
  let next = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    let last = next - 1;
    const producer = LineProcess.start(script, { file, first: next }, (line) => {
      last = Number(line);
    });
    await until('the producer appends', () => {
      if (producer.hasExited) throw new Error(producer.errors);
      return last >= next;
    });
    await sleep(random() * 100);
    await producer.end('SIGKILL');
    await sleep(20);
    const outbox = rig.openOutbox(file);
    const rows = outbox.lease(1_000_000, 1).sort((one, other) => one.seq - other.seq);
    const jobs = outbox.listEvidenceJobs(1_000_000);
    const events = rows.filter(({ channel }) => channel === 'event').length;
    // Whole appends only, in order, without a hole that is not explained, and never fewer than were reported durable.
    const skipped = rows.flatMap(({ seq, channel, body }) =>
      channel === 'telemetry' ? readDropRanges(JSON.parse(body) as Telemetry, seq) : [],
    );
    const known = new Set([...rows.map(({ seq }) => seq), ...skipped.flatMap(listNumbers)]);
    expect(known.size).toBe(Math.max(...known));
    expect(skipped.every(({ manner }) => manner === 'skipped' || manner === 'thinned')).toBe(true);
    // One record tells of all gaps.
    expect(rows.length).toBe(events * 2 + 1);
    expect(jobs).toHaveLength(events);
    expect(events).toBeGreaterThanOrEqual(last + 1);
    expect(outbox.mark('latest')).toBe(String(events - 1));
    outbox[Symbol.dispose]();
    next = events;
  }
  expect(next).toBeGreaterThan(KILLS);
  console.log(`${KILLS} kills of the outbox process: ${next} appends, none torn, none lost`);
});

it('goes on where the disk refuses acknowledgements for a while', { timeout: 60_000 }, async () => {
  rig = await DeliveryRig.open();
  await rig.startIngestor();
  const outbox = rig.openOutbox();
  let refusals = 0;
  const ack = outbox.ack.bind(outbox);
  vi.spyOn(outbox, 'ack').mockImplementation((seqs) => {
    if (refusals >= 3) return ack(seqs);
    refusals++;
    throw new NgatuError('DISK_FULL', 'Cannot use outbox: disk I/O error', { retryable: true });
  });
  outbox.append([{ channel: 'event', body: anEvent(1) }]);
  rig.startUplink(outbox, { leaseMs: 500 });
  await until('the outbox is empty', () => outbox.pending().entries === 0);
  expect(refusals).toBe(3);
  const store = rig.openEvents();
  expect(listAllEventIds(store)).toEqual([anEventId(1)]);
});

it('carries the state of the node, also its death', { timeout: 60_000 }, async () => {
  rig = await DeliveryRig.open();
  await rig.startIngestor();
  await rig.untilConnected();
  const outbox = rig.openOutbox();
  const stopUplink = rig.startUplink(outbox);
  const store = rig.openEvents();
  const stateOf = () => store.listNodes().find(({ site, node }) => site === SITE && node === NODE)?.state;
  await until('the node is online', () => stateOf()?.state === 'online');
  expect(stateOf()).toMatchObject({ version: '0.1.0', cameras: ['cam-1'] });
  await stopUplink();
  await until('the node is offline', () => stateOf()?.state === 'offline');
});
