import { randomBytes } from 'node:crypto';
import type { EventRecord } from '../store/event-store.ts';
import type { PlateRecord } from '../store/plate-store.ts';
import type { CaseQuery, LegalHold, SubjectCase } from '../store/privacy-store.ts';
import type { CentreStores } from './centre-stores.ts';
import { findLegalFact, type LegalFact } from './legal-fact.ts';
import { computeWorkingDeadline, type PrivacyPolicy } from './privacy-policy.ts';
import { finishErasures } from './retention-run.ts';

/** A person asks what is kept of him, or that it be deleted. */
export interface SubjectRequest {
  readonly query: CaseQuery;
  /** Who handles it. */
  readonly handledBy: string;
  readonly nowMs: number;
  /** When the request came: its deadline runs from then. */
  readonly receivedMs: number;
  readonly policy: PrivacyPolicy;
}

interface OpenedRequest {
  readonly caseId: string;
  readonly acknowledgeBy: string;
  /** What the deadline stands on, and how sure that is. */
  readonly deadlineBasis: LegalFact;
}

export interface SubjectExport extends OpenedRequest {
  readonly schemaVersion: 1;
  readonly controller: PrivacyPolicy['controller'];
  readonly cases: readonly (EventRecord & {
    readonly holds: readonly LegalHold[];
    readonly plate?: PlateRecord;
  })[];
}

export interface SubjectErasure extends OpenedRequest {
  readonly found: number;
  readonly erased: number;
  readonly held: number;
}

const CASES_MAX = 1_000;

/** Writes down every case that the question fits, and records the request. What was asked is not kept: it names the person. */
export function exportForSubject({ events }: CentreStores, request: SubjectRequest): SubjectExport {
  const opened = openRequest({ events }, 'export', request);
  const cases = events.privacy.findCases(request.query, CASES_MAX).flatMap((eventId) => {
    const record = events.getEvent(eventId);
    const plate = events.plates.find(eventId);
    const holds = events.privacy.listHolds(eventId);
    return record === undefined ? [] : [{ ...record, holds, ...(plate === undefined ? {} : { plate }) }];
  });
  const closedAt = new Date(request.nowMs).toISOString();
  events.privacy.closeCase(opened.caseId, { closedAt, found: cases.length, outcome: 'exported' });
  return { schemaVersion: 1, ...opened, controller: request.policy.controller, cases };
}

/** Deletes every case that the question fits and that nobody holds, files and copies on the nodes too. */
export async function eraseForSubject(
  { events, evidence }: CentreStores,
  request: SubjectRequest & { readonly dryRun: boolean },
): Promise<SubjectErasure> {
  const { privacy } = events;
  const found = privacy.findCases(request.query, CASES_MAX);
  if (request.dryRun) {
    const held = found.filter((eventId) =>
      privacy.listHolds(eventId).some(({ liftedAt }) => liftedAt === undefined),
    );
    return { ...describeRequest('(dry run)', request), found: found.length, erased: 0, held: held.length };
  }
  const opened = openRequest({ events }, 'erase', request);
  const counts = { found: found.length, erased: 0, held: 0 };
  const closedAt = new Date(request.nowMs).toISOString();
  for (const eventId of found) {
    const erasure = { reason: opened.caseId, erasedBy: request.handledBy, erasedAt: closedAt };
    const outcome = privacy.erase(eventId, { cause: 'data-subject', ...erasure });
    if (outcome === 'erased') counts.erased += 1;
    if (outcome === 'held') counts.held += 1;
  }
  privacy.closeCase(opened.caseId, { closedAt, ...counts, outcome: 'erased' });
  await finishErasures({ events, evidence, clock: { nowMs: () => request.nowMs } });
  return { ...opened, ...counts };
}

/** Requests with their deadlines, newest first. */
export function listSubjectCases(
  { events }: Pick<CentreStores, 'events'>,
  nowMs: number,
): (SubjectCase & { readonly isLate: boolean })[] {
  return events.privacy.listCases(1_000).map((one) => ({
    ...one,
    isLate: one.acknowledgedAt === undefined && Date.parse(one.acknowledgeBy) < nowMs,
  }));
}

function openRequest(
  { events }: Pick<CentreStores, 'events'>,
  kind: SubjectCase['kind'],
  request: SubjectRequest,
): OpenedRequest {
  const opened = describeRequest(`dsr-${randomBytes(8).toString('hex')}`, request);
  const { caseId, acknowledgeBy } = opened;
  const receivedAt = new Date(request.receivedMs).toISOString();
  events.privacy.openCase({ caseId, kind, receivedAt, acknowledgeBy, handledBy: request.handledBy });
  // the answer that is printed is the acknowledgement
  events.privacy.acknowledgeCase(caseId, new Date(request.nowMs).toISOString());
  return opened;
}

function describeRequest(caseId: string, { receivedMs, policy }: SubjectRequest): OpenedRequest {
  const deadlineMs = computeWorkingDeadline(receivedMs, policy.acknowledgeWorkingDays);
  return {
    caseId,
    acknowledgeBy: new Date(deadlineMs).toISOString(),
    deadlineBasis: findLegalFact('acknowledge-request'),
  };
}
