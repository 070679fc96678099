import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type Database from 'better-sqlite3';
import { openCentreDatabase, toOpenError, toStoreError } from '../store/sqlite-database.ts';
import { AuditAnchor } from './audit-anchor.ts';
import { chainOlderRows } from './audit-chain.ts';
import { ACCOUNT_MIGRATIONS } from './migration.ts';

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
  const database = openCentreDatabase(path, ACCOUNT_MIGRATIONS);
  try {
    chainOlderRows(database);
    new AuditAnchor(dirname(path)).begin(database, Date.now());
    return database;
  } catch (error) {
    database.close();
    throw toOpenError(error, path);
  }
}
