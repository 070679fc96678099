import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { NgatuError } from '@ngatu/contract';
import { runTrialProgram, type TrialJob } from './trial-program.ts';

export interface ModelTrialOptions {
  /** Name of the model, for messages. */
  readonly name: string;
  /** The file. Not changed. */
  readonly bytes: Uint8Array;
  /** Length of an axis that the model leaves free; 64 by default. */
  readonly freeAxis?: number;
  /** More work of the processor than this ends the trial, ms; 10 s by default. */
  readonly limitMs?: number;
  /** More resident memory ends the trial, bytes; 2 GiB by default: a gateway has 4. */
  readonly limitBytes?: number;
}

const LIMIT_MS = 10_000;
/** A trial that waits, or that a busy machine lets wait, ends after this many times its limit. */
const PATIENCE = 6;
const LIMIT_BYTES = 2 * 1024 * 1024 * 1024;
const WATCH_EVERY_MS = 25;
const ANSWER_MAX_CHARS = 2_000;
/** Of a tick of /proc/…/stat, ms. */
const TICK_MS = 10;
/** Of a page of /proc/…/statm on every machine that the product runs on, bytes. */
const PAGE_BYTES = 4_096;

/**
 * Loads a model in a process of its own and runs it once, before this process lets a runtime of native code read the same bytes: a
 * file that crashes, hangs or fills the memory does so there. Check the digest first, and open the very bytes that were tried.
 * @throws NgatuError MODEL_INVALID where the model is refused, crashes the runtime, or needs more memory or time than it may; CHILD_FAILED
 *   (retryable) where the process could not be started
 */
export async function tryModel(options: ModelTrialOptions): Promise<void> {
  const { name, limitMs = LIMIT_MS, limitBytes = LIMIT_BYTES } = options;
  const { answer, end } = await runTrial(options, { limitMs, limitBytes });
  const refuse = (why: string): NgatuError =>
    new NgatuError('MODEL_INVALID', `Cannot load model "${name}": ${why}`);
  if (end === 'too-long') throw refuse(`it was not loaded after ${limitMs / 1_000} s of work`);
  if (end === 'too-large') throw refuse(`it needs more than ${Math.round(limitBytes / 1024 / 1024)} MiB`);
  if (answer.startsWith('refused ')) throw refuse(answer.slice('refused '.length).split('\n')[0] ?? '');
  if (answer !== 'ran' && answer !== 'loaded') throw refuse(`the runtime ended while it was loaded (${end})`);
}

interface TrialEnd {
  readonly answer: string;
  /** `too-long`, `too-large`, or how the process ended. */
  readonly end: string;
}

function describeJob({ freeAxis = 64 }: ModelTrialOptions): TrialJob {
  return { runtime: createRequire(import.meta.url).resolve('onnxruntime-node'), freeAxis };
}

function runTrial(
  options: ModelTrialOptions,
  { limitMs, limitBytes }: { readonly limitMs: number; readonly limitBytes: number },
): Promise<TrialEnd> {
  const program = `(${runTrialProgram.toString()})(require)`;
  const job = JSON.stringify(describeJob(options));
  return new Promise((resolve, reject) => {
    // nothing of this process' environment (secrets) and folder is the model's business
    const child = spawn(process.execPath, ['--max-old-space-size=512', '-e', program, job], {
      stdio: ['pipe', 'pipe', 'ignore'],
      cwd: tmpdir(),
      env: {},
    });
    let answer = '';
    let verdict: string | undefined;
    const end = (why: string): void => {
      verdict ??= why;
      child.kill('SIGKILL');
    };
    const clock = setTimeout(() => end('too-long'), limitMs * PATIENCE);
    if (child.pid !== undefined) preferForKilling(child.pid);
    const watch = setInterval(() => {
      if (child.pid === undefined) return;
      if (readResidentBytes(child.pid) > limitBytes) end('too-large');
      if (readWorkMs(child.pid) > limitMs) end('too-long');
    }, WATCH_EVERY_MS);
    const finish = (): void => {
      clearTimeout(clock);
      clearInterval(watch);
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      answer = (answer + text).slice(0, ANSWER_MAX_CHARS);
    });
    // a child that dies does not read the rest: how it ended is told by its end
    child.stdin.on('error', () => child.stdin.destroy());
    child.once('error', (cause) => {
      finish();
      const message = `Cannot try model "${options.name}": ${cause.message}`;
      reject(new NgatuError('CHILD_FAILED', message, { retryable: true, cause }));
    });
    child.once('close', (code, signal) => {
      finish();
      resolve({ answer, end: verdict ?? signal ?? `exit code ${code}` });
    });
    child.stdin.end(options.bytes);
  });
}

/** Where memory runs out, the kernel ends the trial and not the agent. Only Linux knows the file; elsewhere nothing is lost. */
function preferForKilling(pid: number): boolean {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, '1000');
    return true;
  } catch {
    return false;
  }
}

/** 0 where the process is gone, or the system does not say. */
function readResidentBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES;
  } catch {
    return 0;
  }
}

/** Time of the processor that a process has taken, ms; 0 where it is gone, or the system does not say. */
function readWorkMs(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // the name of the program stands in brackets and may hold blanks
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return 0;
  }
}
