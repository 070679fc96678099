import { readFileSync } from 'node:fs';
import { connectAsync } from 'mqtt';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { SqliteEventStore } from '../cloud/src/store/sqlite-event-store.ts';
import { ControllerSignal } from '../edge/src/signal/controller-signal.ts';
import type { DirectiveBook } from '../edge/src/uplink/directive-book.ts';
import { runSignalFeed } from '../edge/src/uplink/signal-feed.ts';
import { DeliveryRig } from './delivery/delivery-rig.ts';
import { CONTROLLER_USER, NODE_USER, until } from './delivery/loopback-broker.ts';
import { CAMERA, NODE, SITE } from './delivery/message-builder.ts';

let rig: DeliveryRig;
beforeEach(async () => {
  rig = await DeliveryRig.open();
});
afterEach(() => rig.close());

function declare(store: SqliteEventStore, number: number): number {
  const nowMs = Date.now();
  const record = store.directives.declare({
    directiveId: `di-${number.toString(16).padStart(32, '0')}`,
    site: SITE,
    node: NODE,
    camera: CAMERA,
    kind: 'officer-directing',
    from: new Date(nowMs).toISOString(),
    until: new Date(nowMs + 600_000).toISOString(),
    reason: 'jam',
    declaredBy: 'tuan',
    declaredAt: new Date(nowMs).toISOString(),
  });
  return record?.revision ?? Number.NaN;
}

const heldBy = (book: DirectiveBook) => book.at(CAMERA, Date.now()).length;
const reported = (store: SqliteEventStore) => store.listNodes()[0]?.state.directiveRevision;

it('brings a directive from the centre to the node and its acknowledgement back, through restarts of every side', async () => {
  await rig.startIngestor();
  await rig.untilConnected();
  const store = rig.openEvents();
  const outbox = rig.openOutbox();
  const book = rig.openDirectives();
  const stopNode = rig.startUplink(outbox, { directives: book });
  await until('the node is known', () => store.listNodes().length === 1);
  expect(reported(store)).toBeUndefined();

  const declaredAt = performance.now();
  const first = declare(store, 1);
  await until('the node has said that it holds it', () => reported(store) === first);
  expect(performance.now() - declaredAt).toBeLessThan(5_000);
  expect(heldBy(book)).toBe(1);

  // The node is away while the next one is declared; the broker keeps it. Its disk knows the first one meanwhile.
  await stopNode();
  expect(heldBy(rig.openDirectives())).toBe(1);
  const second = declare(store, 2);
  const again = rig.openDirectives();
  const stopAgain = rig.startUplink(outbox, { directives: again });
  await until('the node holds both', () => reported(store) === second && heldBy(again) === 2);

  // The broker dies with what it retained, the ingestor with it: both begin anew, and everything is told again.
  await rig.broker.kill();
  await rig.endIngestor('SIGKILL');
  await rig.broker.restart();
  const third = declare(store, 3);
  await rig.startIngestor();
  await until('the node holds all three', () => reported(store) === third && heldBy(again) === 3);

  // Ended early at the centre, ended at the node.
  const ended = store.directives.end(`di-${'1'.padStart(32, '0')}`, {
    actor: 'tuan',
    at: new Date().toISOString(),
    reason: 'over',
  });
  expect(ended.outcome).toBe('ended');
  await until('two are left', () => heldBy(again) === 2);
  await stopAgain();
  expect(JSON.parse(readFileSync(`${rig.folder}/directives.json`, 'utf8')).directives).toHaveLength(3);
  expect(store.countDeadLetters()).toBe(0);
}, 60_000);

it('hears a controller on the broker through its death, and takes no retained word of before', async () => {
  const topic = 'signals/junction-1/north';
  const source = new ControllerSignal({ clock: 'controller', maxClockErrorMs: 1_500, validMs: 1_000 });
  const stop = new AbortController();
  const broker = { url: rig.broker.url, username: NODE_USER.name, password: NODE_USER.password };
  const sink = { topic, take: source.take.bind(source) };
  const running = runSignalFeed(
    {
      broker,
      clientId: 'ngatu-test-signal',
      sinks: [sink],
      clock: { nowMs: () => Date.now(), monotonicMs: () => performance.now() },
      random: Math.random,
      logger: pino({ level: 'silent' }),
    },
    stop.signal,
  );
  const say = async (state: string, sentAt: number) => {
    const client = await connectAsync(rig.broker.url, {
      username: CONTROLLER_USER.name,
      password: CONTROLLER_USER.password,
      protocolVersion: 5,
    });
    await client.publishAsync(topic, JSON.stringify({ state, sentAt }), { qos: 1, retain: true });
    await client.endAsync();
  };
  const stateNow = () => source.phaseAt(Date.now())?.state;
  try {
    // It may still be connecting: a controller repeats itself.
    await until('red is heard', async () => {
      await say('red', Date.now());
      return stateNow() === 'red';
    });
    await until('silence is unknown', () => stateNow() === undefined);
    const before = source.counters.taken;
    await rig.broker.kill();
    await rig.broker.restart();
    await say('green', Date.now() - 5_000);
    await until(
      'the old word is refused',
      () =>
        (source.counters.refused.SIGNAL_STALE ?? 0) > 0 || (source.counters.refused.SIGNAL_CLOCK ?? 0) > 0,
    );
    expect(source.counters.taken).toBe(before);
    expect(stateNow()).toBeUndefined();
    await until('green is heard', async () => {
      await say('green', Date.now());
      return stateNow() === 'green';
    });
  } finally {
    stop.abort();
    await running;
  }
}, 60_000);
