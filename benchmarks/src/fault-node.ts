import { createHash, randomUUID } from 'node:crypto';
import { existsSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Event, NgatuError, type Telemetry } from '@ngatu/contract';
import { type AgentConfig, Outbox, runUplink } from '@ngatu/edge';
import { JOURNAL_WORDS } from './fault-witness.ts';

type Logger = Parameters<typeof runUplink>[0]['logger'];

export interface FaultNodeOptions {
  readonly site: string;
  readonly node: string;
  readonly broker: AgentConfig['broker'];
  /** Folder of its outbox. */
  readonly dataDir: string;
  /** Gets a line before and after every append, and one for every acknowledgement. */
  readonly journal: string;
  /** Between two appends, ms. */
  readonly everyMs: number;
  readonly logger: Logger;
}

/** The metric of which every append carries one, with the value 1: the sum at the centre says how many were counted. */
export const WITNESS_METRIC = 'witnessCount';
/** A file of the journal's name with this behind it: nothing more is appended. */
export const QUIET = '.quiet';
const OUTBOX_MAX_BYTES = 256 * 1024 * 1024;
const CLOCK = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };

/**
 * A node without cameras: the agent's own outbox and uplink under a generator that appends an event and a count every moment, so that
 * whatever happens to it happens in the middle of something. What the disk refuses is not owed to anybody.
 */
export async function runFaultNode(
  options: FaultNodeOptions,
  onReady: () => void,
  signal: AbortSignal,
): Promise<void> {
  const { site, node, broker, dataDir, logger } = options;
  const file = openSync(options.journal, 'a', 0o600);
  const note = (word: string, ...subjects: (string | number)[]) =>
    writeSync(file, `${[word, Date.now(), ...subjects].join(' ')}\n`);
  using outbox = Outbox.open({
    file: join(dataDir, 'outbox.sqlite'),
    maxBytes: OUTBOX_MAX_BYTES,
    origin: { site, node },
    clock: CLOCK,
    logger,
  }).outbox;
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const noted = noteAcknowledgements(outbox, (seqs) =>
    note(JOURNAL_WORDS.acknowledged, outbox.outboxId, ...seqs),
  );
  const uplink = runUplink(
    {
      ...{ outbox: noted, broker, site, node, cameras: [], version: 'fault-campaign', logger },
      ...{ clock: CLOCK, random: Math.random },
    },
    both,
  ).finally(() => stop.abort());
  onReady();
  const boot = randomUUID();
  try {
    for (let count = 0; !both.aborted; count++) {
      if (!existsSync(`${options.journal}${QUIET}`))
        append(outbox, { ...options, key: `${boot} ${count}`, note });
      await sleep(options.everyMs, undefined, { signal: both }).catch(() => undefined);
    }
  } finally {
    stop.abort();
    await uplink;
  }
}

function noteAcknowledgements(outbox: Outbox, note: (seqs: readonly number[]) => void): Outbox {
  return new Proxy(outbox, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        const result: unknown = Reflect.apply(value, target, args);
        if (name === 'ack') note(args[0] as readonly number[]);
        return result;
      };
    },
  });
}

function append(
  outbox: Outbox,
  {
    site,
    node,
    key,
    note,
    logger,
  }: FaultNodeOptions & {
    key: string;
    note: (word: string, ...subjects: (string | number)[]) => void;
  },
): void {
  const event = buildEvent({ site, node, key });
  note(JOURNAL_WORDS.tries, event.eventId);
  try {
    const outcomes = outbox.append([
      { channel: 'event', body: event },
      { channel: 'telemetry', body: buildCount({ site, node }) },
    ]);
    const seqs = outcomes.flatMap((outcome) => (outcome.outcome === 'appended' ? [outcome.seq] : []));
    note(JOURNAL_WORDS.appended, event.eventId, outbox.outboxId, ...seqs);
  } catch (error) {
    if (!(error instanceof NgatuError) || !error.retryable) throw error;
    logger.warn({ code: error.code }, 'the disk refused an append');
  }
}

function buildCount({ site, node }: { site: string; node: string }): Telemetry {
  const at = new Date().toISOString();
  return {
    schemaVersion: 1,
    site,
    node,
    intervals: [],
    measurements: [{ at, metric: WITNESS_METRIC, value: 1 }],
  };
}

/** Shaped like what a camera finds; it says of itself that it is none. */
function buildEvent({ site, node, key }: { site: string; node: string; key: string }): Event {
  const digest = createHash('sha256').update(key).digest('hex');
  const at = new Date().toISOString();
  return {
    schemaVersion: 1,
    eventId: `ev-${digest.slice(0, 32)}`,
    kind: 'FORBIDDEN_AREA',
    ...{
      site,
      node,
      camera: 'generator',
      rule: 'fault-campaign',
      capturedAt: at,
      detectedAt: at,
      clockErrorMs: 0,
    },
    frame: { session: 'fault-campaign', index: 0, mediaTimeMs: 0, width: 640, height: 480 },
    model: { name: 'generator', sha256: digest },
    sceneSha256: digest,
    subject: {
      ...{ trackId: 1, label: 'motorbike', confidence: 1, occupants: [] },
      box: [0.4, 0.4, 0.6, 0.6],
      groundPoint: [0.5, 0.6],
    },
    alternatives: [],
    measures: {},
    explanation: { vi: 'Sự kiện thử của đợt gây lỗi.', en: 'Test event of a fault campaign.' },
  };
}
