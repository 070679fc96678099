import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where Debian puts it. */
const LIBRARIES = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
];
const SHARED_MEMORY = '/dev/shm';
const DRIFT_STEP_MS = 200;

/** The clock of one process and its children, which another process can set while they run (libfaketime). */
export class FaultClock implements Disposable {
  readonly #file: string;
  readonly #library: string;
  #drift: NodeJS.Timeout | undefined;

  private constructor(file: string, library: string) {
    this.#file = file;
    this.#library = library;
    this.#write(0);
  }

  /** Undefined where libfaketime is not installed. */
  static open(file: string): FaultClock | undefined {
    const library = LIBRARIES.find((path) => existsSync(path));
    return library === undefined ? undefined : new FaultClock(file, library);
  }

  /** What a process needs in its environment to live by this clock. Intervals (the monotonic clock) stay true. */
  get env(): Record<string, string> {
    return {
      LD_PRELOAD: this.#library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
  }

  /** Beside the machine's clock by this much from now on, and running away from it at a rate other than 1. */
  set({ offsetS, rate }: { offsetS: number; rate: number }): void {
    clearInterval(this.#drift);
    this.#write(offsetS);
    if (rate === 1) return;
    const begunAt = performance.now();
    this.#drift = setInterval(() => {
      this.#write(offsetS + ((performance.now() - begunAt) / 1_000) * (rate - 1));
    }, DRIFT_STEP_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#drift);
    removeLeftovers();
  }

  #write(offsetS: number): void {
    const text = `${offsetS < 0 ? '-' : '+'}${Math.abs(offsetS).toFixed(3)}\n`;
    writeFileSync(`${this.#file}.next`, text);
    renameSync(`${this.#file}.next`, this.#file);
  }
}

/** libfaketime shares memory between a process and its children, and one that is killed leaves it. */
function removeLeftovers(): void {
  for (const name of existsSync(SHARED_MEMORY) ? readdirSync(SHARED_MEMORY) : []) {
    const pid = /^(?:sem\.)?faketime_(?:shm|sem)_(\d+)/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(SHARED_MEMORY, name), { force: true });
  }
}
