import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildCentrePaths } from '@ngatu/cloud';
import type { Stretch } from './fault-campaign-blind.ts';
import { damageTail, listFiles, readStoredIntervals, tearTail } from './fault-file.ts';
import {
  type FaultCause,
  type FaultContext,
  type FaultKind,
  killInCommit,
  killPart,
  whileDown,
} from './fault-injection.ts';
import { FSYNC_CALLS, failWrites, fillDisk, findTail, moveClock, WRITE_CALLS } from './fault-kind-agent.ts';
import { askForOriginals } from './fault-original.ts';

const CENTRE = { lanes: ['delivery'], proofs: ['delivery'], weight: 2 } as const;
const COMMIT_LIMIT_MS = 3_000;
/** An upload that was met under way is looked for this long, ms. */
const UPLOAD_LIMIT_MS = 15_000;
const SLOW_LINE_BITS = 256_000;
const FREE_LINE_BITS = 1e10;
/** A file that is written to at this moment is younger than this, ms. */
const FRESH_MS = 1_500;

async function spoilStore(
  context: FaultContext,
  database: string,
  spoil: (path: string, random: () => number) => number,
): Promise<FaultCause> {
  // The API holds the events open as well: the journal is read again only where both are gone.
  const { done, ...cause } = await whileDown(context, ['api', 'ingestor'], () => {
    const journals = [`${database}.wal`, findTail(database)];
    const tail = journals.find((path) => existsSync(path)) ?? database;
    return { tail, bytes: spoil(tail, context.random) };
  });
  return { ...cause, detail: `${done.bytes} bytes at the end of ${done.tail.split('/').at(-1)}` };
}

/** Events come again from their nodes, which keep copies; the ledger of cameras was acknowledged and is nowhere else. */
async function damageEvents(context: FaultContext): Promise<FaultCause> {
  const { events } = buildCentrePaths(context.target.folders.cloud);
  let intervals: Stretch[] = [];
  const cause = await spoilStore(context, events, (path, random) => {
    const before = readStoredIntervals(events);
    const bytes = damageTail(path, random);
    const left = new Set(readStoredIntervals(events).map(({ fromMs, toMs }) => `${fromMs} ${toMs}`));
    intervals = before.filter(({ fromMs, toMs }) => !left.has(`${fromMs} ${toMs}`));
    return bytes;
  });
  return { ...cause, destroyed: { seqs: [], eventIds: [], intervals } };
}

async function restartWithoutData(context: FaultContext): Promise<FaultCause> {
  const { folders } = context.target;
  const { done: _, ...cause } = await whileDown(context, ['broker'], () =>
    rmSync(join(folders.broker, 'mosquitto.db'), { force: true }),
  );
  return cause;
}

/** Slows the line, asks for originals, waits until a file is on its way, kills the ingestor, and spoils what has come of the file. */
async function damageUpload(context: FaultContext): Promise<FaultCause | { skipped: string }> {
  const { target, signal } = context;
  const { evidence, events } = buildCentrePaths(target.folders.cloud);
  const parts = join(evidence, 'parts');
  const findPartial = () => listFiles(parts).find(({ mtimeMs }) => Date.now() - mtimeMs < FRESH_MS);
  target.links.uplink.setConditions({ bitsPerSecond: SLOW_LINE_BITS });
  try {
    const asked = askForOriginals(events, Date.now());
    const deadline = performance.now() + UPLOAD_LIMIT_MS;
    while ((findPartial()?.sizeBytes ?? 0) === 0) {
      if (performance.now() > deadline)
        return {
          skipped: `no upload was under way for ${UPLOAD_LIMIT_MS / 1000} s, ${asked} originals were asked for`,
        };
      await sleep(50, undefined, { signal });
    }
    const { done, ...cause } = await whileDown(context, ['ingestor'], () => {
      const [partial] = listFiles(parts);
      return partial === undefined ? 0 : damageTail(partial.path, context.random);
    });
    return { ...cause, toMs: Date.now(), detail: `${done} bytes` };
  } finally {
    target.links.uplink.setConditions({ bitsPerSecond: FREE_LINE_BITS });
  }
}

/** Faults of broker, ingestor, stores and API. */
export const centreFaults: readonly FaultKind[] = [
  {
    ...CENTRE,
    name: 'broker-killed',
    title: 'broker: kill -9',
    inject: (context) => killPart(context, 'broker'),
  },
  {
    ...CENTRE,
    name: 'broker-restarted',
    title: 'broker: stopped in order, with its data',
    inject: (context) => killPart(context, 'broker', 'SIGTERM'),
  },
  {
    ...CENTRE,
    name: 'broker-without-data',
    title: 'broker: comes back without its data',
    inject: restartWithoutData,
  },
  {
    ...CENTRE,
    name: 'ingestor-killed',
    title: 'ingestor and series store: kill -9',
    inject: (context) => killPart(context, 'ingestor'),
  },
  {
    ...CENTRE,
    name: 'ingestor-killed-in-commit',
    title: 'ingestor and series store: kill -9 during a commit',
    inject: (context) => killInCommit(context, 'ingestor', COMMIT_LIMIT_MS),
  },
  {
    ...CENTRE,
    name: 'ingestor-fsync-fails',
    title: 'stores: fsync fails (EIO)',
    inject: (context) => failWrites(context, 'ingestor', FSYNC_CALLS),
  },
  {
    ...CENTRE,
    name: 'ingestor-write-fails',
    title: 'stores: writes fail (EIO)',
    inject: (context) => failWrites(context, 'ingestor', WRITE_CALLS),
  },
  {
    ...CENTRE,
    name: 'centre-disk-full',
    title: 'centre: disk full',
    inject: (context) => fillDisk(context, 'cloud'),
  },
  {
    ...CENTRE,
    name: 'events-torn',
    title: 'event store: torn tail of its journal',
    proofs: ['delivery', 'api'],
    inject: (context) => spoilStore(context, buildCentrePaths(context.target.folders.cloud).events, tearTail),
  },
  {
    ...CENTRE,
    weight: 1,
    name: 'events-damaged',
    title: 'event store: noise over the tail of its journal',
    proofs: ['delivery', 'api'],
    inject: damageEvents,
  },
  {
    ...CENTRE,
    name: 'series-torn',
    title: 'series store: torn tail of its journal',
    proofs: ['delivery', 'api'],
    inject: (context) => spoilStore(context, buildCentrePaths(context.target.folders.cloud).series, tearTail),
  },
  {
    ...CENTRE,
    weight: 1,
    name: 'upload-damaged',
    title: 'evidence: noise over the tail of an upload',
    inject: damageUpload,
  },
  ...(
    [
      ['forward', { offsetS: 3600, rate: 1 }, 'an hour fast'],
      ['back', { offsetS: -3600, rate: 1 }, 'an hour slow'],
      ['drift', { offsetS: 0, rate: 1.2 }, 'runs a fifth too fast'],
    ] as const
  ).map(
    ([name, error, title]): FaultKind => ({
      ...CENTRE,
      weight: 1,
      name: `ingestor-clock-${name}`,
      title: `ingestor: clock ${title}, then put right`,
      inject: (context) => moveClock(context, 'ingestor', error),
    }),
  ),
  {
    ...CENTRE,
    name: 'api-killed',
    title: 'API: kill -9',
    proofs: ['api'],
    inject: (context) => killPart(context, 'api'),
  },
];
