import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { NgatuError } from '@ngatu/contract';
import { RunFolder } from './run-folder.ts';

export interface LiveProductOptions {
  /** Program and arguments of the command line, as in `node cli/bin/ngatu.mjs`. */
  readonly program: readonly string[];
  /** Name of the demonstration. */
  readonly scene: string;
  /** Data folder; the caller owns it. */
  readonly data: string;
}

/** A line that `ngatu start` printed, and when, ms since 1970. */
export interface ProductLine {
  readonly atMs: number;
  readonly text: string;
}

const POLL_MS = 20;
const STOP_LIMIT_MS = 40_000;

/** `ngatu start` as its users run it: one process that supervises the others. */
export class LiveProduct {
  readonly data: string;
  readonly lines: ProductLine[] = [];
  readonly #child: ChildProcess;
  readonly #run: RunFolder;
  readonly #ended: Promise<number | null>;
  #hasEnded = false;

  private constructor(child: ChildProcess, data: string) {
    this.#child = child;
    this.data = data;
    this.#run = new RunFolder(join(data, 'run'));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (text) => this.lines.push({ atMs: Date.now(), text }));
    }
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => this.lines.push({ atMs: Date.now(), text: error.message }));
      child.once('close', (code) => {
        this.#hasEnded = true;
        resolve(code);
      });
    });
  }

  static start({ program, scene, data }: LiveProductOptions): LiveProduct {
    const [command = '', ...args] = program;
    const options = ['start', '--port', '0', '--scene', scene, '--data', data];
    return new LiveProduct(
      spawn(command, [...args, ...options], { stdio: ['ignore', 'pipe', 'pipe'] }),
      data,
    );
  }

  /**
   * Waits for something that `probe` can see.
   * @throws NgatuError CHILD_FAILED where the product ends before, or it takes too long
   */
  async until<T>(
    what: string,
    probe: () => T | undefined,
    options: { limitMs: number; signal: AbortSignal },
  ): Promise<T> {
    const deadline = performance.now() + options.limitMs;
    for (;;) {
      const seen = probe();
      if (seen !== undefined) return seen;
      const last = this.lines.at(-1)?.text ?? 'it said nothing';
      if (this.#hasEnded)
        throw new NgatuError('CHILD_FAILED', `Cannot wait for ${what}: ngatu start ended (${last})`);
      if (performance.now() > deadline) {
        const limit = `not within ${options.limitMs / 1000} s`;
        throw new NgatuError('CHILD_FAILED', `Cannot wait for ${what}: ${limit} (${last})`);
      }
      await sleep(POLL_MS, undefined, { signal: options.signal });
    }
  }

  /** The first line after an instant that holds `text`. */
  findLine(text: string, afterMs = 0): ProductLine | undefined {
    return this.lines.find((line) => line.atMs > afterMs && line.text.includes(text));
  }

  /** Address of the console, once it was announced. */
  get url(): string | undefined {
    return /Console +(http:\S+)/.exec(this.findLine('Console ')?.text ?? '')?.[1];
  }

  /** The process that is this part now; undefined where it does not run. */
  findPid(part: string): number | undefined {
    const pid = this.#run.pidOf(part);
    return pid !== undefined && isRunning(pid) ? pid : undefined;
  }

  /** JSON lines of a part's log, oldest first. What is not JSON (the words of other programs) is left out. */
  readLog(part: string): Record<string, unknown>[] {
    return this.#run.logOf(part);
  }

  /** SIGINT, then SIGKILL. Resolves with the exit code; null after a signal. */
  async stop(): Promise<number | null> {
    if (!this.#hasEnded) this.#child.kill('SIGINT');
    const force = setTimeout(() => this.#child.kill('SIGKILL'), STOP_LIMIT_MS);
    const code = await this.#ended;
    clearTimeout(force);
    return code;
  }
}

function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat[stat.lastIndexOf(')') + 2] !== 'Z';
  } catch {
    // No such process.
    return false;
  }
}
