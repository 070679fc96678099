import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type Database from 'better-sqlite3';
import type { Migration } from '../store/migrations/migration.ts';
import { openCentreDatabase, toStoreError } from '../store/sqlite-database.ts';

const createAccounts: Migration = {
  name: '001-account',
  sql: `
CREATE TABLE account (
  username TEXT PRIMARY KEY,
  role TEXT NOT NULL CHECK (role IN ('admin', 'operator', 'reviewer')),
  password_hash TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;
CREATE TABLE session (
  token_sha256 BLOB PRIMARY KEY,
  username TEXT NOT NULL REFERENCES account (username) ON DELETE CASCADE,
  created_at_ms INTEGER NOT NULL,
  last_used_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX session_by_age ON session (created_at_ms);
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  actor TEXT,
  action TEXT NOT NULL,
  target TEXT,
  detail TEXT,
  address TEXT
) STRICT;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
`,
};

/** SQLite gives its journal the mode of the database, so the mode must stand before the first page is written. */
function createPrivateFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    closeSync(openSync(path, 'a', 0o600));
  } catch (error) {
    throw toStoreError(error, path);
  }
}

/**
 * Opens the database of accounts, sessions and the audit trail; makes it (mode 0600) where there is none. The caller closes it.
 * @throws NgatuError PERMISSION_DENIED, DISK_FULL, STORE_CORRUPT, STORE_UNAVAILABLE
 */
export function openAccountDatabase(path: string): Database.Database {
  createPrivateFile(path);
  return openCentreDatabase(path, [createAccounts]);
}
