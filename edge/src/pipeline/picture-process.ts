import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { ERROR_CODES, type ErrorCode, NgatuError } from '@ngatu/contract';
import type { Logger } from 'pino';
import type { PictureJob, PictureMaker, PictureOutcome } from '../evidence/picture-job.ts';
import type { PlateDesk, PlateJob, PlateOutcome } from '../evidence/plate-job.ts';
import type { NetworkFile } from '../model/model-file.ts';
import type {
  PictureNetworks,
  PictureProblem,
  PictureReply,
  PictureRequest,
  PictureUse,
} from './picture-channel.ts';

/** How the process of pictures is started: a module that calls `runPictureHost`. */
export interface PictureProgram {
  readonly module: string;
  readonly args: readonly string[];
}

export interface PictureProcessOptions {
  readonly program: PictureProgram;
  readonly logger: Logger;
  /** Hears of a network that was proved once, and cannot be opened now; it is left out. */
  readonly onProblem?: (problem: PictureProblem & { readonly code: ErrorCode }) => void;
  /** It goes when it had nothing to do for this long, ms: its models take some 150 MB. Default: two minutes. */
  readonly idleMs?: number;
  /** A job that takes longer is given up with its process, ms. Default: a minute. */
  readonly limitMs?: number;
}

const IDLE_MS = 120_000;
const LIMIT_MS = 60_000;

/** A job as it is sent, and the answer to it: nothing else of the process is taken for it. */
interface Work<T> {
  request(id: number): PictureRequest;
  readAnswer(reply: PictureReply): T | undefined;
}

interface Waiting {
  /** False where the reply is no answer to this job. */
  readonly take: (reply: PictureReply) => boolean;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes pictures and reads plates in a process of its own with low priority: a model or an image library that breaks takes no camera with it.
 * One job at a time; the next one starts the process again where it has gone.
 */
export class PictureProcess implements PictureMaker, PlateDesk, Disposable {
  readonly #options: PictureProcessOptions;
  #child: ChildProcess | undefined;
  readonly #waiting = new Map<number, Waiting>();
  readonly #given = new EventEmitter();
  #networks: PictureNetworks | undefined;
  #nextId = 1;
  #queue: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;

  constructor(options: PictureProcessOptions) {
    this.#options = options;
  }

  /** From the next job on these serve. Jobs wait for the first ones. */
  use(networks: PictureNetworks): void {
    this.#networks = networks;
    if (this.#child !== undefined) send(this.#child, { type: 'use', networks });
    this.#given.emit('networks');
  }

  /**
   * Opens a network in the process of pictures as it would be used, and closes it again; see `proveNetwork`.
   * @throws NgatuError FILE_UNREADABLE, MODEL_DIGEST_MISMATCH, MODEL_INVALID, CHILD_FAILED (retryable)
   */
  async prove(use: PictureUse, network: NetworkFile, signal: AbortSignal): Promise<void> {
    await this.#enqueue(
      {
        request: (id) => ({ type: 'prove', id, use, network }),
        readAnswer: (reply) => (reply.type === 'proved' ? true : undefined),
      },
      signal,
    );
  }

  async make(job: PictureJob, signal: AbortSignal): Promise<PictureOutcome> {
    await this.#awaitNetworks(signal);
    return this.#enqueue(
      {
        request: (id) => ({ type: 'make', id, job }),
        readAnswer: (reply) => (reply.type === 'made' ? reply.outcome : undefined),
      },
      signal,
    );
  }

  async readPlate(job: PlateJob, signal: AbortSignal): Promise<PlateOutcome> {
    await this.#awaitNetworks(signal);
    return this.#enqueue(
      {
        request: (id) => ({ type: 'read-plate', id, job }),
        readAnswer: (reply) => (reply.type === 'plate-read' ? reply.outcome : undefined),
      },
      signal,
    );
  }

  async #awaitNetworks(signal: AbortSignal): Promise<void> {
    if (this.#networks !== undefined) return;
    await once(this.#given, 'networks', { signal }).catch(() => undefined);
    signal.throwIfAborted();
  }

  #enqueue<T>(work: Work<T>, signal: AbortSignal): Promise<T> {
    const turn = this.#queue.then(() => this.#run(work, signal));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#idle);
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }

  async #run<T>(work: Work<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    clearTimeout(this.#idle);
    const child = this.#child ?? this.#start();
    const id = this.#nextId++;
    const { idleMs = IDLE_MS, limitMs = LIMIT_MS } = this.#options;
    const onAbort = (): void => void child.kill('SIGKILL');
    const limit = setTimeout(onAbort, limitMs);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await new Promise<T>((resolve, reject) => {
        const take = (reply: PictureReply): boolean => {
          const answer = work.readAnswer(reply);
          if (answer === undefined) return false;
          resolve(answer);
          return true;
        };
        this.#waiting.set(id, { take, reject });
        send(child, work.request(id));
      });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(limit);
      signal.removeEventListener('abort', onAbort);
      this.#waiting.delete(id);
      this.#idle = setTimeout(() => this.#leave(), idleMs);
      this.#idle.unref();
    }
  }

  #leave(): void {
    if (this.#waiting.size > 0) return;
    this.#child?.disconnect();
    this.#child = undefined;
  }

  #start(): ChildProcess {
    const { program, logger } = this.#options;
    const child = fork(program.module, program.args, {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.unref();
    child.channel?.unref();
    child.on('message', (message: PictureReply) => this.#onReply(message));
    const onGone = (reason: string): void => {
      if (this.#child === child) this.#child = undefined;
      const waiting = [...this.#waiting.values()];
      this.#waiting.clear();
      if (waiting.length > 0)
        logger.warn({ code: 'CHILD_FAILED' }, `the process of pictures ended: ${reason}`);
      for (const { reject } of waiting) {
        reject(
          new NgatuError('CHILD_FAILED', `Cannot make pictures: their process ended (${reason})`, {
            retryable: true,
          }),
        );
      }
    };
    child.once('error', (error) => onGone(error.message));
    child.once('exit', (code, signal) => onGone(signal ?? `exit ${code}`));
    if (this.#networks !== undefined) send(child, { type: 'use', networks: this.#networks });
    this.#child = child;
    return child;
  }

  #onReply(message: PictureReply): void {
    if (message.type === 'opened') {
      for (const problem of message.problems)
        this.#options.onProblem?.({ ...problem, code: toCode(problem.code) });
      return;
    }
    const waiting = this.#waiting.get(message.id);
    if (message.type === 'failed') waiting?.reject(toError(message));
    else if (waiting?.take(message) === false)
      waiting.reject(
        new NgatuError('CHILD_FAILED', 'Cannot make pictures: their process gave another answer'),
      );
  }
}

function toError({ code, message, retryable }: Extract<PictureReply, { type: 'failed' }>): NgatuError {
  return new NgatuError(toCode(code), message, { retryable });
}

function toCode(code: string): ErrorCode {
  return code in ERROR_CODES ? (code as ErrorCode) : 'INTERNAL';
}

/** Where the channel has closed already, the end of the process says so. */
function send(child: ChildProcess, request: PictureRequest): void {
  child.send(request, () => undefined);
}
