import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';
import Database from 'better-sqlite3';

const OUTBOX_SCHEMA_VERSION = 1;

/** AUTOINCREMENT: a number is never given twice, also after its row was deleted. */
const SCHEMA = `
CREATE TABLE identity (outbox_id TEXT NOT NULL);
CREATE TABLE entry (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  channel TEXT NOT NULL,
  event_id TEXT,
  drop_record INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  body TEXT NOT NULL
);
CREATE TABLE usage (entries INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO usage VALUES (0, 0);
CREATE TRIGGER entry_inserted AFTER INSERT ON entry BEGIN
  UPDATE usage SET entries = entries + 1, bytes = bytes + new.size_bytes;
END;
CREATE TRIGGER entry_deleted AFTER DELETE ON entry BEGIN
  UPDATE usage SET entries = entries - 1, bytes = bytes - old.size_bytes;
END;
CREATE INDEX entry_droppable ON entry (seq) WHERE channel = 'telemetry';
CREATE INDEX entry_event ON entry (event_id) WHERE event_id IS NOT NULL;
CREATE TABLE recent_event (ordinal INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL UNIQUE);
CREATE TABLE rejected (
  seq INTEGER PRIMARY KEY,
  channel TEXT NOT NULL,
  body TEXT NOT NULL,
  code TEXT NOT NULL,
  reason TEXT NOT NULL,
  rejected_at_ms INTEGER NOT NULL
);
CREATE TABLE evidence_job (
  event_id TEXT PRIMARY KEY,
  camera TEXT NOT NULL,
  session TEXT NOT NULL,
  media_time_ms REAL NOT NULL,
  captured_at_ms REAL NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE upload (
  ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
  sha256 TEXT NOT NULL UNIQUE,
  path TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending',
  code TEXT,
  reason TEXT
);
CREATE TABLE mark (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`;

const CODE_BY_PREFIX = [
  ['SQLITE_CORRUPT', 'OUTBOX_CORRUPT'],
  ['SQLITE_NOTADB', 'OUTBOX_CORRUPT'],
  ['SQLITE_FULL', 'DISK_FULL'],
  ['SQLITE_IOERR_SHORT_READ', 'OUTBOX_CORRUPT'],
  ['SQLITE_IOERR_WRITE', 'DISK_FULL'],
  ['SQLITE_IOERR_FSYNC', 'DISK_FULL'],
  ['SQLITE_BUSY', 'OUTBOX_LOCKED'],
  ['SQLITE_READONLY', 'PERMISSION_DENIED'],
  ['SQLITE_CANTOPEN', 'PERMISSION_DENIED'],
  ['SQLITE_PERM', 'PERMISSION_DENIED'],
] as const;

/** The product's error for a failure of SQLite, or the error itself where it is another one. */
export function toOutboxError(error: unknown, file: string): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const known = CODE_BY_PREFIX.find(([prefix]) => error.code.startsWith(prefix));
  const code = known?.[1] ?? 'INTERNAL';
  const retryable = code === 'DISK_FULL' || code === 'OUTBOX_LOCKED';
  return new NgatuError(code, `Cannot use outbox "${file}": ${error.message} (${error.code})`, {
    retryable,
    cause: error,
  });
}

function openChecked(file: string): Database.Database {
  const database = new Database(file, { timeout: 2_000 });
  try {
    database.pragma('locking_mode = EXCLUSIVE');
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('journal_size_limit = 16777216');
    const verdict = database.pragma('quick_check(1)', { simple: true });
    if (verdict !== 'ok') throw new NgatuError('OUTBOX_CORRUPT', `Cannot use outbox "${file}": ${verdict}`);
    prepareSchema(database, file);
    return database;
  } catch (error) {
    database.close();
    throw toOutboxError(error, file);
  }
}

function prepareSchema(database: Database.Database, file: string): void {
  const version = database.pragma('user_version', { simple: true });
  if (version === OUTBOX_SCHEMA_VERSION) return;
  if (version !== 0) {
    throw new NgatuError(
      'INTERNAL',
      `Cannot use outbox "${file}": written by version ${version} of its schema`,
    );
  }
  const create = database.transaction(() => {
    database.exec(SCHEMA);
    database.prepare('INSERT INTO identity (outbox_id) VALUES (?)').run(randomUUID());
    database.pragma(`user_version = ${OUTBOX_SCHEMA_VERSION}`);
  });
  create.immediate();
}

/**
 * Opens the file for this process alone. A corrupt one is moved aside with its journal, never deleted, and a new one is
 * begun; `movedAside` then names where it lies.
 * @throws NgatuError OUTBOX_LOCKED, PERMISSION_DENIED, DISK_FULL
 */
export function openOutboxDatabase(
  file: string,
  nowMs: number,
): { database: Database.Database; movedAside?: { file: string; reason: string } } {
  mkdirSync(dirname(file), { recursive: true });
  try {
    return { database: openChecked(file) };
  } catch (error) {
    if (!(error instanceof NgatuError) || error.code !== 'OUTBOX_CORRUPT') throw error;
    const aside = `${file}.corrupt-${new Date(nowMs).toISOString().replaceAll(':', '')}`;
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
    }
    return { database: openChecked(file), movedAside: { file: aside, reason: errorMessage(error) } };
  }
}
