import { NgatuError } from '@ngatu/contract';
import { MAY } from '../account/permission.ts';
import type { SeriesQuery } from '../store/series-store.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { refuseInvalid } from './api-error.ts';
import { SeriesAnswer, SeriesRequest } from './api-schema.ts';
import { scopeSites } from './area-scope.ts';
import { refusals } from './refusal-schema.ts';
import { parsePeriod } from './request-validation.ts';
import { SensorList, SensorRequest } from './series-schema.ts';
import { requireSession } from './session-guard.ts';

const MAX_PERIOD_MS = 366 * 86_400_000;
/** Points of one line; a chart has no more pixels. */
const MAX_STEPS = 5_000;
const HOUR_MS = 3_600_000;
/** Sensors that have been silent for a week are listed no more, where nothing else is asked. */
const DEFAULT_HOURS = 24 * 7;

function buildQuery({ tag, site: _site, ...request }: SeriesRequest, now: number): SeriesQuery {
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

/** Sites that are asked for, of those that the person may see; undefined is all. */
function narrowSites(
  site: string | undefined,
  scope: readonly string[] | undefined,
): readonly string[] | undefined {
  if (site === undefined) return scope;
  return scope === undefined || scope.includes(site) ? [site] : [];
}

async function readSeries<Answer>(read: () => Promise<Answer>): Promise<Answer> {
  try {
    return await read();
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
      const sites = narrowSites(request.query.site, scopeSites(requireSession(request)));
      const lines = await readSeries(() =>
        deps.series.query(sites === undefined ? query : { ...query, sites }),
      );
      return { lines: lines.map((line) => ({ ...line, points: [...line.points] })) };
    },
  );
  app.get(
    '/sensors',
    {
      config: { access: MAY.readFleet },
      schema: {
        summary: 'The last reading of every sensor',
        tags: ['series'],
        querystring: SensorRequest,
        response: { 200: SensorList, ...refusals(400, 401, 403) },
      },
    },
    async (request) => {
      const now = deps.now();
      const since = new Date(now - (request.query.hours ?? DEFAULT_HOURS) * HOUR_MS).toISOString();
      const sites = scopeSites(requireSession(request));
      const query = { tag: 'sensor', since, ...(sites === undefined ? {} : { sites }) };
      const latest = await readSeries(() => deps.series.listLatest(query));
      const sensors = latest.map(({ tag, ...reading }) => ({ ...reading, sensor: tag }));
      return { now: new Date(now).toISOString(), sensors };
    },
  );
}
