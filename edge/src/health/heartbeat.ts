import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { CAMERA_STATE_REASONS, CAMERA_STATES, errorMessage, NgatuError } from '@ngatu/contract';
import type { LedgerTail } from './camera-ledger.ts';

/** Every record is filled up to this, so that a write replaces the one before whole. */
const LENGTH = 160;

/**
 * The newest interval of a camera's ledger as it was when the process was last alive: it survives kill -9 without the cost
 * of a database transaction. After a power cut it may be a few seconds old, which only makes the blind time longer.
 */
export class Heartbeat implements Disposable {
  readonly #file: number;

  private constructor(file: number) {
    this.#file = file;
  }

  /** @throws NgatuError PERMISSION_DENIED */
  static open(path: string): Heartbeat {
    try {
      return new Heartbeat(openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600));
    } catch (cause) {
      throw new NgatuError('PERMISSION_DENIED', `Cannot open heartbeat ${path}: ${errorMessage(cause)}`, {
        cause,
      });
    }
  }

  /** The interval last written; undefined where there is none, or no sense in it. */
  read(): LedgerTail | undefined {
    const buffer = Buffer.alloc(LENGTH);
    const length = readSync(this.#file, buffer, 0, LENGTH, 0);
    return decodeTail(buffer.toString('utf8', 0, length));
  }

  /**
   * False where the disk refuses it (full, failing): the interval before stays, so that a death now makes the blind time longer. That is
   * no reason to stop watching.
   */
  write({ fromMs, toMs, state, reason }: LedgerTail): boolean {
    const text = JSON.stringify({ fromMs, toMs, state, reason });
    try {
      return writeSync(this.#file, `${text.padEnd(LENGTH - 1)}\n`, 0, 'utf8') === LENGTH;
    } catch (error) {
      if (error instanceof Error && 'syscall' in error) return false;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}

function decodeTail(text: string): LedgerTail | undefined {
  if (text.length !== LENGTH || !text.endsWith('\n')) return undefined;
  try {
    const { fromMs, toMs, state, reason } = JSON.parse(text);
    const isKnown =
      CAMERA_STATES.includes(state) && (reason === undefined || CAMERA_STATE_REASONS.includes(reason));
    if (!isKnown || !Number.isSafeInteger(fromMs) || !Number.isSafeInteger(toMs) || fromMs > toMs)
      return undefined;
    return { fromMs, toMs, state, ...(reason === undefined ? {} : { reason }) };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}
