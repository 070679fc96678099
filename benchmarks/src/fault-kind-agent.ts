import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { damageTail, findDestroyed, listFiles, readOutboxContent, tearTail } from './fault-file.ts';
import {
  type FaultCause,
  type FaultContext,
  type FaultKind,
  failCalls,
  hold,
  killInCommit,
  killPart,
  whileDown,
} from './fault-injection.ts';
import type { FaultPart } from './fault-target.ts';

/** An agent writes at least its telemetry within this, ms. */
const AGENT_COMMIT_MS = 11_000;
const NODE_COMMIT_MS = 3_000;
/** What a process knows of its clock is at most this old, ms. */
const CLOCK_SETTLE_MS = 1_100;

const SIGHT = { lanes: ['sight'], proofs: ['sight'], weight: 1 } as const;
const SPOILT = { ...SIGHT, spoilsPictures: true } as const;
const NODE = { lanes: ['delivery'], proofs: ['delivery'], weight: 2 } as const;

/** The file of a database that was written last: its journal, where it has one. */
function findTail(database: string): string {
  const journal = `${database}-wal`;
  return existsSync(journal) ? journal : database;
}

async function damageOutbox(
  context: FaultContext,
  part: 'edge' | 'node',
  damage: (path: string, random: () => number) => number,
): Promise<FaultCause> {
  const file = join(context.target.folders[part], 'outbox.sqlite');
  const { done, ...cause } = await whileDown(context, [part], () => {
    const before = readOutboxContent(file);
    const tail = findTail(file);
    const bytes = damage(tail, context.random);
    return { destroyed: findDestroyed(before, readOutboxContent(file)), bytes, tail };
  });
  const { destroyed, bytes, tail } = done;
  const what = `${bytes} bytes at the end of ${tail.split('/').at(-1)}; ${destroyed.eventIds.length} events in them`;
  return { ...cause, detail: what, destroyed };
}

async function moveClock(
  context: FaultContext,
  part: 'edge' | 'ingestor',
  error: { offsetS: number; rate: number },
): Promise<FaultCause | { skipped: string }> {
  const { target, signal } = context;
  if (target.setClock === undefined) return { skipped: 'libfaketime is not installed' };
  const fromMs = Date.now();
  target.setClock(part, error);
  try {
    await hold(context, 3_000, 7_000);
  } finally {
    target.setClock(part);
  }
  await sleep(CLOCK_SETTLE_MS, undefined, { signal });
  return { fromMs, toMs: Date.now() };
}

async function fillDisk(
  context: FaultContext,
  name: 'edge' | 'cloud',
): Promise<FaultCause | { skipped: string }> {
  const { disks } = context.target;
  if ('missing' in disks) return { skipped: disks.missing };
  const fromMs = Date.now();
  disks[name].fill();
  try {
    await hold(context, 2_000, 6_000);
  } finally {
    disks[name].free();
  }
  return { fromMs, toMs: Date.now() };
}

async function misbehave(context: FaultContext, begin: string, end: string | undefined): Promise<FaultCause> {
  const { target } = context;
  const fromMs = Date.now();
  await target.tellCamera(begin);
  await hold(context, 3_000, 6_000);
  if (end !== undefined) await target.tellCamera(end);
  return { fromMs, toMs: Date.now() };
}

async function takeAway(context: FaultContext, part: FaultPart, forMs: number): Promise<FaultCause> {
  const { done: _, ...cause } = await whileDown(context, [part], () =>
    sleep(forMs, undefined, { signal: context.signal }),
  );
  return cause;
}

function failWrites(context: FaultContext, part: FaultPart, calls: readonly string[]) {
  const { random } = context;
  return failCalls(context, part, { calls, error: 'EIO', forMs: 1_000 + random() * 2_500 });
}

export const FSYNC_CALLS = ['fsync', 'fdatasync'];
/** What databases write with. `write` itself also carries sockets and pipes: a disk does not break those. */
export const WRITE_CALLS = ['pwrite64', 'pwritev'];

const sightFaults: readonly FaultKind[] = [
  { ...SIGHT, name: 'agent-killed', title: 'agent: kill -9', inject: (context) => killPart(context, 'edge') },
  {
    ...SIGHT,
    name: 'agent-killed-in-commit',
    title: 'agent: kill -9 during a commit',
    inject: (context) => killInCommit(context, 'edge', AGENT_COMMIT_MS),
  },
  {
    ...SIGHT,
    name: 'agent-fsync-fails',
    title: 'agent: fsync fails (EIO)',
    inject: (context) => failWrites(context, 'edge', FSYNC_CALLS),
  },
  {
    ...SIGHT,
    name: 'agent-write-fails',
    title: 'agent: writes fail (EIO)',
    inject: (context) => failWrites(context, 'edge', WRITE_CALLS),
  },
  {
    ...SIGHT,
    name: 'agent-outbox-torn',
    title: 'agent: torn tail of the outbox',
    inject: (context) => damageOutbox(context, 'edge', tearTail),
  },
  {
    ...SPOILT,
    name: 'agent-outbox-damaged',
    title: 'agent: noise over the tail of the outbox',
    inject: (context) => damageOutbox(context, 'edge', damageTail),
  },
  {
    ...SIGHT,
    name: 'ring-segment-damaged',
    title: 'agent: noise over the tail of a ring segment',
    inject: async (context) => {
      const { done, ...cause } = await whileDown(context, ['edge'], () => {
        const [newest] = listFiles(join(context.target.folders.edge, 'ring')).filter(({ path }) =>
          path.endsWith('.mkv'),
        );
        return newest === undefined ? undefined : damageTail(newest.path, context.random);
      });
      return done === undefined
        ? { skipped: 'the ring had no segment' }
        : { ...cause, detail: `${done} bytes` };
    },
  },
  ...(
    [
      ['forward', { offsetS: 3600, rate: 1 }, 'an hour fast'],
      ['back', { offsetS: -3600, rate: 1 }, 'an hour slow'],
      ['drift', { offsetS: 0, rate: 1.2 }, 'runs a fifth too fast'],
    ] as const
  ).map(
    ([name, error, title]): FaultKind => ({
      ...SPOILT,
      name: `agent-clock-${name}`,
      title: `agent: clock ${title}, then put right`,
      inject: (context) => moveClock(context, 'edge', error),
    }),
  ),
  {
    ...SIGHT,
    name: 'camera-killed',
    title: 'camera: kill -9',
    inject: (context) => killPart(context, 'camera'),
  },
  {
    ...SIGHT,
    name: 'camera-frozen',
    title: 'camera: frozen, connection open',
    inject: (context) => misbehave(context, '/freeze', '/resume'),
  },
  {
    ...SPOILT,
    name: 'camera-garbage',
    title: 'camera: garbage in the pictures',
    inject: (context) => misbehave(context, '/garbage/payload', undefined),
  },
  {
    ...SPOILT,
    name: 'camera-noise',
    title: 'camera: garbage between the packets',
    inject: (context) => misbehave(context, '/garbage/framing', undefined),
  },
  {
    ...SPOILT,
    name: 'camera-codec',
    title: 'camera: other codec, then back',
    inject: (context) => misbehave(context, '/show/codec', '/show'),
  },
  {
    ...SPOILT,
    name: 'camera-size',
    title: 'camera: other resolution, then back',
    inject: (context) => misbehave(context, '/show/size', '/show'),
  },
  {
    ...SIGHT,
    weight: 0.25,
    name: 'camera-away',
    title: 'camera: away for a minute',
    inject: (context) => takeAway(context, 'camera', 60_000),
  },
  {
    name: 'edge-disk-full',
    title: 'node: disk full',
    lanes: ['sight', 'delivery'],
    proofs: ['sight', 'delivery'],
    weight: 1,
    inject: (context) => fillDisk(context, 'edge'),
  },
];

const nodeFaults: readonly FaultKind[] = [
  {
    ...NODE,
    name: 'node-killed',
    title: 'second node: kill -9',
    inject: (context) => killPart(context, 'node'),
  },
  {
    ...NODE,
    name: 'node-killed-in-commit',
    title: 'second node: kill -9 during a commit',
    inject: (context) => killInCommit(context, 'node', NODE_COMMIT_MS),
  },
  {
    ...NODE,
    name: 'node-fsync-fails',
    title: 'second node: fsync fails (EIO)',
    inject: (context) => failWrites(context, 'node', FSYNC_CALLS),
  },
  {
    ...NODE,
    name: 'node-write-fails',
    title: 'second node: writes fail (EIO)',
    inject: (context) => failWrites(context, 'node', WRITE_CALLS),
  },
  {
    ...NODE,
    name: 'node-outbox-torn',
    title: 'second node: torn tail of the outbox',
    inject: (context) => damageOutbox(context, 'node', tearTail),
  },
  {
    ...NODE,
    name: 'node-outbox-damaged',
    title: 'second node: noise over the tail of the outbox',
    inject: (context) => damageOutbox(context, 'node', damageTail),
  },
];

/** Faults of nodes and their cameras. */
export const agentFaults: readonly FaultKind[] = [...sightFaults, ...nodeFaults];

/** Faults of the centre do the same to other processes. */
export { failWrites, fillDisk, findTail, moveClock };
