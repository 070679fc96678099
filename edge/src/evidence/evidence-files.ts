import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** A file by its content. */
export interface StoredFile {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/**
 * Evidence files on the node's disk, named after the SHA-256 of their content: `files/<sha256>`. A file is there whole
 * and on disk, or not at all.
 */
export class EvidenceFiles {
  readonly #dir: string;
  readonly #workDir: string;

  private constructor(dir: string, workDir: string) {
    this.#dir = dir;
    this.#workDir = workDir;
  }

  /** Makes the folders below `dir` and removes what an earlier process left unfinished. */
  static async open(dir: string): Promise<EvidenceFiles> {
    const workDir = join(dir, 'unfinished');
    await rm(workDir, { recursive: true, force: true });
    await mkdir(workDir, { recursive: true });
    await mkdir(join(dir, 'files'), { recursive: true });
    return new EvidenceFiles(join(dir, 'files'), workDir);
  }

  path(sha256: string): string {
    return join(this.#dir, sha256);
  }

  /** A new folder for unfinished files, on the same disk. The caller removes it. */
  openWorkFolder(): Promise<string> {
    return mkdtemp(join(this.#workDir, 'job-'));
  }

  /**
   * Removes files that were stored before `beforeMs` (ms since 1970). `isNeeded` keeps those that the centre still waits for.
   * Returns how many went.
   */
  async prune(beforeMs: number, isNeeded: (sha256: string) => boolean): Promise<number> {
    let removed = 0;
    for (const name of await readdir(this.#dir)) {
      const path = join(this.#dir, name);
      const { mtimeMs } = await stat(path);
      if (mtimeMs >= beforeMs || isNeeded(name)) continue;
      await rm(path, { force: true });
      removed += 1;
    }
    return removed;
  }

  /** Takes a finished file from a work folder. Adding the same content again changes nothing. */
  async add(path: string): Promise<StoredFile> {
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash);
    const sha256 = hash.digest('hex');
    const { size } = await stat(path);
    await syncToDisk(path);
    await rename(path, this.path(sha256));
    await syncToDisk(this.#dir);
    return { sha256, sizeBytes: size };
  }
}

async function syncToDisk(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
