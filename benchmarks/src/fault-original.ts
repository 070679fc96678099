import { SqliteEventStore } from '@ngatu/cloud';
import { isOriginalRole } from '@ngatu/contract';
import { demandOriginal } from './original-demand.ts';

/** Of so many newest cases the originals are asked for. */
const NEWEST = 5;

/**
 * Asks for the originals of the newest cases that still lie on their nodes. Gives how many were asked for.
 * @throws NgatuError where the store cannot be opened
 */
export function askForOriginals(events: string, nowMs: number): number {
  using store = SqliteEventStore.open(events);
  let asked = 0;
  for (const { eventId, site, node } of store.listEvents({ limit: NEWEST }).items) {
    const { files = [] } = store.getEvent(eventId)?.evidence ?? {};
    for (const { sha256, role, arrived } of files) {
      if (arrived || !isOriginalRole(role)) continue;
      demandOriginal(store, { sha256, eventId, site, node }, nowMs);
      asked += 1;
    }
  }
  return asked;
}
