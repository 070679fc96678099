import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { errorMessage, NgatuError } from '@ngatu/contract';

/** Milliseconds since 1970, zero-padded, and a line end: always the same length, so that a write replaces it whole. */
const LENGTH = 16;

/**
 * One instant that survives kill -9 without the cost of a database transaction: how far a camera's ledger was when the
 * process was last alive. After a power cut it may be a few seconds old, which only makes the blind time longer.
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

  /** The instant last written, ms since 1970; undefined where there is none, or no sense in it. */
  read(): number | undefined {
    const buffer = Buffer.alloc(LENGTH);
    const length = readSync(this.#file, buffer, 0, LENGTH, 0);
    const text = buffer.toString('latin1', 0, length);
    return /^\d{15}\n$/.test(text) ? Number(text) : undefined;
  }

  write(atMs: number): void {
    writeSync(
      this.#file,
      `${String(Math.max(0, Math.floor(atMs))).padStart(LENGTH - 1, '0')}\n`,
      0,
      'latin1',
    );
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}
