import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UntrustedParser } from '@ngatu/contract';
import type { FuzzRecord } from './fuzz-record.ts';
import { FUZZ_LIMIT_MS, type FuzzResult, judgeFuzzRun } from './fuzz-verdict.ts';
import type { FuzzFinding, FuzzReport, FuzzTask } from './fuzz-worker.ts';

export interface FuzzCampaignOptions {
  readonly parsers: readonly UntrustedParser[];
  readonly seed: number;
  /** How many mutations a parser meets. */
  readonly countFor: (parser: UntrustedParser) => number;
  /** Program and arguments of a worker; it gets the parser's name and the task as JSON behind them. */
  readonly worker: readonly [string, ...string[]];
  /** Parsers that are tried at one time. */
  readonly parallel: number;
  /** Inputs of findings are kept here. */
  readonly findingsDir: string;
  /** Parsers that held in an earlier part are not tried again, and each result is kept as soon as it is there. */
  readonly record?: FuzzRecord;
  readonly say: (result: FuzzResult) => void;
}

/** How often the supervisor looks what a worker is at, ms. */
const LOOK_EVERY_MS = 250;
/** A worker that is at one input for so long is killed: it tries a slow one three times itself, and a busy machine lets it wait, ms. */
const STILL_MS = 45_000;
/** Loading a runtime and making samples, ms. */
const OPEN_MS = 300_000;
/** A parser whose worker died this often is not tried further. */
const DEATHS_MAX = 20;
/** The heap of a worker, MiB: an input that needs more has no answer that the agent could give. */
const HEAP_MIB = 512;

interface WorkerEnd {
  readonly report: FuzzReport | undefined;
  /** Absent where the worker came to its end. */
  readonly death?: FuzzFinding;
}

/** Tries every parser, each in processes of its own, and judges them. The inputs of findings are saved. */
export async function runFuzzCampaign(
  options: FuzzCampaignOptions,
  signal: AbortSignal,
): Promise<FuzzResult[]> {
  const waiting = [...options.parsers];
  const results: FuzzResult[] = [];
  const work = async (): Promise<void> => {
    for (let parser = waiting.shift(); parser !== undefined; parser = waiting.shift()) {
      signal.throwIfAborted();
      const part = { seed: options.seed, goal: options.countFor(parser) };
      const known = await options.record?.find(parser.name, part);
      const result = known ?? (await tryParser(parser, options, signal));
      results.push(result);
      if (known !== undefined) continue;
      await options.record?.keep(result, part);
      options.say(result);
    }
  };
  await Promise.all(Array.from({ length: options.parallel }, work));
  return results.sort((a, b) => a.parser.localeCompare(b.parser));
}

async function tryParser(
  parser: UntrustedParser,
  options: FuzzCampaignOptions,
  signal: AbortSignal,
): Promise<FuzzResult> {
  const begun = performance.now();
  const to = options.countFor(parser);
  const folder = await mkdtemp(join(tmpdir(), 'ngatu-fuzz-campaign-'));
  const reports: FuzzReport[] = [];
  const deaths: FuzzFinding[] = [];
  try {
    for (let from = 0; from < to && deaths.length < DEATHS_MAX; ) {
      const task: FuzzTask = {
        seed: options.seed,
        from,
        to,
        progressFile: join(folder, 'progress'),
        limitMs: FUZZ_LIMIT_MS[parser.pace],
      };
      const { report, death } = await runWorker(parser, task, options.worker, signal);
      if (report !== undefined) reports.push(report);
      if (death === undefined) break;
      deaths.push(death);
      if (death.index < 0 && from === 0) break;
      from = Math.max(from, death.index) + 1;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const seconds = (performance.now() - begun) / 1_000;
  const result = judgeFuzzRun(parser, reports, { seconds, deaths });
  await saveFindings(result, options);
  return result;
}

async function runWorker(
  parser: UntrustedParser,
  task: FuzzTask,
  [program, ...args]: readonly [string, ...string[]],
  signal: AbortSignal,
): Promise<WorkerEnd> {
  const child = spawn(
    program,
    [`--max-old-space-size=${HEAP_MIB}`, ...args, parser.name, JSON.stringify(task)],
    { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], signal, killSignal: 'SIGKILL' },
  );
  let report: FuzzReport | undefined;
  let isWhole = false;
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2_000);
  });
  child.on('message', (message: { readonly report: FuzzReport; readonly isWhole: boolean }) => {
    report = message.report;
    isWhole = message.isWhole;
  });
  const hung = await watch(child, task);
  signal.throwIfAborted();
  if (isWhole) return { report };
  const index = await readProgress(task.progressFile);
  const kind = hung ? 'hang' : 'crash';
  const how = hung ? `no answer within ${task.limitMs} ms` : `the worker ended: ${describeExit(child)}`;
  return { report, death: { kind, index, what: `${how} ${complaint}`.trim() } };
}

function describeExit({ exitCode, signalCode }: ChildProcess): string {
  return signalCode === null ? `exit code ${exitCode}` : signalCode;
}

/** Resolves when the child is gone: true where it had to be killed because it stood still. */
function watch(child: ChildProcess, task: FuzzTask): Promise<boolean> {
  return new Promise((resolve) => {
    let last = '';
    let since = performance.now();
    let isHung = false;
    const look = setInterval(async () => {
      const now = await readFile(task.progressFile, 'latin1').catch(() => '');
      if (now !== last) {
        last = now;
        since = performance.now();
      }
      const patienceMs = last === '' ? OPEN_MS : Math.max(STILL_MS, task.limitMs * 4);
      if (performance.now() - since < patienceMs || isHung) return;
      isHung = true;
      child.kill('SIGKILL');
    }, LOOK_EVERY_MS);
    const finish = (): void => {
      clearInterval(look);
      resolve(isHung);
    };
    child.once('close', finish);
    child.once('error', () => undefined);
  });
}

/** What the worker was at when it ended; −1 where it had not begun. */
async function readProgress(file: string): Promise<number> {
  const bytes = await readFile(file).catch(() => Buffer.alloc(0));
  return bytes.length === 8 ? bytes.readDoubleLE() : -1;
}

async function saveFindings(result: FuzzResult, { findingsDir, seed }: FuzzCampaignOptions): Promise<void> {
  if (result.findings.length === 0) return;
  await mkdir(findingsDir, { recursive: true });
  for (const { index, inputBase64, kind, what } of result.findings) {
    const name = join(findingsDir, `${result.parser}-${seed}-${index}`);
    await writeFile(`${name}.txt`, `${kind}\n${what}\n`);
    if (inputBase64 !== undefined) await writeFile(`${name}.bin`, Buffer.from(inputBase64, 'base64'));
  }
}
