import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import Database from 'better-sqlite3';
import type { Migration } from './migrations/migration.ts';

/** Longer than any transaction of the centre takes; the waiting process stands still meanwhile. */
const BUSY_TIMEOUT_MS = 2_000;
/** A larger file is not read through at every start; what is broken in it shows at the first query, by the same code. */
const CHECKED_AT_OPEN_MAX_BYTES = 256 * 1024 * 1024;

const CODE_BY_PREFIX = [
  ['SQLITE_CORRUPT', 'STORE_CORRUPT'],
  ['SQLITE_NOTADB', 'STORE_CORRUPT'],
  ['SQLITE_IOERR_SHORT_READ', 'STORE_CORRUPT'],
  ['SQLITE_FULL', 'DISK_FULL'],
  ['SQLITE_IOERR_WRITE', 'DISK_FULL'],
  ['SQLITE_IOERR_FSYNC', 'DISK_FULL'],
  ['SQLITE_BUSY', 'STORE_UNAVAILABLE'],
  ['SQLITE_LOCKED', 'STORE_UNAVAILABLE'],
  ['SQLITE_READONLY', 'PERMISSION_DENIED'],
  ['SQLITE_CANTOPEN', 'PERMISSION_DENIED'],
] as const;

/** What SQLite says at the opening where the file is none that the migrations in it made: of another form, or with other tables. */
const FOREIGN_FILE = /^SQLITE_(ERROR|CONSTRAINT|MISMATCH|SCHEMA|TOOBIG)/;

const CODE_BY_ERRNO = {
  EACCES: 'PERMISSION_DENIED',
  EPERM: 'PERMISSION_DENIED',
  ENOSPC: 'DISK_FULL',
} as const;

/** The product's error for a failure of SQLite or of the file system, or the error itself where it is another one. */
export function toStoreError(error: unknown, file: string): unknown {
  if (!(error instanceof Database.SqliteError)) return toFileError(error, file);
  const code = CODE_BY_PREFIX.find(([prefix]) => error.code.startsWith(prefix))?.[1] ?? 'INTERNAL';
  return new NgatuError(code, `Cannot use database "${file}": ${error.message} (${error.code})`, {
    retryable: code === 'DISK_FULL' || code === 'STORE_UNAVAILABLE',
    cause: error,
  });
}

/** As `toStoreError`, for what is done before the first query: the statements are ours, so what they fail at is the file. */
export function toOpenError(error: unknown, file: string): unknown {
  if (!(error instanceof Database.SqliteError && FOREIGN_FILE.test(error.code)))
    return toStoreError(error, file);
  return new NgatuError('STORE_CORRUPT', `Cannot use database "${file}": ${error.message} (${error.code})`, {
    cause: error,
  });
}

function toFileError(error: unknown, file: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const known = Object.entries(CODE_BY_ERRNO).find(([errno]) => errno === error.code);
  if (known === undefined) return error;
  return new NgatuError(known[1], `Cannot use database "${file}": ${error.message}`, { cause: error });
}

/**
 * Opens a database of the centre (WAL, synchronous FULL; several processes may hold it) and applies the migrations that
 * it has not seen. A corrupt one is never replaced: what it holds is evidence.
 * @throws NgatuError STORE_CORRUPT, STORE_UNAVAILABLE, PERMISSION_DENIED, DISK_FULL
 */
export function openCentreDatabase(file: string, migrations: readonly Migration[]): Database.Database {
  let database: Database.Database | undefined;
  try {
    mkdirSync(dirname(file), { recursive: true });
    database = new Database(file, { timeout: BUSY_TIMEOUT_MS });
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    // what is deleted is overwritten, also the pages that an update leaves behind
    database.pragma('secure_delete = ON');
    database.pragma('journal_size_limit = 67108864');
    if (statSync(file).size <= CHECKED_AT_OPEN_MAX_BYTES) {
      const verdict = database.pragma('quick_check(1)', { simple: true });
      if (verdict !== 'ok')
        throw new NgatuError('STORE_CORRUPT', `Cannot use database "${file}": ${verdict}`);
    }
    migrate(database, migrations);
    return database;
  } catch (error) {
    database?.close();
    throw toOpenError(error, file);
  }
}

function migrate(database: Database.Database, migrations: readonly Migration[]): void {
  const apply = database.transaction(() => {
    database.exec(
      'CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL) WITHOUT ROWID',
    );
    const isApplied = database.prepare('SELECT 1 FROM migration WHERE name = ?');
    const remember = database.prepare(
      `INSERT INTO migration (name, applied_at) VALUES (?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))`,
    );
    for (const { name, sql } of migrations) {
      if (isApplied.get(name) !== undefined) continue;
      database.exec(sql);
      remember.run(name);
    }
  });
  apply.immediate();
}
