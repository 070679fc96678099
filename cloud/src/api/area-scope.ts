import { type EvidenceFile, NgatuError } from '@ngatu/contract';
import type { Session } from '../account/session-store.ts';
import type { EventRecord, EventStore } from '../store/event-store.ts';

/**
 * Scope by area. An account holds areas, an area holds sites: whatever names a site, a node, a camera, an event or a file
 * goes through here. What lies outside the scope is answered exactly as what does not exist.
 */

type Scoped = Pick<Session, 'sites'>;

/** The filter for a store: the sites that the person may see, or undefined where that is all of them. */
export function scopeSites({ sites }: Scoped): readonly string[] | undefined {
  return sites === 'all' ? undefined : sites;
}

export function isSiteInScope({ sites }: Scoped, site: string): boolean {
  return sites === 'all' || sites.includes(site);
}

/** Keeps what lies at a site of the person's areas. */
export function keepInScope<T extends { readonly site: string }>(session: Scoped, items: readonly T[]): T[] {
  return items.filter(({ site }) => isSiteInScope(session, site));
}

/** @throws NgatuError NOT_FOUND where the event is unknown or lies outside the person's areas */
export function requireEventInScope(
  events: Pick<EventStore, 'getEvent'>,
  session: Scoped,
  eventId: string,
): EventRecord {
  const record = events.getEvent(eventId);
  if (record === undefined || !isSiteInScope(session, record.event.site))
    throw new NgatuError('NOT_FOUND', `There is no event "${eventId}"`);
  return record;
}

/**
 * What an evidence manifest says of a file, and the event that it belongs to: of those in the person's areas.
 * @throws NgatuError EVIDENCE_UNKNOWN where no manifest of an event in the person's areas announced it
 */
export function requireEvidenceInScope(
  events: Pick<EventStore, 'findEvidence'>,
  session: Scoped,
  sha256: string,
): { readonly eventId: string; readonly file: EvidenceFile } {
  const announced = events.findEvidence(sha256, scopeSites(session));
  if (announced === undefined)
    throw new NgatuError('EVIDENCE_UNKNOWN', 'Cannot show the file: no evidence manifest announced it');
  return announced;
}

/** @throws NgatuError NOT_FOUND where the camera lies outside the person's areas */
export function requireCameraInScope(
  session: Scoped,
  { site, node, camera }: { readonly site: string; readonly node: string; readonly camera: string },
): void {
  if (!isSiteInScope(session, site))
    throw new NgatuError('NOT_FOUND', `There is no camera "${camera}" of node "${site}/${node}"`);
}
