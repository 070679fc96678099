import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { asStorageError, EVIDENCE_MAX_BYTES, NgatuError, systemCodeOf } from '@ngatu/contract';
import type { EvidenceHandle, EvidenceStore } from './evidence-store.ts';

/** Folder of files that are not whole yet; it lies on the same disk, so that a rename completes them at once. */
const PARTIAL_FOLDER = 'partial';
const DIGEST = /^[0-9a-f]{64}$/;

/** Evidence files in a folder, spread over 256 subfolders by the first two digits of their digest. */
export class FolderEvidenceStore implements EvidenceStore {
  readonly #folder: string;
  readonly #maxBytes: number;

  private constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
  }

  /**
   * `sweepPartial` removes what interrupted uploads left: only the process that writes may ask for it.
   * @throws NgatuError PERMISSION_DENIED, DISK_FULL
   */
  static async open(
    folder: string,
    options: { sweepPartial?: boolean; maxBytes?: number } = {},
  ): Promise<FolderEvidenceStore> {
    const partial = join(folder, PARTIAL_FOLDER);
    try {
      await mkdir(partial, { recursive: true });
      if (options.sweepPartial === true) {
        for (const name of await readdir(partial)) await rm(join(partial, name), { force: true });
      }
    } catch (error) {
      throw asStorageError(error, `use evidence folder "${folder}"`);
    }
    return new FolderEvidenceStore(folder, options.maxBytes ?? EVIDENCE_MAX_BYTES);
  }

  async put(sha256: string, content: Readable): Promise<'stored' | 'present'> {
    const path = this.#pathOf(sha256);
    if ((await sizeOf(path)) !== undefined) return 'present';
    const partial = join(this.#folder, PARTIAL_FOLDER, `${sha256}-${randomUUID()}`);
    try {
      const file = await open(partial, 'wx');
      try {
        await this.#receive(sha256, content, file);
        await file.sync();
      } finally {
        await file.close();
      }
      const folder = join(this.#folder, sha256.slice(0, 2));
      await mkdir(folder, { recursive: true });
      await rename(partial, path);
      await syncFolder(folder);
      await syncFolder(this.#folder);
      return 'stored';
    } catch (error) {
      await rm(partial, { force: true });
      throw asStorageError(error, `use evidence folder "${this.#folder}"`);
    }
  }

  async open(sha256: string): Promise<EvidenceHandle | undefined> {
    const path = this.#pathOf(sha256);
    const sizeBytes = await sizeOf(path);
    if (sizeBytes === undefined) return undefined;
    return { sizeBytes, read: (range) => createReadStream(path, range) };
  }

  async remove(sha256: string): Promise<boolean> {
    const path = this.#pathOf(sha256);
    try {
      if ((await sizeOf(path)) === undefined) return false;
      await rm(path, { force: true });
      await syncFolder(join(this.#folder, sha256.slice(0, 2)));
      return true;
    } catch (error) {
      throw asStorageError(error, `use evidence folder "${this.#folder}"`);
    }
  }

  async #receive(sha256: string, content: Readable, file: FileHandle): Promise<void> {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    for await (const chunk of content as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > this.#maxBytes) {
        throw new NgatuError(
          'EVIDENCE_TOO_LARGE',
          `Cannot store evidence ${sha256}: more than ${this.#maxBytes} bytes`,
        );
      }
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    const found = hash.digest('hex');
    if (found === sha256) return;
    throw new NgatuError(
      'EVIDENCE_DIGEST_MISMATCH',
      `Cannot store evidence: sha256 differs (expected ${sha256}, got ${found}, ${sizeBytes} bytes)`,
    );
  }

  #pathOf(sha256: string): string {
    if (!DIGEST.test(sha256))
      throw new NgatuError('REQUEST_INVALID', 'Cannot look for evidence: not a sha256');
    return join(this.#folder, sha256.slice(0, 2), sha256);
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw asStorageError(error, `use evidence folder "${path}"`);
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
