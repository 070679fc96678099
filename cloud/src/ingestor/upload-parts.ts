import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  asStorageError,
  buildUploadPartId,
  NgatuError,
  parseUploadPartId,
  type ReceivedPart,
  systemCodeOf,
  type UploadPart,
} from '@ngatu/contract';

/**
 * Parts of evidence files on their way, one file each, named by what they are: digest, place and length. What a part holds is its
 * size, so a killed process leaves nothing to repair, and neither side has to remember an address.
 */
export class UploadParts {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws NgatuError PERMISSION_DENIED, DISK_FULL (retryable) */
  static async open(folder: string): Promise<UploadParts> {
    const parts = new UploadParts(folder);
    await parts.#guard(() => mkdir(folder, { recursive: true }));
    return parts;
  }

  /** Bytes that have come of a part; undefined where it was never begun. */
  async readOffset(part: UploadPart): Promise<number | undefined> {
    return this.#guard(async () => {
      try {
        return (await stat(this.#pathOf(part))).size;
      } catch (error) {
        if (systemCodeOf(error) === 'ENOENT') return undefined;
        throw error;
      }
    });
  }

  /** Begins a part, or leaves it as it is. */
  async create(part: UploadPart): Promise<void> {
    await this.#guard(async () => (await open(this.#pathOf(part), 'a')).close());
  }

  /**
   * Writes what comes from `offset` on, until the stream ends or breaks; what came before a break is kept. Returns the new offset.
   * @throws NgatuError DISK_FULL (retryable), and what the stream throws
   */
  async write(
    part: UploadPart,
    offset: number,
    content: Readable,
    onBytes: (count: number) => void,
  ): Promise<number> {
    return this.#guard(async () => {
      const file = await open(this.#pathOf(part), 'r+');
      try {
        if ((await file.stat()).size > offset) await file.truncate(offset);
        return await receive(file, { offset, end: part.length }, content, onBytes);
      } finally {
        await file.close();
      }
    });
  }

  /** What has come of a file, by place. */
  async list(sha256: string): Promise<ReceivedPart[]> {
    const parts = (await this.#names())
      .map(parseUploadPartId)
      .filter((part) => part !== undefined)
      .filter((part) => part.sha256 === sha256);
    const received: ReceivedPart[] = [];
    for (const part of parts) {
      const { start, length } = part;
      received.push({ start, length, received: (await this.readOffset(part)) ?? 0 });
    }
    return received.sort((left, right) => left.start - right.start || right.received - left.received);
  }

  /** The whole file where its parts cover it, else undefined. */
  async readWhole(sha256: string, sizeBytes: number): Promise<Readable | undefined> {
    const pieces: { path: string; start: number; end: number }[] = [];
    let covered = 0;
    for (const { start, length, received } of await this.list(sha256)) {
      const end = start + received;
      if (start > covered || end <= covered) continue;
      pieces.push({
        path: this.#pathOf({ sha256, start, length }),
        start: covered - start,
        end: Math.min(end, sizeBytes) - start - 1,
      });
      covered = end;
    }
    if (covered < sizeBytes) return undefined;
    return Readable.from(
      (async function* () {
        for (const { path, start, end } of pieces) yield* createReadStream(path, { start, end });
      })(),
      { objectMode: false },
    );
  }

  async remove(sha256: string): Promise<void> {
    for (const name of await this.#names()) {
      if (parseUploadPartId(name)?.sha256 === sha256) await rm(join(this.#folder, name), { force: true });
    }
  }

  /** Removes what has not grown since `beforeMs`, ms since 1970. Returns how many parts went. */
  async expire(beforeMs: number): Promise<number> {
    let removed = 0;
    for (const name of await this.#names()) {
      const path = join(this.#folder, name);
      const found = await stat(path).catch(() => undefined);
      if (found === undefined || found.mtimeMs >= beforeMs) continue;
      await rm(path, { force: true });
      removed++;
    }
    return removed;
  }

  #names(): Promise<string[]> {
    return this.#guard(() => readdir(this.#folder));
  }

  #pathOf(part: UploadPart): string {
    const id = buildUploadPartId(part);
    if (parseUploadPartId(id) === undefined)
      throw new NgatuError('REQUEST_INVALID', 'Cannot look for a part of an upload: not a part');
    return join(this.#folder, id);
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw asStorageError(error, `use upload folder "${this.#folder}"`);
    }
  }
}

async function receive(
  file: FileHandle,
  { offset, end }: { offset: number; end: number },
  content: Readable,
  onBytes: (count: number) => void,
): Promise<number> {
  let at = offset;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    if (at + chunk.length > end)
      throw new NgatuError('EVIDENCE_TOO_LARGE', `Cannot take more of a part than its ${end} bytes`);
    for (let written = 0; written < chunk.length; ) {
      const { bytesWritten } = await file.write(chunk, written, chunk.length - written, at);
      written += bytesWritten;
      at += bytesWritten;
    }
    onBytes(chunk.length);
  }
  return at;
}
