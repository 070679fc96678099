import { buildCentrePaths } from '../store/centre-path.ts';
import { FolderEvidenceStore } from '../store/folder-evidence-store.ts';
import { SqliteEventStore } from '../store/sqlite-event-store.ts';

/** What commands of privacy work on; the ingestor and the API may hold the same stores. */
export interface CentreStores {
  readonly events: SqliteEventStore;
  readonly evidence: FolderEvidenceStore;
}

/** @throws NgatuError STORE_CORRUPT, STORE_UNAVAILABLE, PERMISSION_DENIED, DISK_FULL */
export async function openCentreStores(dataDir: string): Promise<CentreStores & AsyncDisposable> {
  const paths = buildCentrePaths(dataDir);
  const evidence = await FolderEvidenceStore.open(paths.evidence);
  const events = SqliteEventStore.open(paths.events);
  return {
    events,
    evidence,
    async [Symbol.asyncDispose]() {
      events[Symbol.dispose]();
    },
  };
}
