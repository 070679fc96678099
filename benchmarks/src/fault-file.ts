import { randomBytes } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Stretch } from './fault-campaign-blind.ts';

/** A file and when it was last written, ms since 1970. */
interface FoundFile {
  readonly path: string;
  readonly mtimeMs: number;
  readonly sizeBytes: number;
}

/** Every file below a folder, newest first. What goes while it is listed is left out. */
export function listFiles(folder: string): FoundFile[] {
  const found: FoundFile[] = [];
  const visit = (at: string) => {
    for (const entry of existsSync(at) ? readdirSync(at, { withFileTypes: true }) : []) {
      const path = join(at, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (entry.isFile()) {
        const state = statSync(path, { throwIfNoEntry: false });
        if (state !== undefined) found.push({ path, mtimeMs: state.mtimeMs, sizeBytes: state.size });
      }
    }
  };
  visit(folder);
  return found.sort((a, b) => b.mtimeMs - a.mtimeMs);
}

const JOURNAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/**
 * Where the records of a file end. SQLite writes its journal from the beginning again after each checkpoint and leaves the older frames
 * behind; what belongs to this round bears the salt of the header (file format, section 4.1). Any other file ends where it ends.
 */
function findEnd(path: string): number {
  const { size } = statSync(path);
  if (!path.endsWith('-wal') || size < JOURNAL_HEADER_BYTES) return size;
  const file = openSync(path, 'r');
  try {
    const header = Buffer.alloc(JOURNAL_HEADER_BYTES);
    readSync(file, header, 0, header.length, 0);
    const frameBytes = FRAME_HEADER_BYTES + header.readUInt32BE(8);
    const salt = header.subarray(16, 24);
    const frame = Buffer.alloc(FRAME_HEADER_BYTES);
    for (let at = JOURNAL_HEADER_BYTES; ; at += frameBytes) {
      const isWhole = at + frameBytes <= size && readSync(file, frame, 0, frame.length, at) === frame.length;
      if (!isWhole || !frame.subarray(8, 16).equals(salt)) return at;
    }
  } finally {
    closeSync(file);
  }
}

function writeNoise(path: string, at: number, length: number): void {
  const file = openSync(path, 'r+');
  try {
    writeSync(file, randomBytes(length), 0, length, at);
  } finally {
    closeSync(file);
  }
}

/**
 * What a write that power cut short leaves behind the last whole record: noise, of which nothing was ever promised. Returns how many
 * bytes.
 */
export function tearTail(path: string, random: () => number): number {
  const length = 64 + Math.floor(random() * 8_000);
  writeNoise(path, findEnd(path), length);
  return length;
}

/** Noise over the last bytes that were written and promised: what a bad disk does. Returns how many bytes. */
export function damageTail(path: string, random: () => number): number {
  const end = findEnd(path);
  const length = Math.min(end, 64 + Math.floor(random() * 40_000));
  writeNoise(path, end - length, length);
  return length;
}

/** What waits in an outbox, and which events it knows. */
export interface OutboxContent {
  readonly seqs: ReadonlySet<number>;
  readonly eventIds: ReadonlySet<string>;
}

/** Reads a database whose processes are dead from a copy, so that nothing of it is healed or changed. Undefined where it is unreadable. */
function readCopy<T>(file: string, read: (database: Database.Database) => T): T | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'ngatu-copy-'));
  try {
    const copy = join(folder, 'copy.sqlite');
    for (const suffix of ['', '-wal'])
      if (existsSync(file + suffix)) copyFileSync(file + suffix, copy + suffix);
    const database = new Database(copy);
    try {
      return read(database);
    } finally {
      database.close();
    }
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error;
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function readOutboxContent(file: string): OutboxContent {
  const content = readCopy(file, (database) => {
    const seqs = database.prepare<[], { seq: number }>('SELECT seq FROM entry').all();
    const ids = database.prepare<[], { id: string }>('SELECT event_id AS id FROM recent_event').all();
    return { seqs: new Set(seqs.map(({ seq }) => seq)), eventIds: new Set(ids.map(({ id }) => id)) };
  });
  return content ?? { seqs: new Set(), eventIds: new Set() };
}

/** Every interval of cameras in the event store of a centre that is down. */
export function readStoredIntervals(file: string): Stretch[] {
  const sql = 'SELECT from_ms AS fromMs, to_ms AS toMs FROM camera_interval';
  return readCopy(file, (database) => database.prepare<[], Stretch>(sql).all()) ?? [];
}

/** What of it is no longer there. */
export function findDestroyed(
  before: OutboxContent,
  after: OutboxContent,
): { seqs: number[]; eventIds: string[] } {
  return {
    seqs: [...before.seqs].filter((seq) => !after.seqs.has(seq)),
    eventIds: [...before.eventIds].filter((id) => !after.eventIds.has(id)),
  };
}
