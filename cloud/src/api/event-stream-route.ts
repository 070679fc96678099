import type { Readable } from 'node:stream';
import { Type } from '@sinclair/typebox';
import { isAllowed, MAY } from '../account/permission.ts';
import type { Session } from '../account/session-store.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { isSiteInScope } from './area-scope.ts';
import { describeSummaryFor } from './case-view.ts';
import { EventStream } from './event-stream.ts';
import { refusals } from './refusal-schema.ts';
import { readSessionToken, requireSession } from './session-guard.ts';

export function addEventStreamRoute(app: ApiApp, deps: ApiDeps): void {
  const { events, sessions, logger, now } = deps;
  const stream = new EventStream(events, logger, now);
  app.addHook('preClose', async () => stream.close());

  app.get(
    '/events/stream',
    {
      config: { access: MAY.listCases },
      schema: {
        summary: 'Events as they change (server-sent events)',
        description:
          'First `ready {resumed}`; where it is not resumed, load the list now. Then one `change` with an EventSummary ' +
          'for each event, manifest, file or decision that was committed. `Last-Event-ID` goes on where it broke off.',
        tags: ['events'],
        response: {
          200: {
            description: 'The stream',
            content: { 'text/event-stream': { schema: Type.Unsafe<Readable>({ type: 'string' }) } },
          },
          ...refusals(401, 403, 429),
        },
      },
    },
    async (request, reply) => {
      const token = readSessionToken(request, deps);
      // Roles and areas may change while the stream runs.
      let session: Session | undefined = requireSession(request);
      const lastEventId = request.headers['last-event-id'];
      const body = stream.connect({
        lastEventId: typeof lastEventId === 'string' ? lastEventId : undefined,
        readChange: (event) =>
          session !== undefined && isSiteInScope(session, event.site)
            ? describeSummaryFor(session, event)
            : undefined,
        // A page that merely stays open does not keep its session alive.
        isAllowed: () => {
          session = token === undefined ? undefined : sessions.findSession(token, { use: false });
          return session !== undefined && session.needs === undefined && isAllowed(session, MAY.listCases);
        },
      });
      return reply
        .type('text/event-stream; charset=utf-8')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .send(body);
    },
  );
}
