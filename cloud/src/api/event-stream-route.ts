import type { Readable } from 'node:stream';
import { Type } from '@sinclair/typebox';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { EventStream } from './event-stream.ts';
import { refusals } from './refusal-schema.ts';
import { readSessionToken } from './session-guard.ts';

export function addEventStreamRoute(app: ApiApp, { events, accounts, logger, now }: ApiDeps): void {
  const stream = new EventStream(events, logger, now);
  app.addHook('preClose', async () => stream.close());

  app.get(
    '/events/stream',
    {
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
          ...refusals(401, 429),
        },
      },
    },
    async (request, reply) => {
      const token = readSessionToken(request);
      const lastEventId = request.headers['last-event-id'];
      const body = stream.connect({
        lastEventId: typeof lastEventId === 'string' ? lastEventId : undefined,
        // A page that merely stays open does not keep its session alive.
        isAllowed: () => token !== undefined && accounts.findSession(token, { use: false }) !== undefined,
      });
      return reply
        .type('text/event-stream; charset=utf-8')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .send(body);
    },
  );
}
