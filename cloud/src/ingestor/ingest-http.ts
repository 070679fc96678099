import { createHash, timingSafeEqual } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  type ErrorCode,
  EVIDENCE_MAX_BYTES,
  Measurement,
  NgatuError,
  OutboxId,
  parseWithSchema,
  Sha256,
  Slug,
  Timestamp,
} from '@ngatu/contract';
import { Type } from '@sinclair/typebox';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { EventStore } from '../store/event-store.ts';
import type { EvidenceStore } from '../store/evidence-store.ts';
import { SERIES_QUERY_PATH, SERIES_WRITE_PATH } from '../store/remote-series-store.ts';
import type { SeriesPoint, SeriesQuery, SeriesStore } from '../store/series-store.ts';

export interface IngestHttpParts {
  readonly events: EventStore;
  readonly series: SeriesStore;
  readonly evidence: EvidenceStore;
  readonly nodeToken: string;
  readonly internalToken: string;
  readonly logger: Logger;
  readonly clock: { nowMs(): number };
  /** Body of `/healthz`; its status is 503 where `ok` is false. */
  readonly readHealth: () => { readonly ok: boolean };
}

const UPLOADS_MAX = 8;
const INTERNAL_BODY_MAX_BYTES = 4 * 1024 * 1024;
const CONNECTION_IDLE_MS = 30_000;
/** The largest file at 64 kbit/s takes longer than any node should hold one of the places, ms. */
const REQUEST_MAX_MS = 10 * 60_000;

const STATUS: Partial<Record<ErrorCode, number>> = {
  REQUEST_INVALID: 400,
  UNAUTHENTICATED: 401,
  NOT_FOUND: 404,
  EVIDENCE_UNKNOWN: 409,
  EVIDENCE_TOO_LARGE: 413,
  EVIDENCE_DIGEST_MISMATCH: 422,
  RATE_LIMITED: 429,
  STORE_UNAVAILABLE: 503,
  DISK_FULL: 507,
};

const DigestParams = Type.Object({ sha256: Sha256 });

const Query = Type.Object(
  {
    metric: Type.String({ minLength: 1, maxLength: 64 }),
    from: Timestamp,
    to: Timestamp,
    stepMs: Type.Integer({ minimum: 1 }),
    aggregate: Type.Union((['sum', 'mean', 'max', 'min', 'last'] as const).map((name) => Type.Literal(name))),
    camera: Type.Optional(Slug),
    tags: Type.Optional(Type.Record(Type.String(), Type.String({ maxLength: 64 }))),
    groupBy: Type.Optional(Type.String({ maxLength: 64 })),
  },
  { additionalProperties: false },
);

const Points = Type.Object(
  {
    points: Type.Array(
      Type.Composite(
        [
          Measurement,
          Type.Object({
            site: Slug,
            node: Slug,
            camera: Type.Optional(Slug),
            outboxId: OutboxId,
            seq: Type.Integer({ minimum: 1 }),
            ordinal: Type.Integer({ minimum: 0 }),
          }),
        ],
        { additionalProperties: false },
      ),
      { maxItems: 10_000 },
    ),
  },
  { additionalProperties: false },
);

/** The ingestor's HTTP side: evidence from nodes, the series for the other processes of the centre, health. */
export function buildIngestHttp(parts: IngestHttpParts): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: INTERNAL_BODY_MAX_BYTES,
    requestTimeout: REQUEST_MAX_MS,
    connectionTimeout: CONNECTION_IDLE_MS,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 128 },
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
  const { events, evidence, clock } = parts;
  let uploads = 0;
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // The body stays a stream: a clip is never held in memory.
    scope.addContentTypeParser('*', { bodyLimit: EVIDENCE_MAX_BYTES }, (_request, payload, done) =>
      done(null, payload),
    );
    scope.addHook('onRequest', async (request) => requireToken(request, parts.nodeToken));
    const path = '/v1/evidence/:sha256';
    scope.head(path, async (request, reply) => {
      const { sha256 } = readDigest(request);
      if (!events.isEvidenceAnnounced(sha256) || (await evidence.open(sha256)) === undefined)
        return reply.code(404).send();
      // The process may have died after the file was whole and before its arrival was written down.
      events.markEvidenceArrived(sha256, new Date(clock.nowMs()).toISOString());
      return reply.code(200).send();
    });
    scope.put(path, async (request, reply) => {
      const { sha256 } = readDigest(request);
      if (!events.isEvidenceAnnounced(sha256)) {
        throw new NgatuError('EVIDENCE_UNKNOWN', `Cannot take evidence ${sha256}: no manifest announced it`, {
          retryable: true,
        });
      }
      if (uploads >= UPLOADS_MAX) {
        throw new NgatuError('RATE_LIMITED', `Cannot take evidence ${sha256}: ${uploads} uploads run`, {
          retryable: true,
        });
      }
      uploads++;
      try {
        const outcome = await evidence.put(sha256, readBody(request));
        events.markEvidenceArrived(sha256, new Date(clock.nowMs()).toISOString());
        return await reply.code(outcome === 'stored' ? 201 : 200).send({ sha256 });
      } finally {
        uploads--;
      }
    });
  });
}

function addSeriesRoutes(app: FastifyInstance, { series, internalToken }: IngestHttpParts): void {
  app.register(async (scope) => {
    scope.addHook('onRequest', async (request) => requireToken(request, internalToken));
    scope.post(SERIES_QUERY_PATH, async (request) => {
      const query = parseWithSchema(Query, request.body, { code: 'REQUEST_INVALID', what: 'series query' });
      return { lines: await series.query(query as SeriesQuery) };
    });
    scope.post(SERIES_WRITE_PATH, async (request) => {
      const { points } = parseWithSchema(Points, request.body, {
        code: 'REQUEST_INVALID',
        what: 'series points',
      });
      await series.write(points as SeriesPoint[]);
      return { written: points.length };
    });
  });
}

function readDigest(request: FastifyRequest): { sha256: string } {
  return parseWithSchema(DigestParams, request.params, { code: 'REQUEST_INVALID', what: 'evidence address' });
}

function readBody(request: FastifyRequest): Readable {
  if (request.body === undefined || request.body === null) {
    throw new NgatuError(
      'REQUEST_INVALID',
      'Cannot take evidence: the request has no body or no content type',
    );
  }
  return request.body as Readable;
}

/** Compares in a time that does not tell how much of the token was right. */
function requireToken(request: FastifyRequest, token: string): void {
  const offered = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  if (token === '' || !timingSafeEqual(digest(offered), digest(token))) {
    throw new NgatuError('UNAUTHENTICATED', 'The bearer token is missing or wrong');
  }
}

function answerError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
): FastifyReply {
  if (error instanceof NgatuError) {
    const status = STATUS[error.code] ?? 500;
    if (status >= 500) logger.error({ code: error.code, method: request.method }, error.message);
    return reply.code(status).send({ code: error.code, message: error.message });
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
