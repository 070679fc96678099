import { setTimeout as sleep } from 'node:timers/promises';
import { NgatuError } from '@ngatu/contract';
import { SyscallFailure, sendSignal, waitUntilGone } from './fault-process.ts';
import type { FaultPart, FaultTarget } from './fault-target.ts';

/** What a fault may disturb. Two faults at the same time never share one, so that each recovery has one cause. */
export type FaultLane = 'sight' | 'delivery';
/** By what is told that everything works again: the camera's ledger, a message from end to end, an answer of the API. */
export type FaultProof = 'sight' | 'delivery' | 'api';

export interface FaultCause {
  /** From the first thing that was done to the moment from which nothing keeps the product from working, ms since 1970. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly detail?: string;
  /** What the fault itself destroyed on a disk, before any process could know of it. */
  readonly destroyed?: FaultDamage;
}

export interface FaultDamage {
  /** Entries and events of an outbox. */
  readonly seqs: readonly number[];
  readonly eventIds: readonly string[];
  /** Parts of a camera's ledger at the centre. */
  readonly intervals?: readonly { readonly fromMs: number; readonly toMs: number }[];
}

export interface FaultContext {
  readonly target: FaultTarget;
  /** Uniform in [0, 1); the seed of the campaign and the fault's place in it decide. */
  readonly random: () => number;
  readonly signal: AbortSignal;
}

export interface FaultKind {
  readonly name: string;
  readonly title: string;
  readonly lanes: readonly FaultLane[];
  readonly proofs: readonly FaultProof[];
  /** What the camera shows, or the time of its pictures, is wrong through it: the replay of the clip says nothing then. */
  readonly spoilsPictures?: true;
  /** How often in one round of the schedule; below 1: only in every so many rounds. */
  readonly weight: number;
  /** Does it, and undoes what does not undo itself. Or says why it cannot be done here. */
  inject(context: FaultContext): Promise<FaultCause | { readonly skipped: string }>;
}

const GONE_LIMIT_MS = 5_000;
const START_LIMIT_MS = 60_000;
const POLL_MS = 20;

/** Waits a random time in between, ms. */
export async function hold({ random, signal }: FaultContext, leastMs: number, mostMs: number): Promise<void> {
  await sleep(leastMs + random() * (mostMs - leastMs), undefined, { signal });
}

/** @throws NgatuError CHILD_FAILED where the supervisor does not bring it back */
export async function findProcess({ target, signal }: FaultContext, part: FaultPart): Promise<number> {
  const deadline = performance.now() + START_LIMIT_MS;
  for (;;) {
    const pid = target.pidOf(part);
    if (pid !== undefined) return pid;
    if (performance.now() > deadline)
      throw new NgatuError(
        'CHILD_FAILED',
        `Cannot find a process of ${part}: none for ${START_LIMIT_MS / 1000} s`,
      );
    await sleep(POLL_MS, undefined, { signal });
  }
}

export async function killPart(
  context: FaultContext,
  part: FaultPart,
  signal: NodeJS.Signals = 'SIGKILL',
): Promise<FaultCause> {
  for (;;) {
    const pid = await findProcess(context, part);
    const fromMs = Date.now();
    if (!sendSignal(pid, signal)) continue;
    await waitUntilGone(pid, GONE_LIMIT_MS, context.signal);
    return { fromMs, toMs: Date.now() };
  }
}

/** Kills parts, does something while none of them runs, and lets them start again. */
export async function whileDown<T>(
  context: FaultContext,
  parts: readonly FaultPart[],
  work: () => T | Promise<T>,
): Promise<FaultCause & { readonly done: T }> {
  const opens = parts.map((part) => context.target.holdStart(part));
  try {
    const fromMs = Date.now();
    for (const part of parts) await killPart(context, part);
    const done = await work();
    return { fromMs, toMs: Date.now(), done };
  } finally {
    for (const open of opens) open();
  }
}

/** System calls of a part fail for a while, also those of the process that follows where the first one dies of it. */
export async function failCalls(
  context: FaultContext,
  part: FaultPart,
  options: { calls: readonly string[]; error: string; forMs: number },
): Promise<FaultCause | { readonly skipped: string }> {
  const { target, signal } = context;
  if ('missing' in target.tracing) return { skipped: target.tracing.missing };
  const { calls, error, forMs } = options;
  let fromMs: number | undefined;
  let traced = 0;
  const deadline = performance.now() + forMs;
  while (performance.now() < deadline) {
    const pid = await findProcess(context, part);
    const failure = await SyscallFailure.begin(
      target.tracing.program,
      { pid, calls, fault: `error=${error}` },
      signal,
    );
    if (failure === undefined) continue;
    fromMs ??= Date.now();
    traced++;
    await waitUntilGone(pid, Math.max(0, deadline - performance.now()), signal);
    await failure.release();
  }
  if (fromMs === undefined) return { skipped: `no process of ${part} could be traced` };
  return { fromMs, toMs: Date.now(), detail: `${calls.join(', ')}: ${error} in ${traced} processes` };
}

/** Kills a part in the middle of one of its next commits: as it enters the system call that makes it durable. */
export async function killInCommit(
  context: FaultContext,
  part: FaultPart,
  limitMs: number,
): Promise<FaultCause | { readonly skipped: string }> {
  const { target, signal, random } = context;
  if ('missing' in target.tracing) return { skipped: target.tracing.missing };
  const nth = 1 + Math.floor(random() * 3);
  const pid = await findProcess(context, part);
  const fault = { pid, calls: ['fsync', 'fdatasync'], fault: `signal=SIGKILL:when=${nth}` };
  const failure = await SyscallFailure.begin(target.tracing.program, fault, signal);
  const died = failure !== undefined && (await waitUntilGone(pid, limitMs, signal));
  const atMs = Date.now();
  await failure?.release();
  if (died) return { fromMs: atMs, toMs: atMs, detail: `at its ${nth}. call of fsync` };
  const killed = await killPart(context, part);
  return { ...killed, detail: `no commit within ${limitMs} ms: killed between` };
}
