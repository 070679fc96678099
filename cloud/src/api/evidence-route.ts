import { type EvidenceFile, isOriginalRole, NgatuError } from '@ngatu/contract';
import { Type } from '@sinclair/typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { MAY } from '../account/permission.ts';
import type { Session } from '../account/session-store.ts';
import type { EvidenceHandle } from '../store/evidence-store.ts';
import type { Opening } from '../store/privacy-store.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { RequestRefused } from './api-error.ts';
import { EvidenceParams } from './api-schema.ts';
import { requireEvidenceInScope } from './area-scope.ts';
import { type ByteRange, parseByteRange } from './byte-range.ts';
import { refusals } from './refusal-schema.ts';
import { requireSession } from './session-guard.ts';

const FILE_SUFFIX = { 'image/jpeg': 'jpg', 'video/mp4': 'mp4' } as const;

/** The range of a request; a stale `If-Range` asks for the whole file. */
function rangeOf(request: FastifyRequest, etag: string, sizeBytes: number): ByteRange {
  const condition = request.headers['if-range'];
  if (condition !== undefined && condition !== etag) return { kind: 'whole' };
  return parseByteRange(request.headers.range, sizeBytes);
}

function sendFile(reply: FastifyReply, handle: EvidenceHandle, range: ByteRange): FastifyReply {
  const { sizeBytes } = handle;
  if (range.kind === 'unsatisfiable') {
    throw new RequestRefused('REQUEST_INVALID', `Cannot send this range: the file has ${sizeBytes} bytes`, {
      status: 416,
      headers: { 'content-range': `bytes */${sizeBytes}` },
    });
  }
  if (range.kind === 'whole') return reply.header('content-length', sizeBytes).send(handle.read());
  const { start, end } = range;
  return reply
    .status(206)
    .header('content-range', `bytes ${start}-${end}/${sizeBytes}`)
    .header('content-length', end - start + 1)
    .send(handle.read({ start, end }));
}

/**
 * An original shows others than the subject: it needs a granted request of this very person that is still open.
 * @throws NgatuError ORIGINAL_SEALED
 */
function requireGrant(
  { events, audit, now }: ApiDeps,
  { username }: Session,
  { eventId, file }: { readonly eventId: string; readonly file: EvidenceFile },
  address: string,
): Opening | undefined {
  if (!isOriginalRole(file.role)) return undefined;
  const grant = events.privacy.findGrant(eventId, username, new Date(now()).toISOString());
  if (grant !== undefined) return grant;
  audit.append({
    actor: username,
    action: 'original-refused',
    target: file.sha256,
    detail: eventId,
    address,
  });
  throw new NgatuError(
    'ORIGINAL_SEALED',
    'Cannot show the original: ask for it with a reason, and wait until it is granted',
  );
}

/**
 * Evidence files by digest. The bytes never change, yet a browser asks again each time (`no-cache` with an ETag): then
 * every look is checked against the session and recorded, and costs only a 304.
 */
export function addEvidenceRoute(app: ApiApp, deps: ApiDeps): void {
  const { events, evidence, audit } = deps;
  const file = { schema: Type.String({ format: 'binary' }) };
  app.get(
    '/evidence/:sha256',
    {
      config: { access: MAY.readCase },
      schema: {
        summary: 'An evidence file, whole or in part; the reading is recorded',
        tags: ['evidence'],
        params: EvidenceParams,
        response: {
          200: { description: 'The file', content: { 'image/jpeg': file, 'video/mp4': file } },
          206: {
            description: 'The part that was asked for',
            content: { 'image/jpeg': file, 'video/mp4': file },
          },
          304: Type.Null({ description: 'The browser has it already' }),
          ...refusals(400, 401, 403, 404, 416),
        },
      },
    },
    async (request, reply) => {
      const { sha256 } = request.params;
      const session = requireSession(request);
      const announced = requireEvidenceInScope(events, session, sha256);
      const grant = requireGrant(deps, session, announced, request.ip);
      const handle = await evidence.open(sha256);
      if (handle === undefined) {
        throw new NgatuError('NOT_FOUND', 'Cannot show the file: it has not arrived at the centre yet');
      }
      const { role, mediaType } = announced.file;
      const actor = session.username;
      const detail = `${announced.eventId} ${role}${grant === undefined ? '' : ` by ${grant.openingId}`}`;
      const action = grant === undefined ? 'evidence-read' : 'original-read';
      audit.append({
        ...{ actor, action, target: sha256, detail, address: request.ip },
        ...(grant === undefined ? {} : { reason: grant.reason }),
      });
      const etag = `"${sha256}"`;
      reply
        .headers({ etag, 'accept-ranges': 'bytes', 'cache-control': 'private, no-cache' })
        .header(
          'content-disposition',
          `inline; filename="${role}-${sha256.slice(0, 12)}.${FILE_SUFFIX[mediaType]}"`,
        );
      if (request.headers['if-none-match']?.split(/\s*,\s*/).includes(etag))
        return reply.status(304).send(null);
      const range = rangeOf(request, etag, handle.sizeBytes);
      return sendFile(reply.type(mediaType), handle, range);
    },
  );
}
