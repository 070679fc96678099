import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildCentrePaths, SqliteEventStore } from '@ngatu/cloud';
import { NgatuError } from '@ngatu/contract';
import type { AgentConfig } from '@ngatu/edge';
import Database from 'better-sqlite3';
import { buildLoadEvent, buildLoadTelemetry, REPORT_EVERY_MS } from './delivery-message.ts';
import { DeliveryNode, type DeliveryNodeOptions } from './delivery-node.ts';

export interface DeliveryLoadOptions {
  /** A broker and an ingestor that run, with this user's password; the node is `<site>/<node>`. */
  readonly rig: {
    readonly site: string;
    readonly node: string;
    readonly broker: AgentConfig['broker'];
    readonly centreDir: string;
    readonly ingestorPid: number;
    readonly brokerPid: number;
    readonly folder: string;
  };
  /** Messages that wait after a month without link. */
  readonly backlog: { readonly telemetry: number; readonly events: number };
  /** How long the database of the centre stands still, s. */
  readonly stallSeconds: number;
  readonly logger: DeliveryNodeOptions['logger'];
  readonly say: (line: string) => void;
}

export interface DeliveryFigures {
  readonly steady: { readonly messages: number; readonly perSecond: number };
  readonly month: {
    readonly messages: number;
    readonly outboxBytes: number;
    readonly drainSeconds: number;
    readonly perSecond: number;
    readonly liveEvents: number;
    readonly liveMsP50: number;
    readonly liveMsP95: number;
    readonly liveMsMax: number;
    readonly leaseMsP95: number;
    readonly outOfOrder: number;
    readonly nodeRssBytes: number;
    readonly missing: number;
  };
  readonly stall: {
    readonly seconds: number;
    readonly appended: number;
    readonly ingestorRssBeforeBytes: number;
    readonly ingestorRssMaxBytes: number;
    readonly brokerRssMaxBytes: number;
    readonly drainPerSecond: number;
    readonly missing: number;
  };
  readonly full: {
    readonly appended: number;
    readonly limitBytes: number;
    readonly appendMsP95: number;
    readonly appendMsMax: number;
    readonly thinned: number;
    readonly telemetryDropped: number;
    readonly casesDropped: number;
    readonly hoursKept: number;
    readonly hoursAppended: number;
  };
  /** Mean bytes of one message by class, as they were sent. */
  readonly bytesPerMessage: Readonly<Record<string, number>>;
}

const CAMERAS = 8;
const STEADY_EVENTS = 5_000;
const LIVE_EVERY_MS = 200;
const STALL_EVERY_MS = 5;
const FULL_BYTES = 16 * 1024 * 1024;
const FULL_TELEMETRY = 120_000;
const CHUNK = 500;
const DRAIN_LIMIT_MS = 1_800_000;
const OUTBOX_BYTES = 1024 * 1024 * 1024;

/** Measures delivery with the product's own outbox, uplink, broker and ingestor. */
export async function measureDelivery(
  options: DeliveryLoadOptions,
  signal: AbortSignal,
): Promise<DeliveryFigures> {
  const { say } = options;
  say('steady: events without a backlog');
  const steady = await measureSteady(options, signal);
  say(`month: ${options.backlog.telemetry} telemetry and ${options.backlog.events} events wait`);
  const { month, bytesPerMessage } = await measureMonth(options, signal);
  say(`stall: the database of the centre stands still for ${options.stallSeconds} s`);
  const stall = await measureStall(options, signal);
  say('full: an outbox that overflows');
  const full = await measureFull(options);
  return { steady, month, stall, full, bytesPerMessage };
}

function openNode({ rig, logger }: DeliveryLoadOptions, name: string, maxBytes = OUTBOX_BYTES): DeliveryNode {
  const { site, node, broker, folder } = rig;
  return new DeliveryNode({ site, node, broker, file: join(folder, `${name}.sqlite`), maxBytes, logger });
}

async function measureSteady(
  options: DeliveryLoadOptions,
  signal: AbortSignal,
): Promise<DeliveryFigures['steady']> {
  const node = openNode(options, 'steady');
  try {
    const { site, node: name } = options.rig;
    node.connect();
    const from = performance.now();
    for (let key = 0; key < STEADY_EVENTS; key += 50) {
      node.outbox.append(
        Array.from({ length: 50 }, (_, index) => ({
          channel: 'event' as const,
          body: buildLoadEvent(`steady ${key + index}`, origin(site, name, key + index, Date.now())),
        })),
      );
      await sleep(1);
    }
    await untilDrained(node, signal);
    const seconds = (performance.now() - from) / 1_000;
    return { messages: STEADY_EVENTS, perSecond: STEADY_EVENTS / seconds };
  } finally {
    await node.close();
  }
}

async function measureMonth(
  options: DeliveryLoadOptions,
  signal: AbortSignal,
): Promise<{ month: DeliveryFigures['month']; bytesPerMessage: Record<string, number> }> {
  const { site, node: name } = options.rig;
  const filling = openNode(options, 'month');
  const waiting = await fillBacklog(filling, options, signal).finally(() => filling.close());
  const node = openNode(options, 'month');
  try {
    const outboxBytes = node.outbox.pending().bytes;
    const live = new Map<number, number>();
    let nodeRssBytes = 0;
    const from = performance.now();
    node.connect();
    while (node.outbox.pending().entries > 0 && performance.now() - from < DRAIN_LIMIT_MS) {
      signal.throwIfAborted();
      const body = buildLoadEvent(`live ${live.size}`, origin(site, name, live.size, Date.now()));
      const [outcome] = node.outbox.append([{ channel: 'event', body }]);
      if (outcome?.outcome === 'appended') live.set(outcome.seq, performance.now());
      nodeRssBytes = Math.max(nodeRssBytes, process.memoryUsage.rss());
      const isLast = waiting.every((seq) => node.acknowledgedAtMs.has(seq));
      if (isLast) break;
      await sleep(LIVE_EVERY_MS);
    }
    const drainedAt = Math.max(...waiting.map((seq) => node.acknowledgedAtMs.get(seq) ?? Number.NaN));
    const drainSeconds = (drainedAt - from) / 1_000;
    await untilDrained(node, signal);
    const latencies = [...live].map(([seq, at]) => (node.acknowledgedAtMs.get(seq) ?? Number.NaN) - at);
    const messages = options.backlog.telemetry + options.backlog.events;
    const liveSeqs = new Set(live.keys());
    return {
      month: {
        messages,
        outboxBytes,
        drainSeconds,
        perSecond: messages / drainSeconds,
        liveEvents: latencies.length,
        liveMsP50: quantile(latencies, 0.5),
        liveMsP95: quantile(latencies, 0.95),
        liveMsMax: Math.max(...latencies),
        leaseMsP95: quantile(node.leaseMs, 0.95),
        outOfOrder: countOutOfOrder(node.sent, liveSeqs),
        nodeRssBytes,
        missing: countMissing(options, node),
      },
      bytesPerMessage: describeBytes(node),
    };
  } finally {
    await node.close();
  }
}

/** Returns the highest numbers of each channel: when they have left, so has everything before them. */
async function fillBacklog(
  node: DeliveryNode,
  { rig, backlog, say }: DeliveryLoadOptions,
  signal: AbortSignal,
): Promise<number[]> {
  const { site, node: name } = rig;
  const startMs = Date.now() - 30 * 86_400_000;
  const every = Math.max(1, Math.floor(backlog.telemetry / Math.max(1, backlog.events)));
  const last = new Map<string, number>();
  let events = 0;
  for (let key = 0; key < backlog.telemetry; key += CHUNK) {
    const messages = Array.from({ length: Math.min(CHUNK, backlog.telemetry - key) }, (_, index) => {
      const at = origin(
        site,
        name,
        key + index,
        startMs + Math.floor((key + index) / CAMERAS) * REPORT_EVERY_MS,
      );
      const telemetry = { channel: 'telemetry' as const, body: buildLoadTelemetry(at) };
      if ((key + index) % every !== 0 || events >= backlog.events) return [telemetry];
      return [{ channel: 'event' as const, body: buildLoadEvent(`month ${events++}`, at) }, telemetry];
    }).flat();
    for (const [index, outcome] of node.outbox.append(messages).entries()) {
      if (outcome.outcome === 'appended') last.set(messages[index]?.channel ?? '', outcome.seq);
    }
    // a month takes a while: who stops it is heard
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
  }
  say(
    `filled: ${node.outbox.pending().entries} messages, ${Math.round(node.outbox.pending().bytes / 1e6)} MB`,
  );
  return [...last.values()];
}

async function measureStall(
  options: DeliveryLoadOptions,
  signal: AbortSignal,
): Promise<DeliveryFigures['stall']> {
  const { site, node: name, ingestorPid, brokerPid, centreDir } = options.rig;
  const node = openNode(options, 'stall');
  const lock = new Database(buildCentrePaths(centreDir).events);
  try {
    node.connect();
    const ingestorRssBeforeBytes = readRss(ingestorPid);
    let ingestorRssMaxBytes = ingestorRssBeforeBytes;
    let brokerRssMaxBytes = readRss(brokerPid);
    lock.exec('BEGIN EXCLUSIVE');
    const from = performance.now();
    let appended = 0;
    while (performance.now() - from < options.stallSeconds * 1_000) {
      signal.throwIfAborted();
      const body = buildLoadEvent(`stall ${appended}`, origin(site, name, appended, Date.now()));
      node.outbox.append([{ channel: 'event', body }]);
      appended += 1;
      ingestorRssMaxBytes = Math.max(ingestorRssMaxBytes, readRss(ingestorPid));
      brokerRssMaxBytes = Math.max(brokerRssMaxBytes, readRss(brokerPid));
      await sleep(STALL_EVERY_MS);
    }
    lock.exec('ROLLBACK');
    // The rate is that of the drain itself: from the first acknowledgement on.
    const known = node.acknowledgedAtMs.size;
    await untilDrained(node, signal);
    const times = [...node.acknowledgedAtMs.values()].slice(known).sort((a, b) => a - b);
    const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1_000;
    return {
      seconds: options.stallSeconds,
      appended,
      ingestorRssBeforeBytes,
      ingestorRssMaxBytes: Math.max(ingestorRssMaxBytes, readRss(ingestorPid)),
      brokerRssMaxBytes,
      drainPerSecond: times.length / seconds,
      missing: countMissing(options, node),
    };
  } finally {
    lock.close();
    await node.close();
  }
}

async function measureFull(options: DeliveryLoadOptions): Promise<DeliveryFigures['full']> {
  const { site, node: name } = options.rig;
  const node = openNode(options, 'full', FULL_BYTES);
  try {
    const appendMs: number[] = [];
    for (let key = 0; key < FULL_TELEMETRY; key += CAMERAS) {
      const atMs = Date.now() - 30 * 86_400_000 + (key / CAMERAS) * REPORT_EVERY_MS;
      const messages = Array.from({ length: CAMERAS }, (_, camera) => ({
        channel: 'telemetry' as const,
        body: buildLoadTelemetry({ site, node: name, camera, atMs }),
      }));
      const event = {
        channel: 'event' as const,
        body: buildLoadEvent(`full ${key}`, origin(site, name, key, atMs)),
      };
      const from = performance.now();
      node.outbox.append(key % 2_000 === 0 ? [...messages, event] : messages);
      appendMs.push(performance.now() - from);
    }
    const usage = node.outbox.pending();
    let keptMs = 0;
    for (const { channel, body } of node.outbox.lease(1_000_000, 1)) {
      if (channel !== 'telemetry') continue;
      const { intervals } = JSON.parse(body) as ReturnType<typeof buildLoadTelemetry>;
      for (const { from, to } of intervals) keptMs += Date.parse(to) - Date.parse(from);
    }
    return {
      appended: FULL_TELEMETRY,
      limitBytes: FULL_BYTES,
      appendMsP95: quantile(appendMs, 0.95),
      appendMsMax: Math.max(...appendMs),
      thinned: usage.telemetryThinnedTotal,
      telemetryDropped: usage.telemetryDroppedTotal,
      casesDropped: usage.casesDroppedTotal,
      hoursKept: keptMs / 3_600_000,
      hoursAppended: (FULL_TELEMETRY * REPORT_EVERY_MS) / 3_600_000,
    };
  } finally {
    await node.close();
  }
}

function origin(site: string, node: string, key: number, atMs: number) {
  return { site, node, camera: key % CAMERAS, atMs };
}

async function untilDrained(node: DeliveryNode, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + DRAIN_LIMIT_MS;
  while (node.outbox.pending().entries > 0) {
    signal.throwIfAborted();
    if (performance.now() > deadline)
      throw new NgatuError('CHILD_FAILED', 'Cannot measure delivery: the outbox did not drain in time');
    await sleep(20);
  }
}

/** Numbers of this outbox that the centre has not settled. */
function countMissing({ rig }: DeliveryLoadOptions, { outbox }: DeliveryNode): number {
  using store = SqliteEventStore.open(buildCentrePaths(rig.centreDir).events);
  const own = store.delivery
    .listDelivery()
    .flatMap(({ outboxes }) => outboxes)
    .find(({ outboxId }) => outboxId === outbox.outboxId);
  return outbox.pending().newestSeq - (own?.committedThrough ?? 0);
}

/** How often a number was first sent after a higher one of its channel; fresh events are meant to overtake. */
function countOutOfOrder(sent: ReadonlyMap<string, readonly number[]>, live: ReadonlySet<number>): number {
  let count = 0;
  for (const order of sent.values()) {
    let highest = 0;
    for (const seq of order) {
      if (live.has(seq)) continue;
      if (seq < highest) count += 1;
      highest = Math.max(highest, seq);
    }
  }
  return count;
}

function describeBytes({ account }: DeliveryNode): Record<string, number> {
  const sums = new Map<string, { bytes: number; messages: number }>();
  for (let part = account.cut(0); part.length > 0; part = account.cut(0)) {
    for (const { metric, value, tags } of part) {
      const name = tags?.['class'] ?? '';
      const sum = sums.get(name) ?? { bytes: 0, messages: 0 };
      if (metric === 'bytesSent') sum.bytes += value;
      else sum.messages += value;
      sums.set(name, sum);
    }
  }
  return Object.fromEntries(
    [...sums].map(([name, { bytes, messages }]) => [name, Math.round(bytes / messages)]),
  );
}

/** Resident memory of a process, bytes (proc(5)). */
function readRss(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? Number.NaN) * 1024;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
