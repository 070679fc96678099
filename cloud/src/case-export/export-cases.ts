import { join } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import { openAccess } from '../account/access.ts';
import { openAccountDatabase } from '../account/account-database.ts';
import { buildAccountsPath } from '../account/first-account.ts';
import { buildCentrePaths } from '../store/centre-path.ts';
import { FolderEvidenceStore } from '../store/folder-evidence-store.ts';
import { SqliteEventStore } from '../store/sqlite-event-store.ts';
import { type CaseExportRequest, openCaseExport } from './case-export.ts';

export interface FolderExport extends CaseExportRequest {
  /** Data folder of the centre, which may be running. */
  readonly dataDir: string;
  readonly withOriginals: boolean;
}

/** The bytes of an export; dispose of it when they are written. */
export interface OpenedExport extends AsyncDisposable {
  readonly bytes: AsyncIterable<Uint8Array>;
}

/**
 * Exports cases of a centre whose data folder lies on this machine: for whoever keeps the machine, past the roles of the console. It
 * is recorded in the audit trail like any other.
 * @throws NgatuError REQUEST_INVALID, NOT_FOUND, SEAL_MISSING, IDENTITY_INVALID, STORE_CORRUPT, PERMISSION_DENIED
 */
export async function exportCases({
  dataDir,
  withOriginals,
  ...request
}: FolderExport): Promise<OpenedExport> {
  if (request.reason.trim().length < 3)
    throw new NgatuError('REQUEST_INVALID', 'Cannot export: the reason needs at least 3 characters');
  const paths = buildCentrePaths(dataDir);
  const events = SqliteEventStore.open(paths.events);
  const database = openAccountDatabase(buildAccountsPath(dataDir));
  const close = (): void => {
    events[Symbol.dispose]();
    database.close();
  };
  try {
    const evidence = await FolderEvidenceStore.open(paths.evidence);
    const bytes = await openCaseExport(
      { events, evidence, mayOpenOriginals: () => withOriginals },
      { ...request, identityDir: join(dataDir, 'identity') },
    );
    const { audit } = openAccess(database, () => Date.parse(request.exportedAt));
    const detail = withOriginals ? 'with originals' : 'without originals';
    for (const target of request.eventIds)
      audit.append({
        actor: request.exportedBy,
        action: 'case-export',
        target,
        detail,
        reason: request.reason,
      });
    return { bytes, [Symbol.asyncDispose]: async () => close() };
  } catch (error) {
    close();
    throw error;
  }
}
