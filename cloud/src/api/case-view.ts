import { isAllowed, MAY } from '../account/permission.ts';
import type { Session } from '../account/session-store.ts';
import type { EventSummary } from './api-schema.ts';

/** A case in a list as this person may see it: without its picture and its plate for whoever may not open cases. */
export function describeSummaryFor(session: Pick<Session, 'roles'>, summary: EventSummary): EventSummary {
  if (isAllowed(session, MAY.readCase)) return summary;
  const { stillSha256: _picture, plate: _plate, ...rest } = summary;
  return rest;
}
