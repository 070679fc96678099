import { randomBytes } from 'node:crypto';
import { DIRECTIVE_MAX_MS, NgatuError, type SchemaIssue } from '@ngatu/contract';
import { Type } from '@sinclair/typebox';
import { MAY } from '../account/permission.ts';
import type { Session } from '../account/session-store.ts';
import type { DirectiveRecord } from '../store/directive-store.ts';
import type { EventStore } from '../store/event-store.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { refuseInvalid } from './api-error.ts';
import {
  type CameraDirective,
  CameraParams,
  DirectiveEndRequest,
  DirectiveList,
  DirectiveParams,
  DirectiveQuery,
  DirectiveRequest,
} from './api-schema.ts';
import { requireCameraInScope, scopeSites } from './area-scope.ts';
import { refusals } from './refusal-schema.ts';
import { parseInstant } from './request-validation.ts';
import { requireSession } from './session-guard.ts';

const CameraDirectiveRef = Type.Unsafe<CameraDirective>({ $ref: 'CameraDirective#' });
/** The clock of a browser may be this far off: a beginning that lies further back is refused, ms. */
const PAST_MS = 60_000;

type Delivery = (record: DirectiveRecord) => boolean;

/** Whether a record has reached its node, as the node itself said last. */
function readDelivery(events: EventStore): Delivery {
  const held = new Map(
    events.listNodes().map(({ site, node, state }) => [`${site}/${node}`, state.directiveRevision ?? 0]),
  );
  return ({ site, node, revision }) => (held.get(`${site}/${node}`) ?? 0) >= revision;
}

function describe(record: DirectiveRecord, isDelivered: Delivery, nowMs: number): CameraDirective {
  const { revision: _, ...told } = record;
  const isEnded = Date.parse(record.until) <= nowMs || record.endedAt !== undefined;
  const state = isEnded ? 'ended' : Date.parse(record.from) > nowMs ? 'planned' : 'active';
  return { ...told, state, delivered: isDelivered(record) };
}

/** @throws NgatuError REQUEST_INVALID that names each field */
function checkWindow({ from, until }: DirectiveRequest, nowMs: number): { fromMs: number; untilMs: number } {
  const fromMs = from === undefined ? nowMs : parseInstant(from, '/body/from');
  const untilMs = parseInstant(until, '/body/until');
  const issues: SchemaIssue[] = [];
  if (fromMs < nowMs - PAST_MS)
    issues.push({ path: '/body/from', reason: 'Expected no instant in the past' });
  if (untilMs <= Math.max(fromMs, nowMs))
    issues.push({ path: '/body/until', reason: 'Expected an instant to come, after "from"' });
  if (untilMs - fromMs > DIRECTIVE_MAX_MS)
    issues.push({ path: '/body/until', reason: `Expected at most ${DIRECTIVE_MAX_MS} ms after "from"` });
  if (issues.length > 0) throw refuseInvalid(issues);
  return { fromMs, untilMs };
}

function readReason(text: string): string {
  const reason = text.trim();
  if (reason.length >= 3) return reason;
  throw refuseInvalid([
    { path: '/body/reason', reason: 'Expected at least 3 characters that are not space' },
  ]);
}

function addListRoutes(app: ApiApp, { events, now }: ApiDeps): void {
  const schema = { tags: ['directives'], querystring: DirectiveQuery };
  const list = (
    session: Session,
    query: { ended: boolean; limit: number },
    camera?: { site: string; node: string; camera: string },
  ) => {
    const sites = scopeSites(session);
    const nowMs = now();
    const isDelivered = readDelivery(events);
    const records = events.directives.list({
      limit: query.limit,
      ...(query.ended ? {} : { endsAfter: new Date(nowMs).toISOString() }),
      ...(camera === undefined ? {} : { camera }),
      ...(sites === undefined ? {} : { sites }),
    });
    return { items: records.map((record) => describe(record, isDelivered, nowMs)) };
  };
  app.get(
    '/directives',
    {
      config: { access: MAY.readDirectives },
      schema: {
        ...schema,
        summary: 'What is declared about all cameras: in force and to come',
        response: { 200: DirectiveList, ...refusals(400, 401, 403) },
      },
    },
    async (request) => list(requireSession(request), request.query),
  );
  app.get(
    '/cameras/:site/:node/:camera/directives',
    {
      config: { access: MAY.readDirectives },
      schema: {
        ...schema,
        summary: 'What is declared about a camera',
        params: CameraParams,
        response: { 200: DirectiveList, ...refusals(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const session = requireSession(request);
      requireCameraInScope(session, request.params);
      return list(session, request.query, request.params);
    },
  );
}

function addDeclareRoute(app: ApiApp, { events, audit, now }: ApiDeps): void {
  app.post(
    '/cameras/:site/:node/:camera/directives',
    {
      config: { access: MAY.declareDirective },
      schema: {
        summary: 'Declare that an officer directs, an emergency passes, or rules are suspended',
        description:
          'Under the first two, what a rule finds is let pass with that reason; under the last one the camera judges ' +
          'nothing and the time is accounted as not looked at. The node gets it at once, or when it comes back.',
        tags: ['directives'],
        params: CameraParams,
        body: DirectiveRequest,
        response: { 201: CameraDirectiveRef, ...refusals(400, 401, 403, 404, 409) },
      },
    },
    async (request, reply) => {
      const { site, node, camera } = request.params;
      const session = requireSession(request);
      requireCameraInScope(session, request.params);
      const nowMs = now();
      const { fromMs, untilMs } = checkWindow(request.body, nowMs);
      const reason = readReason(request.body.reason);
      const owner = events.listNodes().find((known) => known.site === site && known.node === node);
      if (owner === undefined || !owner.state.cameras.includes(camera)) {
        throw new NgatuError('NOT_FOUND', `There is no camera "${camera}" of node "${site}/${node}"`);
      }
      const { username } = session;
      const record = events.directives.declare({
        directiveId: `di-${randomBytes(16).toString('hex')}`,
        ...{ site, node, camera, kind: request.body.kind, reason, declaredBy: username },
        from: new Date(fromMs).toISOString(),
        until: new Date(untilMs).toISOString(),
        declaredAt: new Date(nowMs).toISOString(),
      });
      if (record === undefined) {
        throw new NgatuError(
          'DIRECTIVE_LIMIT',
          `Cannot declare more for node "${site}/${node}": end some that are in force or planned`,
        );
      }
      const { directiveId, kind, from, until } = record;
      audit.append({
        actor: username,
        action: 'directive-declare',
        target: directiveId,
        detail: `${site}/${node}/${camera} ${kind} ${from} to ${until}: ${reason}`,
        address: request.ip,
      });
      return reply.status(201).send(describe(record, readDelivery(events), nowMs));
    },
  );
}

function addEndRoute(app: ApiApp, { events, audit, now }: ApiDeps): void {
  app.post(
    '/directives/:directiveId/end',
    {
      config: { access: MAY.declareDirective },
      schema: {
        summary: 'End a directive now, or take back one that has not begun',
        tags: ['directives'],
        params: DirectiveParams,
        body: DirectiveEndRequest,
        response: { 200: CameraDirectiveRef, ...refusals(400, 401, 403, 404, 409) },
      },
    },
    async (request) => {
      const { directiveId } = request.params;
      const reason = readReason(request.body.reason);
      const session = requireSession(request);
      const { username } = session;
      const sites = scopeSites(session);
      const nowMs = now();
      const by = {
        actor: username,
        at: new Date(nowMs).toISOString(),
        reason,
        ...(sites === undefined ? {} : { sites }),
      };
      const result = events.directives.end(directiveId, by);
      if (result.outcome === 'unknown')
        throw new NgatuError('NOT_FOUND', `There is no directive "${directiveId}"`);
      if (result.outcome === 'already-ended') {
        throw new NgatuError('DIRECTIVE_ENDED', `The directive ended at ${result.record.until} already`);
      }
      audit.append({
        actor: username,
        action: 'directive-end',
        target: directiveId,
        detail: reason,
        address: request.ip,
      });
      return describe(result.record, readDelivery(events), nowMs);
    },
  );
}

export function addDirectiveRoutes(app: ApiApp, deps: ApiDeps): void {
  addListRoutes(app, deps);
  addDeclareRoute(app, deps);
  addEndRoute(app, deps);
}
