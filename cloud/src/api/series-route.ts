import { NgatuError } from '@ngatu/contract';
import { MAY } from '../account/permission.ts';
import type { SeriesLine, SeriesQuery, SeriesStore } from '../store/series-store.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { refuseInvalid } from './api-error.ts';
import { SeriesAnswer, SeriesRequest } from './api-schema.ts';
import { scopeSites } from './area-scope.ts';
import { refusals } from './refusal-schema.ts';
import { parsePeriod } from './request-validation.ts';
import { requireSession } from './session-guard.ts';

const MAX_PERIOD_MS = 366 * 86_400_000;
/** Points of one line; a chart has no more pixels. */
const MAX_STEPS = 5_000;

function buildQuery({ tag, ...request }: SeriesRequest, now: number): SeriesQuery {
  const { fromMs, toMs } = parsePeriod({ ...request, now, defaultMs: 0, maxMs: MAX_PERIOD_MS });
  if ((toMs - fromMs) / request.stepMs > MAX_STEPS) {
    throw refuseInvalid([
      { path: '/query/stepMs', reason: `Expected at most ${MAX_STEPS} steps in the period` },
    ]);
  }
  if (tag === undefined) return request;
  const tags = tag.map((text): [string, string] => [
    text.slice(0, text.indexOf(':')),
    text.slice(text.indexOf(':') + 1),
  ]);
  return { ...request, tags: Object.fromEntries(tags) };
}

async function querySeries(series: SeriesStore, query: SeriesQuery): Promise<SeriesLine[]> {
  try {
    return await series.query(query);
  } catch (error) {
    if (error instanceof NgatuError && error.code === 'REQUEST_INVALID') throw error;
    throw new NgatuError('STORE_UNAVAILABLE', 'Cannot read the time series: their store does not answer', {
      retryable: true,
      cause: error,
    });
  }
}

export function addSeriesRoute(app: ApiApp, deps: ApiDeps): void {
  app.get(
    '/series',
    {
      config: { access: MAY.readFleet },
      schema: {
        summary: 'A measurement over time',
        tags: ['series'],
        querystring: SeriesRequest,
        response: { 200: SeriesAnswer, ...refusals(400, 401, 403) },
      },
    },
    async (request) => {
      const query = buildQuery(request.query, deps.now());
      const sites = scopeSites(requireSession(request));
      const lines = await querySeries(deps.series, sites === undefined ? query : { ...query, sites });
      return { lines: lines.map((line) => ({ ...line, points: [...line.points] })) };
    },
  );
}
