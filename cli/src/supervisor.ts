import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ERROR_CODES, type ErrorCode, errorMessage, NgatuError } from '@ngatu/contract';
import { LogFile } from './log-file.ts';
import type { PartMessage } from './part-process.ts';
import { identifyProcess, killGroup, type ProcessIdentity } from './process-identity.ts';
import { computeRestartDelayMs } from './restart-delay.ts';

/** One part of the product: a process that is kept running. */
export interface PartSpec {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /**
   * `ipc`: a Node process that says by itself when it is ready. Otherwise a probe that resolves when it is, and is
   * aborted when the process ends.
   */
  readonly ready: 'ipc' | ((signal: AbortSignal) => Promise<void>);
  /**
   * Where it is not ready within this it is killed and tried again with twice as much time, up to eight times as much: a machine that is
   * so busy that a part needs long would never have it otherwise. `Infinity`: it may take its time.
   */
  readonly readyTimeoutMs: number;
}

/** What happened to a part, for those who watch. */
export type PartEvent =
  | { readonly part: string; readonly kind: 'ready'; readonly tookMs: number; readonly restarts: number }
  | { readonly part: string; readonly kind: 'died'; readonly reason: string; readonly restarts: number }
  | { readonly part: string; readonly kind: 'notice'; readonly detail: unknown };

export interface SupervisorOptions {
  /** Gets `logs/NAME.log` of each part, and `parts.json` with the processes that run. */
  readonly folder: string;
  readonly onEvent: (event: PartEvent) => void;
  /** How long a part may take to stop before it is killed, ms. */
  readonly stopLimitMs?: number;
}

/** One life of a part's process. */
interface Life {
  readonly child: ChildProcess;
  /** Resolves with what the part said; rejects where it ends or takes too long before. */
  readonly ready: Promise<unknown>;
  /** Resolves with the reason when the process is gone and everything that it said was heard. */
  readonly ended: Promise<string>;
  /** Why the supervisor ended it itself. */
  verdict?: string;
}

interface Part {
  readonly spec: PartSpec;
  readonly log: LogFile;
  life: Life | undefined;
  identity: ProcessIdentity | undefined;
  /** How often in a row it was killed because it was not ready in time. */
  late: number;
  /** When it died, ms on the monotonic clock. */
  readonly deaths: number[];
  keeping: Promise<void>;
}

const ROTATE_EVERY_MS = 60_000;
const STOP_LIMIT_MS = 5_000;
/** A part that has not been ready yet is tried so often. */
const FIRST_ATTEMPTS = 3;
/** See `readyTimeoutMs`. */
const MAX_DOUBLINGS = 3;
/** What a dead process had said is still on its way for a moment, ms. */
const LAST_WORDS_MS = 200;

/**
 * Keeps parts running. A part that dies is started again at once, and more slowly while it keeps dying. Each part leads
 * a process group, and what it leaves behind is killed with it.
 */
export class Supervisor implements AsyncDisposable {
  readonly #options: SupervisorOptions;
  readonly #parts: Part[] = [];
  readonly #stop = new AbortController();
  readonly #rotation: NodeJS.Timeout;
  #stopping: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    mkdirSync(join(options.folder, 'logs'), { recursive: true, mode: 0o700 });
    this.#rotation = setInterval(() => {
      for (const { log } of this.#parts) log.rotate();
    }, ROTATE_EVERY_MS).unref();
  }

  /**
   * Starts a part and resolves with what it said when it was ready. From then on it is kept running.
   * @throws NgatuError with the code that the part reported, or CHILD_FAILED, where it does not get ready
   */
  async start(spec: PartSpec): Promise<unknown> {
    const log = new LogFile(join(this.#options.folder, 'logs', `${spec.name}.log`));
    const part: Part = {
      spec,
      log,
      life: undefined,
      identity: undefined,
      late: 0,
      deaths: [],
      keeping: Promise.resolve(),
    };
    this.#parts.push(part);
    for (let attempt = 1; ; attempt++) {
      this.#stop.signal.throwIfAborted();
      const begun = performance.now();
      const life = this.#launch(part);
      try {
        const detail = await life.ready;
        const tookMs = performance.now() - begun;
        this.#options.onEvent({ part: spec.name, kind: 'ready', tookMs, restarts: 0 });
        part.keeping = this.#keep(part, life);
        return detail;
      } catch (error) {
        this.#giveUp(part, life, error);
        await life.ended;
        const isFinal = error instanceof NgatuError && !error.retryable;
        if (isFinal || attempt >= FIRST_ATTEMPTS || this.#stop.signal.aborted) throw error;
      }
    }
  }

  /** Stops every part in reverse order of their start, each within the limit, then by force. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    this.#stop.abort();
    clearInterval(this.#rotation);
    const limitMs = this.#options.stopLimitMs ?? STOP_LIMIT_MS;
    for (const part of this.#parts.toReversed()) {
      const life = part.life;
      if (life !== undefined) {
        life.child.kill('SIGTERM');
        const force = setTimeout(() => killGroup(life.child.pid ?? 0), limitMs);
        await life.ended;
        clearTimeout(force);
      }
      await part.keeping;
      part.log.close();
    }
    this.#parts.length = 0;
  }

  /** Sends a signal to a part that runs; one that ends by it is started again, as after any other end. */
  signal(name: string, signal: NodeJS.Signals): void {
    this.#parts.find(({ spec }) => spec.name === name)?.life?.child.kill(signal);
  }

  /** Kills every part now. */
  kill(): void {
    this.#stop.abort();
    for (const { life } of this.#parts) if (life?.child.pid !== undefined) killGroup(life.child.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #keep(part: Part, first: Life): Promise<void> {
    const { spec, deaths } = part;
    const { signal } = this.#stop;
    for (let life = first; ; life = this.#launch(part)) {
      if (life !== first) this.#announce(part, life);
      const how = await life.ended;
      const reason = life.verdict ?? how;
      if (signal.aborted) return;
      deaths.push(performance.now());
      this.#options.onEvent({ part: spec.name, kind: 'died', reason, restarts: deaths.length });
      const delayMs = computeRestartDelayMs(deaths, performance.now());
      // Rejects only when everything is stopped: the check below says so.
      await delay(delayMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
    }
  }

  #announce(part: Part, life: Life): void {
    const begun = performance.now();
    const restarts = part.deaths.length;
    life.ready.then(
      () => {
        const tookMs = performance.now() - begun;
        part.late = 0;
        this.#options.onEvent({ part: part.spec.name, kind: 'ready', tookMs, restarts });
      },
      (error: unknown) => this.#giveUp(part, life, error),
    );
  }

  /** One that does not get ready is killed: its end is announced. */
  #giveUp(part: Part, life: Life, error: unknown): void {
    const { pid, exitCode, signalCode } = life.child;
    if (pid === undefined) return;
    if (exitCode === null && signalCode === null) {
      part.late++;
      life.verdict = errorMessage(error);
    }
    killGroup(pid);
  }

  #launch(part: Part): Life {
    const { spec, log } = part;
    const mark = log.sizeBytes;
    const output = log.descriptor;
    const child = spawn(spec.program, spec.args, {
      detached: true,
      stdio: spec.ready === 'ipc' ? ['ignore', output, output, 'ipc'] : ['ignore', output, output],
      env: { ...process.env, ...spec.env },
    });
    if (child.pid !== undefined) part.identity = identifyProcess(spec.name, child.pid);
    this.#recordProcesses();
    const heard: { failure?: Extract<PartMessage, { type: 'failed' }> } = {};
    child.on('message', (message: PartMessage) => {
      if (message.type === 'failed') heard.failure = message;
      if (message.type === 'notice') {
        this.#options.onEvent({ part: spec.name, kind: 'notice', detail: message.detail });
      }
    });
    const ended = waitForEnd(child).then((how) => heard.failure?.message ?? explainEnd(how, log, mark));
    const readyTimeoutMs = spec.readyTimeoutMs * 2 ** Math.min(part.late, MAX_DOUBLINGS);
    const ready = waitUntilReady(child, { ...spec, readyTimeoutMs }, this.#stop.signal, async () => {
      const reason = await ended;
      if (heard.failure === undefined) {
        return new NgatuError('CHILD_FAILED', `Cannot start ${spec.name}: ${reason} (see ${log.path})`, {
          retryable: true,
        });
      }
      const { code, message, retryable } = heard.failure;
      return new NgatuError(code in ERROR_CODES ? (code as ErrorCode) : 'CHILD_FAILED', message, {
        retryable,
      });
    });
    ready.catch(() => undefined);
    const life: Life = { child, ready, ended };
    part.life = life;
    return life;
  }

  /** Leaves word of the processes for the next supervisor, should this one be killed. */
  #recordProcesses(): void {
    const processes = this.#parts.flatMap(({ identity }) => identity ?? []);
    writeFileSync(join(this.#options.folder, 'processes.json'), JSON.stringify(processes), { mode: 0o600 });
  }
}

/** Who was killed has not said why: only an end of its own accord is explained by its last line. */
function explainEnd(how: string, log: LogFile, mark: number): string {
  const line = how.startsWith('killed') ? undefined : log.readFrom(mark).at(-1);
  return line === undefined ? how : `${how}: ${line.slice(0, 300)}`;
}

async function waitForEnd(child: ChildProcess): Promise<string> {
  const how = await new Promise<string>((resolve) => {
    child.once('error', (error) => child.pid === undefined && resolve(error.message));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `exit code ${code}` : `killed by ${signal}`),
    );
  });
  if (child.pid !== undefined) killGroup(child.pid);
  if (child.connected) {
    await Promise.race([once(child, 'disconnect'), delay(LAST_WORDS_MS, undefined, { ref: false })]);
  }
  return how;
}

/** Resolves with the detail of the `ready` message, or when the probe does. */
async function waitUntilReady(
  child: ChildProcess,
  { name, ready, readyTimeoutMs }: PartSpec,
  stop: AbortSignal,
  explainEnd: () => Promise<Error>,
): Promise<unknown> {
  const over = new AbortController();
  const timeout = Number.isFinite(readyTimeoutMs) ? AbortSignal.timeout(readyTimeoutMs) : over.signal;
  const limits = AbortSignal.any([over.signal, stop, timeout]);
  const limited = new Promise<never>((_, reject) => {
    limits.addEventListener('abort', () => {
      if (stop.aborted) return reject(stop.reason);
      if (timeout.aborted && !over.signal.aborted) {
        reject(
          new NgatuError('CHILD_FAILED', `Cannot start ${name}: not ready within ${readyTimeoutMs} ms`, {
            retryable: true,
          }),
        );
      }
    });
  });
  const said =
    ready === 'ipc'
      ? new Promise<unknown>((resolve) => {
          child.on('message', (message: PartMessage) => message.type === 'ready' && resolve(message.detail));
        })
      : ready(limits);
  const died = explainEnd().then((error) => {
    throw error;
  });
  for (const promise of [said, died, limited]) promise.catch(() => undefined);
  try {
    return await Promise.race([said, died, limited]);
  } finally {
    over.abort();
  }
}
