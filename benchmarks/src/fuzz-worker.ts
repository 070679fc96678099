import { closeSync, existsSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as yieldOnce } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { NgatuError, type OpenUntrustedParser, type UntrustedParser } from '@ngatu/contract';
import { buildExtremes, buildMutation } from './fuzz-mutation.ts';

/** What one worker does: mutations `from` to `to` (exclusive) of one parser; extremes come first where `from` is 0. */
export interface FuzzTask {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  /** Holds the number of the input that is being parsed, 8 bytes: what a killed worker was at. */
  readonly progressFile: string;
  /** An input that takes longer, also when it is tried again, is a hang, ms. */
  readonly limitMs: number;
  /** The mutations end after this time, however many are left, ms; absent: all are tried. */
  readonly budgetMs?: number;
  /** Size of the extremes, bytes; half a megabyte by default. */
  readonly extremeBytes?: number;
}

/** Why an input is a finding. */
export type FindingKind = 'throw' | 'slow' | 'pollution' | 'sample' | 'crash' | 'hang' | 'unhandled';

/** An input that a parser did not answer as it must. */
export interface FuzzFinding {
  readonly kind: FindingKind;
  /** Number of the mutation; below 0: extreme −1, −2, … */
  readonly index: number;
  readonly what: string;
  /** Absent where the worker died of it; it is made again from seed and number. */
  readonly inputBase64?: string;
}

export interface MemorySample {
  readonly mutation: number;
  /** Heap, external memory and array buffers after a collection, bytes. */
  readonly heapBytes: number;
  readonly rssBytes: number;
}

/** What a worker tells; the last one is whole. */
export interface FuzzReport {
  readonly done: number;
  readonly taken: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly loopDelayMs: number;
  readonly memory: readonly MemorySample[];
  readonly findings: readonly FuzzFinding[];
}

/** Work between two turns of the event loop, ms. */
const TURN_MS = 20;
const REPORT_EVERY_MS = 500;
const MEMORY_SAMPLES = 24;
const EXTREME_BYTES = 512 * 1024;
/** Fewer mutations show what warms up, and no line. */
const MEMORY_WATCHED_FROM = 2_000;
const FINDINGS_MAX = 12;
/** Slower than this part of its limit, an input is tried twice more: a busy machine is not the parser's fault. */
const SUSPECT = 0.25;
const REPEATS = 2;
/** Who worked for this part of the time was at work for all of it, and others had the processor meanwhile. */
const WORK_SHARE = 20;

function findCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect !== 'function') throw new Error('this runtime has no collector to call');
  return () => void collect();
}

/** Names on the prototypes that everything shares: one more is a pollution. */
function countSharedNames(): number {
  let count = 0;
  for (const shared of [Object.prototype, Array.prototype, Function.prototype, String.prototype]) {
    count += Object.getOwnPropertyNames(shared).length;
  }
  return count;
}

class FuzzRun {
  readonly #parser: UntrustedParser;
  readonly #open: OpenUntrustedParser;
  readonly #task: FuzzTask;
  readonly #progress: number;
  readonly #cell = Buffer.alloc(8);
  readonly #collect = findCollector();
  readonly #delay = monitorEventLoopDelay({ resolution: 10 });
  readonly #sharedNames = countSharedNames();
  readonly #keys = new Set<string>();
  readonly #stop = new AbortController();
  readonly #refused: Record<string, number> = {};
  readonly #memory: MemorySample[] = [];
  readonly #findings: FuzzFinding[] = [];
  #done = 0;
  #taken = 0;
  #slowestMs = 0;
  #current: { index: number; input: Uint8Array } | undefined;

  constructor(parser: UntrustedParser, open: OpenUntrustedParser, task: FuzzTask) {
    this.#parser = parser;
    this.#open = open;
    this.#task = task;
    this.#progress = openSync(task.progressFile, 'w');
  }

  async run(say: (report: FuzzReport) => void): Promise<FuzzReport> {
    const onUnhandled = (error: unknown): void => this.#find('unhandled', describe(error), keyOf(error));
    process.on('uncaughtException', onUnhandled);
    process.on('unhandledRejection', onUnhandled);
    this.#delay.enable();
    try {
      if (this.#task.from === 0) await this.#tryFixed();
      await this.#tryMutations(say);
      await yieldOnce();
      return this.report();
    } finally {
      this.#delay.disable();
      this.#stop.abort();
      process.off('uncaughtException', onUnhandled);
      process.off('unhandledRejection', onUnhandled);
      closeSync(this.#progress);
    }
  }

  report(): FuzzReport {
    return {
      done: this.#done,
      taken: this.#taken,
      refused: this.#refused,
      slowestMs: this.#slowestMs,
      loopDelayMs: this.#delay.max / 1e6,
      memory: this.#memory,
      findings: this.#findings,
    };
  }

  /** Samples must be taken as they are, or the mutations would start from nothing; extremes must be answered. */
  async #tryFixed(): Promise<void> {
    for (const [index, sample] of this.#open.samples.entries()) {
      const before = this.#taken;
      await this.#try(-1_000 - index, Buffer.from(sample));
      if (this.#taken === before) this.#find('sample', `sample ${index} is refused`, `sample ${index}`);
    }
    const { extremes: own = [], variations = [] } = this.#open;
    const extremes = [
      ...buildExtremes(this.#parser.form, this.#task.extremeBytes ?? EXTREME_BYTES),
      ...own,
      ...variations,
    ];
    for (const [index, extreme] of extremes.entries()) await this.#try(-1 - index, Buffer.from(extreme));
    this.#done = 0;
    this.#taken = 0;
    for (const code of Object.keys(this.#refused)) delete this.#refused[code];
  }

  async #tryMutations(say: (report: FuzzReport) => void): Promise<void> {
    const { from, to, seed, budgetMs = Number.POSITIVE_INFINITY } = this.#task;
    const { name: parser, form } = this.#parser;
    const samples = [...this.#open.samples, ...(this.#open.variations ?? [])];
    const source = { parser, form, samples, seed };
    const step = Math.max(1, Math.floor((to - from) / MEMORY_SAMPLES));
    const begun = performance.now();
    const watchesMemory = to - from >= MEMORY_WATCHED_FROM;
    let turnAt = begun;
    let reportAt = turnAt;
    for (let index = from; index < to; index++) {
      await this.#try(index, buildMutation(source, index));
      const now = performance.now();
      if (now - turnAt > TURN_MS) {
        await yieldOnce();
        turnAt = performance.now();
      }
      if (now - reportAt > REPORT_EVERY_MS) {
        say(this.report());
        reportAt = now;
      }
      if (watchesMemory && (index - from + 1) % step === 0) this.#sampleMemory(index + 1);
      if (now - begun > budgetMs) break;
    }
  }

  #sampleMemory(mutation: number): void {
    this.#collect();
    const { heapUsed, external, rss } = process.memoryUsage();
    this.#memory.push({ mutation, heapBytes: heapUsed + external, rssBytes: rss });
  }

  async #try(index: number, input: Uint8Array): Promise<void> {
    this.#cell.writeDoubleLE(index);
    writeSync(this.#progress, this.#cell, 0, 8, 0);
    this.#current = { index, input };
    let elapsedMs = await this.#time(input, true);
    const suspectMs = this.#task.limitMs * SUSPECT;
    for (let times = 0; times < REPEATS && elapsedMs > suspectMs; times++) {
      elapsedMs = Math.min(elapsedMs, await this.#time(input, false));
    }
    this.#done++;
    this.#slowestMs = Math.max(this.#slowestMs, elapsedMs);
    if (elapsedMs > this.#task.limitMs) this.#find('slow', `${Math.round(elapsedMs)} ms`, 'slow');
    if (countSharedNames() !== this.#sharedNames) this.#find('pollution', 'a shared prototype changed', 'p');
  }

  /** The parser owns what it is given: it gets a copy where it is asked again. */
  async #time(input: Uint8Array, counts: boolean): Promise<number> {
    const begun = performance.now();
    const work = process.cpuUsage();
    try {
      const answer = this.#open.parse(Buffer.from(input), this.#stop.signal);
      const refusal = typeof answer === 'string' || answer === undefined ? answer : await answer;
      if (counts) this.#count(refusal);
    } catch (error) {
      if (error instanceof NgatuError && error.code !== 'INTERNAL') {
        if (counts) this.#count(error.code);
      } else this.#find('throw', describe(error), keyOf(error));
    }
    return judgeTime(performance.now() - begun, process.cpuUsage(work));
  }

  #count(refusal: string | undefined): void {
    if (refusal === undefined) this.#taken++;
    else this.#refused[refusal] = (this.#refused[refusal] ?? 0) + 1;
  }

  #find(kind: FindingKind, what: string, key: string): void {
    const known = `${kind} ${key}`;
    if (this.#keys.has(known) || this.#findings.length >= FINDINGS_MAX) return;
    this.#keys.add(known);
    const { index = 0, input = new Uint8Array() } = this.#current ?? {};
    this.#findings.push({ kind, index, what, inputBase64: Buffer.from(input).toString('base64') });
  }
}

/**
 * A parser that works is judged by the time of the processor, so that a busy machine is not its fault; one that waits for something by
 * the clock. Time of every thread of the process counts, ms.
 */
function judgeTime(elapsedMs: number, { user, system }: NodeJS.CpuUsage): number {
  const workMs = (user + system) / 1_000;
  return workMs * WORK_SHARE >= elapsedMs ? Math.min(elapsedMs, workMs) : elapsedMs;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message).slice(0, 1_500) : String(error);
}

/** Two failures at one place are one finding. */
function keyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = (error.stack ?? '').split('\n').find((line) => line.includes('    at ')) ?? '';
  return `${error.name} ${error.message.slice(0, 40)} ${place.trim()}`;
}

/** Where Linux keeps files in memory. */
const MEMORY_FOLDER = '/dev/shm';
const MEMORY_LEAST_BYTES = 512 * 1024 * 1024;

/** In memory where there is room: parsers of files and databases write one for each input, and would wait for the disk alone. */
function makeFolder(): string {
  const { bavail, bsize } = existsSync(MEMORY_FOLDER) ? statfsSync(MEMORY_FOLDER) : { bavail: 0, bsize: 0 };
  return mkdtempSync(join(bavail * bsize >= MEMORY_LEAST_BYTES ? MEMORY_FOLDER : tmpdir(), 'ngatu-fuzz-'));
}

/** Runs one task in this process; `say` hears of its progress. The folder of the parser is removed afterwards. */
export async function runFuzzTask(
  parser: UntrustedParser,
  task: FuzzTask,
  say: (report: FuzzReport) => void,
): Promise<FuzzReport> {
  const folder = makeFolder();
  try {
    const open = await parser.open(folder);
    try {
      return await new FuzzRun(parser, open, task).run(say);
    } finally {
      await open.close?.();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Parses one input alone, as a worker would: to see a finding again. */
export async function replayFuzzInput(parser: UntrustedParser, input: Uint8Array): Promise<string> {
  const folder = makeFolder();
  const open = await parser.open(folder);
  try {
    return (await open.parse(input, new AbortController().signal)) ?? 'taken';
  } finally {
    await open.close?.();
    rmSync(folder, { recursive: true, force: true });
  }
}
