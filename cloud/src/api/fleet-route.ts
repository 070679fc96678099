import { MAY } from '../account/permission.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { CameraQuery, CameraReport, Health, NodeList } from './api-schema.ts';
import { keepInScope, scopeSites } from './area-scope.ts';
import { computeCameraOverviews } from './camera-overview.ts';
import { DeadLetterList, DeadLetterQuery } from './dead-letter-schema.ts';
import { refusals } from './refusal-schema.ts';
import { parsePeriod } from './request-validation.ts';
import { requireSession } from './session-guard.ts';

const DAY_MS = 86_400_000;
const PAYLOAD_START_BYTES = 2_000;

function addCameraRoute(app: ApiApp, { events, now }: ApiDeps): void {
  app.get(
    '/cameras',
    {
      config: { access: MAY.readFleet },
      schema: {
        summary: 'What each camera does now, and how much of a period it looked',
        tags: ['fleet'],
        querystring: CameraQuery,
        response: { 200: CameraReport, ...refusals(400, 401, 403) },
      },
    },
    async (request) => {
      const { from, to, buckets } = request.query;
      const sites = scopeSites(requireSession(request));
      const period = parsePeriod({
        now: now(),
        defaultMs: DAY_MS,
        maxMs: 31 * DAY_MS,
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
      });
      return {
        from: new Date(period.fromMs).toISOString(),
        to: new Date(period.toMs).toISOString(),
        cameras: computeCameraOverviews(events, {
          ...period,
          buckets,
          now: now(),
          ...(sites === undefined ? {} : { sites }),
        }),
      };
    },
  );
}

function addNodeRoute(app: ApiApp, { events }: ApiDeps): void {
  app.get(
    '/nodes',
    {
      config: { access: MAY.readDelivery },
      schema: {
        summary: 'The nodes, and what of their outbox is committed',
        tags: ['fleet'],
        response: { 200: NodeList, ...refusals(401, 403) },
      },
    },
    async (request) => ({
      nodes: keepInScope(requireSession(request), events.listNodes()).map((node) => ({
        ...node,
        missing: [...node.missing],
      })),
    }),
  );
}

/** Who looks after the nodes sees no plate: what a manifest says of one, and what follows it, is left out. */
function describeStart(payload: Uint8Array): string {
  const start = new TextDecoder().decode(payload.subarray(0, PAYLOAD_START_BYTES));
  return start.replace(/"plate"\s*:[\s\S]*$/, '"plate": …');
}

function addDeadLetterRoute(app: ApiApp, { events, audit }: ApiDeps): void {
  app.get(
    '/dead-letters',
    {
      config: { access: MAY.readDelivery },
      schema: {
        summary: 'Messages that were refused, newest first; the reading is recorded',
        tags: ['fleet'],
        querystring: DeadLetterQuery,
        response: { 200: DeadLetterList, ...refusals(400, 401, 403) },
      },
    },
    async (request) => {
      const session = requireSession(request);
      const sites = scopeSites(session);
      audit.append({ actor: session.username, action: 'dead-letters-read', address: request.ip });
      const items = events
        .listDeadLetters(request.query.limit, sites)
        .map(({ topic, code, reason, receivedAt, payload }) => ({
          topic,
          code,
          reason,
          receivedAt,
          sizeBytes: payload.byteLength,
          payloadStart: describeStart(payload),
        }));
      return { total: events.countDeadLetters(sites), items };
    },
  );
}

function addHealthRoute(app: ApiApp, { events }: ApiDeps): void {
  app.get(
    '/health',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Whether the API can read its store',
        tags: ['fleet'],
        security: [],
        response: { 200: Health, ...refusals() },
      },
    },
    async () => {
      events.latestChange();
      return { status: 'ok' as const };
    },
  );
}

export function addFleetRoutes(app: ApiApp, deps: ApiDeps): void {
  addCameraRoute(app, deps);
  addNodeRoute(app, deps);
  addDeadLetterRoute(app, deps);
  addHealthRoute(app, deps);
}
