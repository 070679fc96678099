import { randomBytes } from 'node:crypto';
import { EventKind, NgatuError } from '@ngatu/contract';
import { Type } from '@sinclair/typebox';
import { MAY } from '../account/permission.ts';
import { LEGAL_FACTS } from '../privacy/legal-fact.ts';
import { DEFAULT_PRIVACY_POLICY, PrivacyPolicy } from '../privacy/privacy-policy.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { refuseInvalid } from './api-error.ts';
import { EventParams } from './api-schema.ts';
import { requireEventInScope } from './area-scope.ts';
import { Hold, HoldList, HoldParams, HoldRequest } from './hold-schema.ts';
import { refusals } from './refusal-schema.ts';
import { requireSession } from './session-guard.ts';

const closed = { additionalProperties: false } as const;
const Instant = Type.String({ format: 'date-time' });

const TombstoneItem = Type.Object(
  {
    caseDigest: Type.String(),
    kind: EventKind,
    day: Type.String(),
    cause: Type.Union((['retention', 'data-subject', 'order'] as const).map((cause) => Type.Literal(cause))),
    reason: Type.String(),
    erasedBy: Type.String(),
    erasedAt: Instant,
  },
  closed,
);

const LegalFactItem = Type.Object(
  {
    id: Type.String(),
    statement: Type.Object({ vi: Type.String(), en: Type.String() }, closed),
    source: Type.String(),
    certainty: Type.Union((['V', 'S', 'U'] as const).map((mark) => Type.Literal(mark))),
  },
  closed,
);

function readReason(text: string): string {
  const reason = text.trim();
  if (reason.length >= 3) return reason;
  throw refuseInvalid([
    { path: '/body/reason', reason: 'Expected at least 3 characters that are not space' },
  ]);
}

function addHoldRoutes(app: ApiApp, deps: ApiDeps): void {
  const { privacy } = deps.events;
  const at = () => new Date(deps.now()).toISOString();
  app.get(
    '/events/:eventId/holds',
    {
      config: { access: MAY.readCase },
      schema: {
        summary: 'Legal holds of a case, past ones too',
        tags: ['privacy'],
        params: EventParams,
        response: { 200: HoldList, ...refusals(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const { eventId } = request.params;
      requireEventInScope(deps.events, requireSession(request), eventId);
      return { items: privacy.listHolds(eventId) };
    },
  );
  app.post(
    '/events/:eventId/holds',
    {
      config: { access: MAY.governData },
      schema: {
        summary: 'Keep a case from being deleted',
        tags: ['privacy'],
        params: EventParams,
        body: HoldRequest,
        response: { 201: Hold, ...refusals(400, 401, 403, 404) },
      },
    },
    async (request, reply) => {
      const session = requireSession(request);
      const { eventId } = request.params;
      requireEventInScope(deps.events, session, eventId);
      const reason = readReason(request.body.reason);
      const holdId = `hold-${randomBytes(12).toString('hex')}`;
      const hold = privacy.placeHold({ holdId, eventId, reason, placedBy: session.username, placedAt: at() });
      if (hold === undefined) throw new NgatuError('NOT_FOUND', `There is no event "${eventId}"`);
      deps.audit.append({
        ...{ actor: session.username, action: 'hold-place', target: eventId, reason, detail: holdId },
        address: request.ip,
      });
      return reply.status(201).send(hold);
    },
  );
}

function addLiftRoute(app: ApiApp, deps: ApiDeps): void {
  const { privacy } = deps.events;
  const at = () => new Date(deps.now()).toISOString();
  app.post(
    '/events/:eventId/holds/:holdId/end',
    {
      config: { access: MAY.governData },
      schema: {
        summary: 'Lift a legal hold: the retention of the case goes on',
        tags: ['privacy'],
        params: HoldParams,
        body: HoldRequest,
        response: { 200: HoldList, ...refusals(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const session = requireSession(request);
      const { eventId, holdId } = request.params;
      requireEventInScope(deps.events, session, eventId);
      const reason = readReason(request.body.reason);
      const isOfCase = privacy.listHolds(eventId).some((hold) => hold.holdId === holdId);
      if (!isOfCase || !privacy.liftHold(holdId, { by: session.username, at: at(), reason }))
        throw new NgatuError('NOT_FOUND', `There is no hold "${holdId}" on this case that could be lifted`);
      deps.audit.append({
        ...{ actor: session.username, action: 'hold-lift', target: eventId, reason, detail: holdId },
        address: request.ip,
      });
      return { items: privacy.listHolds(eventId) };
    },
  );
}

/** Legal holds, and what is left of deleted cases. */
export function addRetentionRoutes(app: ApiApp, deps: ApiDeps): void {
  addHoldRoutes(app, deps);
  addLiftRoute(app, deps);
  app.get(
    '/privacy/policy',
    {
      config: { access: MAY.readCase },
      schema: {
        summary:
          'Retention and opening as the controller set them, and what law they stand on, each with source and certainty',
        tags: ['privacy'],
        response: {
          200: Type.Object({ policy: PrivacyPolicy, facts: Type.Array(LegalFactItem) }, closed),
          ...refusals(401, 403),
        },
      },
    },
    async () => ({
      policy: deps.privacyPolicy?.() ?? DEFAULT_PRIVACY_POLICY,
      facts: LEGAL_FACTS.map((fact) => ({ ...fact })),
    }),
  );
  app.get(
    '/privacy/tombstones',
    {
      config: { access: MAY.readAudit },
      schema: {
        summary: 'What is left of deleted cases, newest first: kind, day, why, by whom',
        tags: ['privacy'],
        querystring: Type.Object(
          { limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 100 }) },
          closed,
        ),
        response: {
          200: Type.Object({ items: Type.Array(TombstoneItem) }, closed),
          ...refusals(400, 401, 403),
        },
      },
    },
    async (request) => ({ items: deps.events.privacy.listTombstones(request.query.limit) }),
  );
}
