import { closeSync, copyFileSync, fstatSync, openSync, readSync, truncateSync } from 'node:fs';

/** Half of what one part may keep on disk. */
const MAX_BYTES = 8 * 1024 * 1024;
const TAIL_BYTES = 4_096;

/**
 * The log of one part: an append-only file that its process writes to directly, so that it can go on writing whatever
 * happens to the supervisor. What grew over the limit is moved to `.1`; the file is emptied in place.
 */
export class LogFile {
  readonly path: string;
  readonly descriptor: number;

  constructor(path: string) {
    this.path = path;
    this.descriptor = openSync(path, 'a+', 0o600);
  }

  /** Size now, bytes: the mark from which `readFrom` reads. */
  get sizeBytes(): number {
    return fstatSync(this.descriptor).size;
  }

  rotate(): void {
    if (this.sizeBytes <= MAX_BYTES) return;
    copyFileSync(this.path, `${this.path}.1`);
    truncateSync(this.path);
  }

  /** The last lines that were written after `mark`, at most 4 kB. */
  readFrom(mark: number): string[] {
    const size = this.sizeBytes;
    const start = Math.max(size - TAIL_BYTES, Math.min(mark, size));
    const buffer = Buffer.alloc(size - start);
    readSync(this.descriptor, buffer, 0, buffer.length, start);
    return buffer
      .toString()
      .split('\n')
      .filter((line) => line.trim() !== '');
  }

  close(): void {
    closeSync(this.descriptor);
  }
}
