import { MAY } from '../account/permission.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { scopeSites } from './area-scope.ts';
import { DeliveryReport, DroppedList, DroppedQuery } from './delivery-schema.ts';
import { refusals } from './refusal-schema.ts';
import { requireSession } from './session-guard.ts';

/** What the nodes have delivered: holes in their numbers, what they dropped, and who else uses their names. */
export function addDeliveryRoutes(app: ApiApp, { events }: ApiDeps): void {
  app.get(
    '/delivery',
    {
      config: { access: MAY.readDelivery },
      schema: {
        summary:
          'The numbers of each node: committed, missing since when, explained; two machines under one name',
        tags: ['fleet'],
        response: { 200: DeliveryReport, ...refusals(401, 403) },
      },
    },
    async (request): Promise<DeliveryReport> => {
      const nodes = events.delivery.listDelivery(scopeSites(requireSession(request)));
      // The store's lists are read-only; the answer is a copy.
      return structuredClone({ nodes }) as DeliveryReport;
    },
  );
  app.get(
    '/delivery/drops',
    {
      config: { access: MAY.readDelivery },
      schema: {
        summary: 'Events, manifests and files that nodes had to drop, newest first',
        tags: ['fleet'],
        querystring: DroppedQuery,
        response: { 200: DroppedList, ...refusals(400, 401, 403) },
      },
    },
    async (request) => {
      const sites = scopeSites(requireSession(request));
      const { limit } = request.query;
      const items = events.delivery.listDroppedItems({ limit, ...(sites === undefined ? {} : { sites }) });
      return { items: [...items] };
    },
  );
}
