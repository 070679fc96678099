import { NgatuError } from '@ngatu/contract';
import { MAY } from '../account/permission.ts';
import type { RawPoint, SeriesQuery } from '../store/series-store.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { refuseInvalid } from './api-error.ts';
import { SeriesAnswer, SeriesRequest } from './api-schema.ts';
import { scopeSites } from './area-scope.ts';
import { refusals } from './refusal-schema.ts';
import { parsePeriod } from './request-validation.ts';
import {
  type SensorFinding,
  SensorFindingList,
  SensorFindingRequest,
  SensorList,
  SensorRequest,
} from './series-schema.ts';
import { requireSession } from './session-guard.ts';

const MAX_PERIOD_MS = 366 * 86_400_000;
/** Points of one line; a chart has no more pixels. */
const MAX_STEPS = 5_000;
const HOUR_MS = 3_600_000;
const FINDINGS_MAX = 500;
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

/** Undefined where a node says it in another way. */
function describeFinding({ site, node, at, value, unit, tags = {} }: RawPoint): SensorFinding | undefined {
  const { sensor, quantity, kind, cause, usualLow, usualHigh } = tags;
  const [low, high] = [Number(usualLow), Number(usualHigh)];
  if (sensor === undefined || quantity === undefined || kind === undefined || cause === undefined)
    return undefined;
  if (usualLow === undefined || !Number.isFinite(low) || !Number.isFinite(high)) return undefined;
  const place = { site, node, sensor, metric: quantity };
  return {
    ...{ ...place, at, value, kind, cause, usualLow: low, usualHigh: high },
    ...(unit === undefined ? {} : { unit }),
  };
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
  app.get(
    '/sensors/findings',
    {
      config: { access: MAY.readFleet },
      schema: {
        summary: 'What sensors did that they usually do not',
        tags: ['series'],
        querystring: SensorFindingRequest,
        response: { 200: SensorFindingList, ...refusals(400, 401, 403) },
      },
    },
    async (request) => {
      const { from, to } = request.query;
      parsePeriod({ from, to, now: deps.now(), defaultMs: 0, maxMs: MAX_PERIOD_MS });
      const sites = scopeSites(requireSession(request));
      const query = { metric: 'sensorAnomaly', from, to, limit: FINDINGS_MAX, includeBad: true };
      const points = await readSeries(() =>
        deps.series.listPoints(sites === undefined ? query : { ...query, sites }),
      );
      return { findings: points.flatMap((point) => describeFinding(point) ?? []) };
    },
  );
}
