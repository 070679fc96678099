import { Readable } from 'node:stream';
import { Type } from '@sinclair/typebox';
import type { FastifyReply } from 'fastify';
import { MAY } from '../account/permission.ts';
import { openCaseExport } from '../case-export/case-export.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { EventParams } from './api-schema.ts';
import { requireEventInScope } from './area-scope.ts';
import { readReason } from './reason.ts';
import { refusals } from './refusal-schema.ts';
import { requireSession } from './session-guard.ts';

const ExportRequest = Type.Object(
  {
    reason: Type.String({
      minLength: 3,
      maxLength: 500,
      description: 'Why; counted without the space around it.',
    }),
  },
  { additionalProperties: false },
);

/** An export reads and hashes every file of its case. */
const EXPORTS_PER_MINUTE = 20;

/**
 * The signed archive of a case. Originals go along only where an opening of the case stands for who asks; otherwise the archive says
 * that they are withheld, and proves their digests all the same.
 */
export function addExportRoute(app: ApiApp, deps: ApiDeps): void {
  app.post(
    '/events/:eventId/export',
    {
      config: { access: MAY.exportCase, rateLimit: { max: EXPORTS_PER_MINUTE, timeWindow: 60_000 } },
      schema: {
        summary: 'The signed archive of a case; the export is recorded with its reason',
        tags: ['evidence'],
        params: EventParams,
        body: ExportRequest,
        response: {
          200: {
            description: 'ZIP archive whose comment ends in the signature over all its bytes',
            content: { 'application/zip': { schema: Type.String({ format: 'binary' }) } },
          },
          ...refusals(400, 401, 403, 404, 409, 429),
        },
      },
    },
    async (request, reply) => {
      const { eventId } = request.params;
      const reason = readReason(request.body.reason);
      const session = requireSession(request);
      requireEventInScope(deps.events, session, eventId);
      const { username } = session;
      const exportedAt = new Date(deps.now()).toISOString();
      const isOpen = deps.events.privacy.findGrant(eventId, username, exportedAt) !== undefined;
      const bytes = await openCaseExport(
        { ...deps, mayOpenOriginals: () => isOpen },
        { eventIds: [eventId], reason, exportedAt, exportedBy: username, ...deps.exports },
      );
      const detail = isOpen ? 'with originals' : 'without originals';
      // what cannot be recorded must not leave
      deps.audit.append({
        ...{ actor: username, action: 'case-export', target: eventId, detail, reason, address: request.ip },
      });
      return sendArchive(reply, bytes, `ngatu-${exportedAt.slice(0, 10)}-${eventId.slice(0, 11)}.zip`);
    },
  );
}

function sendArchive(reply: FastifyReply, bytes: AsyncIterable<Uint8Array>, name: string): FastifyReply {
  const headers = {
    'content-type': 'application/zip',
    'content-disposition': `attachment; filename="${name}"`,
  };
  return reply.headers(headers).send(Readable.from(bytes));
}
