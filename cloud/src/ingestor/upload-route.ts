import {
  buildEvidenceGonePath,
  buildEvidencePath,
  type ErrorCode,
  EVIDENCE_MAX_BYTES,
  EvidenceGone,
  encodeReceivedParts,
  NgatuError,
  parseWithSchema,
  Sha256,
  UPLOAD_PARTS_HEADER,
  UPLOAD_PATH,
} from '@ngatu/contract';
import { Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { EventStore } from '../store/event-store.ts';
import type { UploadDesk } from './upload-desk.ts';
import type { UploadParts } from './upload-parts.ts';
import { buildUploadServer } from './upload-server.ts';

export interface UploadRouteParts {
  readonly events: Pick<EventStore, 'transfers' | 'privacy'>;
  readonly desk: UploadDesk;
  readonly uploadParts: UploadParts;
  readonly clock: { nowMs(): number };
  readonly statusOf: (code: ErrorCode) => number;
}

/** Uploads of all nodes that run at once; each holds one socket and some tens of kilobytes. */
const UPLOADS_MAX = 512;
/** Parts that one answer names; a node sends the others again from their beginning. */
const PARTS_TOLD_MAX = 300;

const DigestParams = Type.Object({ sha256: Sha256 });

/** Evidence files from the nodes: what has come, the upload itself (tus), and that a node no longer has a file. */
export function addUploadRoutes(scope: FastifyInstance, parts: UploadRouteParts): void {
  const { desk, clock } = parts;
  scope.head(buildEvidencePath(':sha256'), async (request, reply) => {
    const { sha256 } = readDigest(request);
    if (await desk.hasArrived(sha256)) return reply.code(200).send();
    const received = (await desk.listParts(sha256)).slice(0, PARTS_TOLD_MAX);
    if (received.length > 0) reply.header(UPLOAD_PARTS_HEADER, encodeReceivedParts(received));
    return reply.code(404).send();
  });
  scope.post(buildEvidenceGonePath(':sha256'), async (request, reply) => {
    const { sha256 } = readDigest(request);
    const what = { code: 'REQUEST_INVALID', what: 'answer of a node' } as const;
    const { site, node, reason, detail } = parseWithSchema(EvidenceGone, request.body, what);
    const at = new Date(clock.nowMs()).toISOString();
    const gone = { reason, at, ...(detail === undefined ? {} : { detail }) };
    if (reason === 'erased') {
      parts.events.privacy.settleNodeErasure({ sha256, site, node });
      return reply.code(204).send();
    }
    if (parts.events.transfers.markGone({ sha256, site, node }, gone)) return reply.code(204).send();
    throw new NgatuError(
      'EVIDENCE_UNKNOWN',
      `Cannot note that ${sha256} is gone: not wanted of ${site}/${node}`,
    );
  });
  scope.register(async (uploads) => addTus(uploads, parts));
}

function addTus(scope: FastifyInstance, { desk, uploadParts, statusOf }: UploadRouteParts): void {
  const server = buildUploadServer({ desk, parts: uploadParts, statusOf });
  let running = 0;
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (running >= UPLOADS_MAX) {
      throw new NgatuError('RATE_LIMITED', `Cannot take an upload: ${running} run`, { retryable: true });
    }
    running++;
    reply.hijack();
    try {
      await server.handle(request.raw, reply.raw);
    } finally {
      running--;
    }
  };
  scope.removeAllContentTypeParsers();
  // The body stays a stream: a part is never held in memory.
  scope.addContentTypeParser('*', { bodyLimit: EVIDENCE_MAX_BYTES }, (_request, payload, done) =>
    done(null, payload),
  );
  scope.route({ method: 'POST', url: UPLOAD_PATH, handler });
  scope.route({ method: ['HEAD', 'PATCH'], url: `${UPLOAD_PATH}/:id`, handler });
}

function readDigest(request: FastifyRequest): { sha256: string } {
  return parseWithSchema(DigestParams, request.params, { code: 'REQUEST_INVALID', what: 'evidence address' });
}
