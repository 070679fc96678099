import { open, readFile, rename } from 'node:fs/promises';
import { errorMessage, NgatuError } from '@ngatu/contract';
import type { Logger } from 'pino';
import { decodeGateMemory, encodeGateMemory, type GateMemory } from './gate-memory.ts';

/**
 * What was saved, or undefined where there is none. A file that cannot be used is set aside as `FILE.bad`, and said.
 */
export async function loadGateMemory(file: string, logger: Logger): Promise<GateMemory | undefined> {
  try {
    return decodeGateMemory(await readFile(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const code = error instanceof NgatuError ? error.code : 'FILE_UNREADABLE';
    logger.warn({ code, file }, `the gate begins anew: ${errorMessage(error)}`);
    await rename(file, `${file}.bad`).catch((cause: unknown) => {
      logger.warn({ code: 'FILE_UNREADABLE', file }, `it cannot be set aside: ${errorMessage(cause)}`);
    });
    return undefined;
  }
}

/** One write at a time; the file is whole or as it was, also after a power cut. A disk that refuses is said. */
export class GateMemoryFile {
  readonly #file: string;
  readonly #logger: Logger;
  #last: Promise<void> = Promise.resolve();

  constructor(file: string, logger: Logger) {
    this.#file = file;
    this.#logger = logger;
  }

  save(memory: GateMemory): Promise<void> {
    const text = encodeGateMemory(memory);
    this.#last = this.#last
      .then(() => this.#write(text))
      .catch((error: unknown) => {
        const isFull = (error as NodeJS.ErrnoException).code === 'ENOSPC';
        const code = isFull ? 'DISK_FULL' : 'PERMISSION_DENIED';
        this.#logger.error({ code }, `what the gate learned is not saved: ${errorMessage(error)}`);
      });
    return this.#last;
  }

  async #write(text: string): Promise<void> {
    const part = `${this.#file}.part`;
    const handle = await open(part, 'w');
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, this.#file);
  }
}
