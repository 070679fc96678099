import { setTimeout as delay } from 'node:timers/promises';
import { buildCentrePaths, SqliteEventStore } from '@ngatu/cloud';

/** What the API part says once: the first event that was committed since it began. */
export interface FirstEventNotice {
  readonly kind: 'first-event';
  readonly eventId: string;
  readonly eventKind: string;
  readonly camera: string;
  readonly ingestedAt: string;
}

const POLL_MS = 250;
const CHANGES_AT_ONCE = 100;

/** Watches the event store until the first event is committed that was not there before. */
export async function watchFirstEvent(
  dataDir: string,
  notify: (notice: FirstEventNotice) => void,
  signal: AbortSignal,
): Promise<void> {
  using events = SqliteEventStore.open(buildCentrePaths(dataDir).events);
  const since = new Date().toISOString();
  let seen = events.latestChange();
  while (!signal.aborted) {
    for (const { change, event } of events.listChanges(seen, CHANGES_AT_ONCE)) {
      seen = change;
      if (event.ingestedAt < since) continue;
      const { eventId, kind: eventKind, camera, ingestedAt } = event;
      return notify({ kind: 'first-event', eventId, eventKind, camera, ingestedAt });
    }
    // Rejects only when the part stops, and then the loop ends.
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}
