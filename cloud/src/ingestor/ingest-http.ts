import { type ErrorCode, NgatuError } from '@ngatu/contract';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { EventStore } from '../store/event-store.ts';
import type { SeriesStore } from '../store/series-store.ts';
import type { PeerJudge } from './peer-judge.ts';
import { addSeriesRoutes } from './series-routes.ts';
import type { UploadDesk } from './upload-desk.ts';
import type { UploadParts } from './upload-parts.ts';
import { addUploadRoutes } from './upload-route.ts';
import { requireOwnName, requireUploader } from './uploader.ts';

export interface IngestHttpParts {
  readonly events: EventStore;
  readonly series: SeriesStore;
  readonly desk: UploadDesk;
  readonly uploadParts: UploadParts;
  /** Bearer token of the nodes on closed networks; without it they come over TLS alone. */
  readonly nodeToken?: string;
  /** Says who calls over TLS. */
  readonly judge?: PeerJudge;
  readonly internalToken: string;
  readonly logger: Logger;
  readonly clock: { nowMs(): number };
  /** Body of `/healthz`; its status is 503 where `ok` is false. */
  readonly readHealth: () => { readonly ok: boolean };
}

const INTERNAL_BODY_MAX_BYTES = 4 * 1024 * 1024;
const CONNECTION_IDLE_MS = 30_000;
/** A part that takes longer is broken off and goes on where it was, ms. */
const REQUEST_MAX_MS = 10 * 60_000;

const STATUS: Partial<Record<ErrorCode, number>> = {
  REQUEST_INVALID: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  CERTIFICATE_MISSING: 403,
  CERTIFICATE_INVALID: 403,
  CERTIFICATE_FOREIGN: 403,
  CERTIFICATE_EXPIRED: 403,
  CERTIFICATE_REVOKED: 403,
  NOT_FOUND: 404,
  EVIDENCE_UNKNOWN: 409,
  EVIDENCE_TOO_LARGE: 413,
  EVIDENCE_DIGEST_MISMATCH: 422,
  RATE_LIMITED: 429,
  STORE_UNAVAILABLE: 503,
  DISK_FULL: 507,
};

/** The ingestor's HTTP side: evidence from nodes, the series for the other processes of the centre, health. */
export function buildIngestHttp(parts: IngestHttpParts): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: INTERNAL_BODY_MAX_BYTES,
    requestTimeout: REQUEST_MAX_MS,
    connectionTimeout: CONNECTION_IDLE_MS,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 160 },
  });
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, parts.logger));
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ code: 'NOT_FOUND', message: 'There is nothing under this address' }),
  );
  app.get('/healthz', (_request, reply) => {
    const health = parts.readHealth();
    return reply.code(health.ok ? 200 : 503).send(health);
  });
  addEvidenceRoutes(app, parts);
  addSeriesRoutes(app, parts);
  return app;
}

function addEvidenceRoutes(app: FastifyInstance, parts: IngestHttpParts): void {
  app.register(async (scope) => {
    scope.addHook('onRequest', (request) => requireUploader(request, parts));
    scope.addHook('preHandler', (request) => requireOwnName(request, parts));
    addUploadRoutes(scope, { ...parts, statusOf });
  });
}

function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? 500;
}

function answerError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
): FastifyReply {
  if (error instanceof NgatuError) {
    const status = statusOf(error.code);
    if (status >= 500) logger.error({ code: error.code, method: request.method }, error.message);
    // An answer to HEAD has no body.
    return reply
      .code(status)
      .header('ngatu-error', error.code)
      .send({ code: error.code, message: error.message });
  }
  const { statusCode = 500, message } = error as { statusCode?: number; message?: string };
  if (request.raw.destroyed && !request.raw.complete)
    logger.info({ method: request.method }, 'the sender broke off');
  else if (statusCode >= 500)
    logger.error({ code: 'INTERNAL', method: request.method, error: message }, 'request failed');
  if (statusCode === 413) return reply.code(413).send({ code: 'EVIDENCE_TOO_LARGE', message });
  if (statusCode < 500) return reply.code(statusCode).send({ code: 'REQUEST_INVALID', message });
  return reply.code(500).send({ code: 'INTERNAL', message: 'The request failed' });
}
