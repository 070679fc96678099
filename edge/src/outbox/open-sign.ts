import { closeSync, existsSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * A file beside a database that is there while a process has it open: who finds it at the start knows that the one before ended without
 * warning. It lies outside of the database, so that damage to the end of its journal cannot take it back.
 */
export class OpenSign {
  readonly #path: string;

  constructor(database: string) {
    this.#path = `${database}.open`;
  }

  /** Puts it there, on disk when this returns. True where it was there already. */
  raise(): boolean {
    const wasRaised = existsSync(this.#path);
    if (!wasRaised) {
      const file = openSync(this.#path, 'w');
      fsyncSync(file);
      closeSync(file);
      this.#syncFolder();
    }
    return wasRaised;
  }

  /** Everything that was promised is in the database and the process ends in order. */
  lower(): void {
    rmSync(this.#path, { force: true });
  }

  #syncFolder(): void {
    const folder = openSync(dirname(this.#path), 'r');
    fsyncSync(folder);
    closeSync(folder);
  }
}
