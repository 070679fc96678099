import { Worker } from 'node:worker_threads';
import { ERROR_CODES, type ErrorCode, NgatuError } from '@ngatu/contract';
import type { FrameJudgement, FrameView } from '../thermal/passage.ts';
import type { MatrixForm } from '../thermal/temperature-matrix.ts';
import type { ThermalFrame } from '../thermal/thermal-frame.ts';
import type { ThermalReply, ThermalRequest } from './thermal-channel.ts';

export interface ThermalThreadOptions {
  /** Path of the built `thermal-program.ts`. */
  readonly module: string;
  /** A picture that takes longer ends the thread, ms; ten seconds by default. */
  readonly limitMs?: number;
}

/** A picture of a megapixel takes a quarter of a second on a slow core, and its text a second. */
const LIMIT_MS = 10_000;
/** The largest picture that is taken is 16 MiB, and its text 32 MiB. */
const MEMORY_MIB = 512;

interface Waiting {
  readonly settle: (reply: ThermalReply) => void;
  readonly fail: (error: NgatuError) => void;
}

/**
 * A thread that reads the matrices of one gate and judges its pictures: at 640 × 512 either takes longer than the cameras beside it may be
 * kept waiting. It is started with the first picture, and anew with the next one after it has ended.
 */
export class ThermalThread implements AsyncDisposable {
  readonly #options: ThermalThreadOptions;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #isStopped = false;
  #nextId = 1;

  constructor(options: ThermalThreadOptions) {
    this.#options = options;
  }

  /**
   * Reads a matrix of temperatures. The bytes stay the caller's.
   * @throws NgatuError THERMAL_INVALID; CHILD_FAILED (retryable) where the thread ended
   */
  async read(bytes: Uint8Array, form: MatrixForm): Promise<ThermalFrame> {
    // a view of a larger buffer would take all of it along
    const own = new Uint8Array(bytes);
    const reply = await this.#ask((id) => ({ type: 'read', id, form, bytes: own }), [own.buffer]);
    if (reply.type !== 'read') throw endOf('it gave another answer');
    return reply.frame;
  }

  /**
   * Judges a picture. The frame stays the caller's.
   * @throws NgatuError CHILD_FAILED (retryable) where the thread ended
   */
  async judge(frame: ThermalFrame, view: FrameView): Promise<FrameJudgement> {
    const reply = await this.#ask((id) => ({ type: 'judge', id, frame, view }));
    if (reply.type !== 'judged') throw endOf('it gave another answer');
    return reply.judgement;
  }

  /** Ends the thread for good; what it was asked fails. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    const worker = this.#worker;
    this.#drop('it was stopped');
    await worker?.terminate();
  }

  async #ask(
    build: (id: number) => ThermalRequest,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<ThermalReply> {
    if (this.#isStopped) throw endOf('it was stopped');
    const worker = this.#worker ?? this.#start();
    const id = this.#nextId++;
    const { limitMs = LIMIT_MS } = this.#options;
    const limit = setTimeout(() => {
      this.#drop(`no answer within ${limitMs} ms`);
      void worker.terminate();
    }, limitMs);
    try {
      const reply = await new Promise<ThermalReply>((settle, fail) => {
        this.#waiting.set(id, { settle, fail });
        worker.postMessage(build(id), transfer);
      });
      if (reply.type === 'failed') throw toError(reply);
      return reply;
    } finally {
      clearTimeout(limit);
      this.#waiting.delete(id);
    }
  }

  #start(): Worker {
    // nothing of the environment (secrets) is its business
    const worker = new Worker(this.#options.module, {
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MIB },
    });
    worker.unref();
    worker.on('message', (reply: ThermalReply) => this.#waiting.get(reply.id)?.settle(reply));
    const onEnd = (why: string): void => {
      if (this.#worker === worker) this.#drop(why);
    };
    worker.once('error', (error) => onEnd(error.message));
    worker.once('exit', (code) => onEnd(`exit ${code}`));
    this.#worker = worker;
    return worker;
  }

  /** The next question starts a thread anew. */
  #drop(why: string): void {
    this.#worker = undefined;
    for (const { fail } of this.#waiting.values()) fail(endOf(why));
    this.#waiting.clear();
  }
}

function endOf(why: string): NgatuError {
  return new NgatuError('CHILD_FAILED', `Cannot judge thermal pictures: their thread ended (${why})`, {
    retryable: true,
  });
}

function toError({ code, message }: Extract<ThermalReply, { type: 'failed' }>): NgatuError {
  const known: ErrorCode = code in ERROR_CODES ? (code as ErrorCode) : 'INTERNAL';
  return new NgatuError(known, message);
}
