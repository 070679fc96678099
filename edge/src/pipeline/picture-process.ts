import { type ChildProcess, fork } from 'node:child_process';
import { ERROR_CODES, type ErrorCode, NgatuError } from '@ngatu/contract';
import type { Logger } from 'pino';
import type { PictureJob, PictureMaker, PictureOutcome } from '../evidence/picture-job.ts';
import type { PlateDesk, PlateJob, PlateOutcome } from '../evidence/plate-job.ts';
import type { BlurModelFiles, PictureReply, PictureRequest } from './picture-channel.ts';

/** How the process of pictures is started: a module that calls `runPictureHost`. */
export interface PictureProgram {
  readonly module: string;
  readonly args: readonly string[];
}

export interface PictureProcessOptions {
  readonly program: PictureProgram;
  readonly models: BlurModelFiles;
  readonly logger: Logger;
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
  #nextId = 1;
  #queue: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;

  constructor(options: PictureProcessOptions) {
    this.#options = options;
  }

  make(job: PictureJob, signal: AbortSignal): Promise<PictureOutcome> {
    return this.#enqueue(
      {
        request: (id) => ({ type: 'make', id, job }),
        readAnswer: (reply) => (reply.type === 'made' ? reply.outcome : undefined),
      },
      signal,
    );
  }

  readPlate(job: PlateJob, signal: AbortSignal): Promise<PlateOutcome> {
    return this.#enqueue(
      {
        request: (id) => ({ type: 'read-plate', id, job }),
        readAnswer: (reply) => (reply.type === 'plate-read' ? reply.outcome : undefined),
      },
      signal,
    );
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
    const { program, models, logger } = this.#options;
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
    send(child, { type: 'open', models });
    this.#child = child;
    return child;
  }

  #onReply(message: PictureReply): void {
    const { logger } = this.#options;
    if (message.type === 'opened') {
      for (const problem of message.problems) logger.error({ code: 'MODEL_INVALID' }, problem);
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
  const known: ErrorCode = code in ERROR_CODES ? (code as ErrorCode) : 'INTERNAL';
  return new NgatuError(known, message, { retryable });
}

/** Where the channel has closed already, the end of the process says so. */
function send(child: ChildProcess, request: PictureRequest): void {
  child.send(request, () => undefined);
}
