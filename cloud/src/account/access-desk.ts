import { existsSync } from 'node:fs';
import { NgatuError, parseWithSchema } from '@ngatu/contract';
import Database from 'better-sqlite3';
import { toStoreError } from '../store/sqlite-database.ts';
import { openAccess } from './access.ts';
import { openAccountDatabase } from './account-database.ts';
import { AccountOffice } from './account-office.ts';
import type { AccountRecord } from './account-store.ts';
import { type Area, AreaFile } from './area-tree.ts';
import { AuditAnchor } from './audit-anchor.ts';
import type { AuditFilter, AuditRecord } from './audit-trail.ts';
import { AuditTrail } from './audit-trail.ts';
import { type AuditReport, verifyAuditTrail } from './audit-verification.ts';
import { buildAccountsPath } from './first-account.ts';

/** Accounts and trail of a centre for the command line; the centre may run meanwhile. */
export interface AccessDesk extends Disposable {
  readonly office: AccountOffice;
  listAccounts(): AccountRecord[];
  listAreas(): Area[];
  /** Takes what `AreaFile` describes. @throws NgatuError REQUEST_INVALID with the path and the reason */
  replaceAreas(file: unknown, actor: string): void;
}

/** What only reads does not bring the database to the newest schema either: what is examined stays as it is. */
function openForReading(path: string): Database.Database {
  try {
    const database = new Database(path, { readonly: true, fileMustExist: true, timeout: 5_000 });
    const columns = database.pragma('table_info(audit)') as { name: string }[];
    if (columns.some(({ name }) => name === 'digest')) return database;
    database.close();
  } catch (error) {
    throw toStoreError(error, path);
  }
  throw new NgatuError(
    'STORE_CORRUPT',
    `Cannot read the trail of "${path}": it is none, or older than its chain (start the centre once)`,
  );
}

function requireFolder(dataDir: string): string {
  const path = buildAccountsPath(dataDir);
  if (existsSync(path)) return path;
  throw new NgatuError('FILE_UNREADABLE', `Cannot find the accounts of a centre: ${path} is not there`);
}

/**
 * `dataDir` is that of the centre.
 * @throws NgatuError FILE_UNREADABLE, STORE_CORRUPT, STORE_UNAVAILABLE, PERMISSION_DENIED
 */
export function openAccessDesk(dataDir: string): AccessDesk {
  const database = openAccountDatabase(requireFolder(dataDir));
  const access = openAccess(database, Date.now);
  return {
    office: new AccountOffice(access),
    listAccounts: () => access.accounts.listAccounts(),
    listAreas: () => access.areas.list(),
    replaceAreas: (file, actor) => {
      const { areas } = parseWithSchema(AreaFile, file, { code: 'REQUEST_INVALID', what: 'areas' });
      access.accounts.transact(() => {
        access.areas.replace(areas);
        access.audit.append({ actor, action: 'areas-change', detail: JSON.stringify(areas).slice(0, 4_000) });
      });
    },
    [Symbol.dispose]: () => {
      try {
        new AuditAnchor(dataDir).write(database, Date.now());
      } finally {
        database.close();
      }
    },
  };
}

/** Proves the trail of a centre without changing a byte of it. @throws as `openAccessDesk` */
export async function verifyAuditOf(dataDir: string): Promise<AuditReport> {
  const database = openForReading(requireFolder(dataDir));
  try {
    return await verifyAuditTrail(database, new AuditAnchor(dataDir));
  } finally {
    database.close();
  }
}

/** Rows of the trail, newest first. @throws as `openAccessDesk` */
export function listAuditOf(dataDir: string, filter: AuditFilter): AuditRecord[] {
  const database = openForReading(requireFolder(dataDir));
  try {
    return new AuditTrail(database, Date.now).find(filter);
  } finally {
    database.close();
  }
}
