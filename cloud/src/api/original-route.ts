import { EVIDENCE_PRIORITIES, isOriginalRole, NgatuError } from '@ngatu/contract';
import { MAY } from '../account/permission.ts';
import type { EventRecord } from '../store/event-store.ts';
import type { RequestCause } from '../store/transfer-store.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { refuseInvalid } from './api-error.ts';
import { EventParams } from './api-schema.ts';
import { requireEventInScope } from './area-scope.ts';
import { OriginalRequest, OriginalStatus } from './original-schema.ts';
import { refusals } from './refusal-schema.ts';
import { requireSession } from './session-guard.ts';

/** Asks the node for the originals of a case that have not arrived. Returns how many those are. */
export function requestOriginals(
  { events, now }: Pick<ApiDeps, 'events' | 'now'>,
  { event, evidence }: EventRecord,
  by: { readonly cause: RequestCause; readonly requestedBy: string; readonly reason: string },
): number {
  const { eventId, site, node } = event;
  const absent = (evidence?.files ?? []).filter(({ role, arrived }) => isOriginalRole(role) && !arrived);
  for (const { sha256 } of absent) {
    const priority = EVIDENCE_PRIORITIES[by.cause];
    const requestedAt = new Date(now()).toISOString();
    events.transfers.request({ sha256, eventId, site, node, priority, requestedAt, ...by });
  }
  return absent.length;
}

function describeOriginals({ evidence }: EventRecord): OriginalStatus {
  const originals = (evidence?.files ?? []).filter(({ role }) => isOriginalRole(role));
  return {
    files: originals.map(({ role, sha256, sizeBytes, arrived, transfer }) => {
      return { role, sha256, sizeBytes, arrived, ...(transfer === undefined ? {} : { transfer }) };
    }),
  };
}

/** Where the sealed originals of a case are, and that somebody wants them at the centre. */
export function addOriginalRoutes(app: ApiApp, deps: ApiDeps): void {
  app.get(
    '/events/:eventId/original',
    {
      config: { access: MAY.readCase },
      schema: {
        summary: 'Where the originals of a case are: at the centre, on the node, on their way, or gone',
        tags: ['evidence'],
        params: EventParams,
        response: { 200: OriginalStatus, ...refusals(400, 401, 403, 404) },
      },
    },
    async (request) =>
      describeOriginals(requireEventInScope(deps.events, requireSession(request), request.params.eventId)),
  );
  app.post(
    '/events/:eventId/original',
    {
      config: { access: MAY.requestOriginal },
      schema: {
        summary: 'Fetch the originals of a case from the node; the wish is recorded with its reason',
        description: 'They travel before what nobody asked for; asking again makes the node look once more.',
        tags: ['evidence'],
        params: EventParams,
        body: OriginalRequest,
        response: { 202: OriginalStatus, ...refusals(400, 401, 403, 404) },
      },
    },
    async (request, reply) => {
      const { eventId } = request.params;
      const reason = request.body.reason.trim();
      if (reason.length < 3) {
        throw refuseInvalid([
          { path: '/body/reason', reason: 'Expected at least 3 characters that are not space' },
        ]);
      }
      const session = requireSession(request);
      const record = requireEventInScope(deps.events, session, eventId);
      const { username } = session;
      if (describeOriginals(record).files.length === 0)
        throw new NgatuError('NOT_FOUND', 'Cannot fetch the original: the case has none');
      const count = requestOriginals(deps, record, { cause: 'demanded', requestedBy: username, reason });
      deps.audit.append({
        actor: username,
        action: 'original-request',
        target: eventId,
        detail: `${count} to fetch: ${reason}`,
        address: request.ip,
      });
      return reply.status(202).send(describeOriginals(requireEventInScope(deps.events, session, eventId)));
    },
  );
}
