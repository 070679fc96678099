import type {
  PlateJudgementRequest,
  PlateSearchAnswer,
  PlateSearchRequest,
  PlateStatus,
} from '../../src/api/plate-schema.ts';
import { call } from './api-client.ts';

/** The plate of a case in full; the centre records who asked. */
export function fetchPlate(eventId: string, signal: AbortSignal): Promise<PlateStatus> {
  return call<PlateStatus>('GET', `/events/${eventId}/plate`, { signal });
}

export function judgePlate(eventId: string, body: PlateJudgementRequest): Promise<PlateStatus> {
  return call<PlateStatus>('POST', `/events/${eventId}/plate/judgements`, { body });
}

/** The plate goes in the body: an address is kept by browsers and proxies. */
export async function searchPlates(body: PlateSearchRequest): Promise<PlateSearchAnswer['items']> {
  return (await call<PlateSearchAnswer>('POST', '/plates/search', { body })).items;
}
