import { randomBytes } from 'node:crypto';
import { EventId, NgatuError } from '@ngatu/contract';
import { Type } from '@sinclair/typebox';
import { MAY } from '../account/permission.ts';
import { DEFAULT_PRIVACY_POLICY } from '../privacy/privacy-policy.ts';
import type { Opening } from '../store/privacy-store.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { refuseInvalid } from './api-error.ts';
import { EventParams } from './api-schema.ts';
import { requireEventInScope } from './area-scope.ts';
import { OpeningDecision, OpeningList, OpeningRequest, OpeningStatus } from './opening-schema.ts';
import { refusals } from './refusal-schema.ts';
import { requireSession } from './session-guard.ts';

const closed = { additionalProperties: false } as const;
const OpeningParams = Type.Object(
  { eventId: EventId, openingId: Type.String({ pattern: '^op-[0-9a-f]{24}$' }) },
  closed,
);

const MINUTE_MS = 60_000;
const WAITING_LISTED = 200;

function describe({ decision, ...opening }: Opening, at: string): OpeningStatus {
  const { openUntil, lapsesAt } = opening;
  if (decision === 'refused') return { ...opening, state: 'refused' };
  if (decision === 'granted')
    return { ...opening, state: openUntil !== undefined && openUntil > at ? 'open' : 'closed' };
  return { ...opening, state: lapsesAt > at ? 'waiting' : 'lapsed' };
}

function readReason(text: string): string {
  const reason = text.trim();
  if (reason.length >= 3) return reason;
  throw refuseInvalid([
    { path: '/body/reason', reason: 'Expected at least 3 characters that are not space' },
  ]);
}

const policyOf = (deps: ApiDeps) => deps.privacyPolicy?.() ?? DEFAULT_PRIVACY_POLICY;
const instantOf = (deps: ApiDeps, inMs = 0) => new Date(deps.now() + inMs).toISOString();

function addListRoutes(app: ApiApp, deps: ApiDeps): void {
  const { privacy } = deps.events;
  app.get(
    '/events/:eventId/openings',
    {
      config: { access: MAY.readCase },
      schema: {
        summary: 'Who asked to see the original of a case, why, and who agreed',
        tags: ['privacy'],
        params: EventParams,
        response: { 200: OpeningList, ...refusals(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const session = requireSession(request);
      const { eventId } = request.params;
      requireEventInScope(deps.events, session, eventId);
      const at = instantOf(deps);
      return {
        items: privacy.listOpenings(eventId).map((opening) => describe(opening, at)),
        needsSecondPerson: policyOf(deps).opening.secondPerson,
        isOpen: privacy.findGrant(eventId, session.username, at) !== undefined,
      };
    },
  );
  app.get(
    '/openings',
    {
      config: { access: MAY.overruleCase },
      schema: {
        summary: 'Requests that wait for a second person, oldest first',
        tags: ['privacy'],
        response: { 200: Type.Object({ items: Type.Array(OpeningStatus) }, closed), ...refusals(401, 403) },
      },
    },
    async (request) => {
      const session = requireSession(request);
      const at = instantOf(deps);
      const waiting = privacy.listWaitingOpenings(at, WAITING_LISTED).filter(({ eventId }) => {
        const site = deps.events.getEvent(eventId)?.event.site;
        return site !== undefined && (session.sites === 'all' || session.sites.includes(site));
      });
      return { items: waiting.map((opening) => describe(opening, at)) };
    },
  );
}

function addRequestRoute(app: ApiApp, deps: ApiDeps): void {
  const { privacy } = deps.events;
  app.post(
    '/events/:eventId/openings',
    {
      config: { access: MAY.requestOriginal },
      schema: {
        summary: 'Ask to see the original of a case',
        tags: ['privacy'],
        params: EventParams,
        body: OpeningRequest,
        response: { 201: OpeningStatus, ...refusals(400, 401, 403, 404) },
      },
    },
    async (request, reply) => {
      const session = requireSession(request);
      const { eventId } = request.params;
      requireEventInScope(deps.events, session, eventId);
      const reason = readReason(request.body.reason);
      const { opening: rule } = policyOf(deps);
      const requestedAt = instantOf(deps);
      let opening = privacy.requestOpening({
        openingId: `op-${randomBytes(12).toString('hex')}`,
        ...{ eventId, reason, requestedBy: session.username, requestedAt },
        lapsesAt: instantOf(deps, rule.waitHours * 60 * MINUTE_MS),
      });
      if (!rule.secondPerson) {
        const openUntil = instantOf(deps, rule.openMinutes * MINUTE_MS);
        const grant = { decidedBy: session.username, decidedAt: requestedAt, openUntil };
        opening = privacy.decideOpening(opening.openingId, { ...grant, decision: 'granted' }) ?? opening;
      }
      deps.audit.append({
        ...{ actor: session.username, action: 'opening-request', target: eventId, reason },
        ...{ detail: opening.openingId, address: request.ip },
      });
      return reply.status(201).send(describe(opening, requestedAt));
    },
  );
}

function addDecisionRoute(app: ApiApp, deps: ApiDeps): void {
  const { privacy } = deps.events;
  app.post(
    '/events/:eventId/openings/:openingId/decision',
    {
      config: { access: MAY.overruleCase },
      schema: {
        summary: 'Agree to a request to see an original, or refuse it; never one’s own',
        tags: ['privacy'],
        params: OpeningParams,
        body: OpeningDecision,
        response: { 200: OpeningStatus, ...refusals(400, 401, 403, 404, 409) },
      },
    },
    async (request) => {
      const session = requireSession(request);
      const { eventId, openingId } = request.params;
      requireEventInScope(deps.events, session, eventId);
      const asked = privacy.getOpening(openingId);
      if (asked?.eventId !== eventId)
        throw new NgatuError('NOT_FOUND', `There is no request "${openingId}" for this case`);
      if (asked.requestedBy === session.username)
        throw new NgatuError('FORBIDDEN', 'Cannot decide about this request: it is your own');
      const reason = readReason(request.body.reason);
      const { decision } = request.body;
      const openUntil = instantOf(deps, policyOf(deps).opening.openMinutes * MINUTE_MS);
      const decidedAt = instantOf(deps);
      const decided = privacy.decideOpening(openingId, {
        ...{ decidedBy: session.username, decidedAt, decision, decisionReason: reason },
        ...(decision === 'granted' ? { openUntil } : {}),
      });
      deps.audit.append({
        ...{ actor: session.username, action: 'opening-decide', target: eventId, reason },
        detail: `${openingId} ${decided === undefined ? 'too late' : decision}`,
        address: request.ip,
      });
      if (decided === undefined)
        throw new NgatuError(
          'OPENING_CONFLICT',
          'Cannot decide: the request was decided already or has lapsed',
        );
      return describe(decided, decidedAt);
    },
  );
}

/** Originals: who may see them, asked for with a reason and agreed to by a second person where the policy wants one. */
export function addOpeningRoutes(app: ApiApp, deps: ApiDeps): void {
  addListRoutes(app, deps);
  addRequestRoute(app, deps);
  addDecisionRoute(app, deps);
}
