import { Measurement, OutboxId, parseWithSchema, Slug, Timestamp } from '@ngatu/contract';
import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import {
  SERIES_LATEST_PATH,
  SERIES_POINTS_PATH,
  SERIES_QUERY_PATH,
  SERIES_WRITE_PATH,
} from '../store/remote-series-store.ts';
import type { LatestQuery, RawQuery, SeriesPoint, SeriesQuery, SeriesStore } from '../store/series-store.ts';
import { requireToken } from './uploader.ts';

const closed = { additionalProperties: false } as const;
const Sites = Type.Optional(Type.Array(Slug, { maxItems: 10_000 }));

const filter = {
  metric: Type.String({ minLength: 1, maxLength: 64 }),
  from: Timestamp,
  to: Timestamp,
  node: Type.Optional(Slug),
  camera: Type.Optional(Slug),
  sites: Sites,
  tags: Type.Optional(Type.Record(Type.String(), Type.String({ maxLength: 64 }))),
  includeBad: Type.Optional(Type.Boolean()),
};

const Query = Type.Object(
  {
    ...filter,
    stepMs: Type.Integer({ minimum: 1 }),
    aggregate: Type.Union((['sum', 'mean', 'max', 'min', 'last'] as const).map((name) => Type.Literal(name))),
    groupBy: Type.Optional(Type.String({ maxLength: 64 })),
  },
  closed,
);

const List = Type.Object({ ...filter, limit: Type.Integer({ minimum: 1 }) }, closed);

const Latest = Type.Object(
  { tag: Type.String({ minLength: 1, maxLength: 64 }), since: Timestamp, sites: Sites },
  closed,
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
        closed,
      ),
      { maxItems: 10_000 },
    ),
  },
  closed,
);

/** The series of this ingestor for the other processes of the centre. */
export function addSeriesRoutes(
  app: FastifyInstance,
  { series, internalToken }: { series: SeriesStore; internalToken: string },
): void {
  const read = { code: 'REQUEST_INVALID', what: 'series query' } as const;
  app.register(async (scope) => {
    scope.addHook('onRequest', async (request) => requireToken(request, internalToken));
    scope.post(SERIES_QUERY_PATH, async ({ body }) => ({
      lines: await series.query(parseWithSchema(Query, body, read) as SeriesQuery),
    }));
    scope.post(SERIES_POINTS_PATH, async ({ body }) => ({
      points: await series.listPoints(parseWithSchema(List, body, read) as RawQuery),
    }));
    scope.post(SERIES_LATEST_PATH, async ({ body }) => ({
      latest: await series.listLatest(parseWithSchema(Latest, body, read) as LatestQuery),
    }));
    scope.post(SERIES_WRITE_PATH, async ({ body }) => {
      const { points } = parseWithSchema(Points, body, { ...read, what: 'series points' });
      await series.write(points as SeriesPoint[]);
      return { written: points.length };
    });
  });
}
