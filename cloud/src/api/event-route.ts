import { NgatuError, resolveLaw } from '@ngatu/contract';
import { Type } from '@sinclair/typebox';
import { isAllowed, MAY } from '../account/permission.ts';
import type { Session } from '../account/session-store.ts';
import type { EventFilter, EventRecord, ReviewState, EventPage as StoredPage } from '../store/event-store.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { RequestRefused, refuseInvalid } from './api-error.ts';
import {
  type EventDetail,
  EventPage,
  EventParams,
  EventQuery,
  type LawReading,
  ReviewRequest,
} from './api-schema.ts';
import { requireEventInScope, scopeSites } from './area-scope.ts';
import { describeSummaryFor } from './case-view.ts';
import { requestOriginals } from './original-route.ts';
import { refusals } from './refusal-schema.ts';
import { parseInstant } from './request-validation.ts';
import { describeSeal } from './seal-view.ts';
import { requireSession } from './session-guard.ts';

const EventDetailRef = Type.Unsafe<EventDetail>({ $ref: 'EventDetail#' });

function reviewStateOf(record: EventRecord): ReviewState {
  return record.reviews.at(-1)?.decision ?? 'open';
}

function describeEvent({ events }: Pick<ApiDeps, 'events'>, record: EventRecord): EventDetail {
  const { event, ingestedAt, evidence, reviews } = record;
  const seal = events.receipts.find(event.eventId);
  return {
    event,
    ingestedAt,
    review: reviewStateOf(record),
    ...(evidence === undefined ? {} : { evidence: { ...evidence, files: [...evidence.files] } }),
    ...(seal === undefined ? {} : { seal: describeSeal(seal) }),
    reviews: [...reviews],
    laws: listReadings(event).map((kind) => readLaw(event, kind)),
  };
}

/** How the case may be read: as it was flagged, and each alternative once. Nobody reads a case that was let pass. */
function listReadings({ letPass, kind, alternatives }: EventRecord['event']): LawReading['kind'][] {
  return letPass === undefined ? [...new Set([kind, ...alternatives])] : [];
}

/** What the law in force at the instant of the case says of it, read as `kind`. */
function readLaw(
  { subject, measures, capturedAt }: EventRecord['event'],
  kind: LawReading['kind'],
): LawReading {
  const { label } = subject;
  const { state, rows, lapsesAtMs } = resolveLaw({ kind, label, measures, atMs: Date.parse(capturedAt) });
  return { kind, state, rows: [...rows], lapsesAt: new Date(lapsesAtMs).toISOString() };
}

/** @throws NgatuError REQUEST_INVALID where the cursor is none of the store */
function listEvents(deps: ApiDeps, filter: EventFilter): StoredPage {
  try {
    return deps.events.listEvents(filter);
  } catch (error) {
    if (!(error instanceof NgatuError) || error.code !== 'REQUEST_INVALID') throw error;
    throw refuseInvalid([{ path: '/query/cursor', reason: error.message }]);
  }
}

/** A first decision is any reviewer's; to decide otherwise than somebody else did takes a supervisor. */
function requireMayDecide({ username, roles }: Session, { reviews }: EventRecord): void {
  const last = reviews.at(-1);
  if (last === undefined || last.reviewer === username) return;
  if (isAllowed({ roles }, MAY.overruleCase)) return;
  throw new NgatuError(
    'FORBIDDEN',
    'Cannot decide the case: it was decided by another; that needs a supervisor',
  );
}

function addListRoute(app: ApiApp, deps: ApiDeps): void {
  app.get(
    '/events',
    {
      config: { access: MAY.listCases },
      schema: {
        summary: 'Events, newest first, page by page',
        tags: ['events'],
        querystring: EventQuery,
        response: { 200: EventPage, ...refusals(400, 401, 403) },
      },
    },
    async (request) => {
      const session = requireSession(request);
      const { letPass, ...query } = request.query;
      const sites = scopeSites(session);
      const filter: EventFilter = {
        ...query,
        ...(letPass === 'with' ? {} : { letPass: letPass === 'only' }),
        ...(sites === undefined ? {} : { sites }),
      };
      if (filter.from !== undefined) parseInstant(filter.from, '/query/from');
      if (filter.to !== undefined) parseInstant(filter.to, '/query/to');
      const page = listEvents(deps, filter);
      return { ...page, items: page.items.map((summary) => describeSummaryFor(session, summary)) };
    },
  );
}

function addDetailRoute(app: ApiApp, deps: ApiDeps): void {
  app.get(
    '/events/:eventId',
    {
      config: { access: MAY.readCase },
      schema: {
        summary: 'One event with its evidence and decisions; the reading is recorded',
        tags: ['events'],
        params: EventParams,
        response: { 200: EventDetailRef, ...refusals(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const { eventId } = request.params;
      const session = requireSession(request);
      const record = requireEventInScope(deps.events, session, eventId);
      const { username } = session;
      deps.audit.append({ actor: username, action: 'event-read', target: eventId, address: request.ip });
      return describeEvent(deps, record);
    },
  );
}

function addReviewRoute(app: ApiApp, deps: ApiDeps): void {
  app.post(
    '/events/:eventId/reviews',
    {
      config: { access: MAY.decideCase },
      schema: {
        summary: 'Decide a case',
        tags: ['events'],
        params: EventParams,
        body: ReviewRequest,
        response: { 201: EventDetailRef, ...refusals(400, 401, 403, 404, 409) },
      },
    },
    async (request, reply) => {
      const { eventId } = request.params;
      const { decision, expectedReviews } = request.body;
      const reason = request.body.reason.trim();
      if (reason.length < 3) {
        throw refuseInvalid([
          { path: '/body/reason', reason: 'Expected at least 3 characters that are not space' },
        ]);
      }
      const session = requireSession(request);
      const { username } = session;
      const seen = requireEventInScope(deps.events, session, eventId);
      // Who has not seen the newest decision is told of it below.
      if (seen.reviews.length === expectedReviews) requireMayDecide(session, seen);
      const review = { decision, reason, reviewer: username, decidedAt: new Date(deps.now()).toISOString() };
      const outcome = deps.events.appendReview(eventId, review, expectedReviews);
      const record = outcome === 'unknown-event' ? undefined : deps.events.getEvent(eventId);
      if (record === undefined) throw new NgatuError('NOT_FOUND', `There is no event "${eventId}"`);
      const detail = `${decision}: ${outcome}`;
      deps.audit.append({ actor: username, action: 'review', target: eventId, detail, address: request.ip });
      if (outcome === 'let-pass') {
        throw new NgatuError(
          'EVENT_LET_PASS',
          'Cannot decide the case: it was let pass, and nobody is flagged',
        );
      }
      if (outcome === 'conflict') {
        throw new RequestRefused(
          'REVIEW_CONFLICT',
          'Cannot decide the case: somebody else has decided it meanwhile',
          {
            details: { reviews: record.reviews },
          },
        );
      }
      if (decision === 'confirmed')
        requestOriginals(deps, record, { cause: 'automatic', requestedBy: username, reason });
      return reply.status(201).send(describeEvent(deps, deps.events.getEvent(eventId) ?? record));
    },
  );
}

export function addEventRoutes(app: ApiApp, deps: ApiDeps): void {
  addListRoute(app, deps);
  addDetailRoute(app, deps);
  addReviewRoute(app, deps);
}
