import { DuckDBMapValue } from '@duckdb/node-api';
import { compareLines, LATEST_MAX, nameQuality } from './series-request.ts';
import type {
  LatestPoint,
  LatestQuery,
  RawPoint,
  RawQuery,
  SeriesBucket,
  SeriesFilter,
  SeriesLine,
  SeriesQuery,
} from './series-store.ts';

interface Statement {
  readonly sql: string;
  readonly values: (string | bigint)[];
}

const AGGREGATES = {
  sum: 'sum(value)',
  mean: 'avg(value)',
  max: 'max(value)',
  min: 'min(value)',
  last: 'arg_max(value, at_ms)',
} as const;

/** As `rankQuality` ranks them. */
const QUALITY_RANK = "CASE quality WHEN 'good' THEN 1 WHEN 'uncertain' THEN 2 WHEN 'bad' THEN 3 ELSE 0 END";

export function buildQuery(
  query: SeriesQuery,
  { fromMs, toMs, stepMs }: { fromMs: number; toMs: number; stepMs: number },
): Statement {
  const where = buildCondition(query, { fromMs, toMs });
  const group = query.groupBy === undefined ? 'NULL' : 'tags[?]';
  const bucket = '(? + (at_ms - ?) // ? * ?)::BIGINT';
  const sql = `SELECT camera, ${group} AS line_group, unit, ${bucket} AS bucket_ms, ${AGGREGATES[query.aggregate]},
    max(${QUALITY_RANK}) FROM point WHERE ${where.sql} GROUP BY 1, 2, 3, 4 ORDER BY 4`;
  const leading = query.groupBy === undefined ? [] : [query.groupBy];
  const [from, step] = [BigInt(fromMs), BigInt(stepMs)];
  return { sql, values: [...leading, from, from, step, step, ...where.values] };
}

export function buildPoints(query: RawQuery, period: { fromMs: number; toMs: number }): Statement {
  const where = buildCondition(query, period);
  const sql = `SELECT at_ms, site, node, camera, value, tags, unit, ${QUALITY_RANK} FROM point
    WHERE ${where.sql} ORDER BY at_ms LIMIT ${query.limit}`;
  return { sql, values: where.values };
}

export function buildLatest({ tag, sites }: LatestQuery, sinceMs: number): Statement {
  const scope = buildScope(sites);
  const sql = `SELECT site, node, tags[?] AS tag, metric, camera, unit, max(at_ms), arg_max(value, at_ms),
    arg_max(${QUALITY_RANK}, at_ms) FROM point WHERE at_ms >= ? AND tags[?] IS NOT NULL${scope.sql}
    GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4 LIMIT ${LATEST_MAX}`;
  return { sql, values: [tag, BigInt(sinceMs), tag, ...scope.values] };
}

function buildCondition(filter: SeriesFilter, { fromMs, toMs }: { fromMs: number; toMs: number }): Statement {
  const conditions = ['metric = ?', 'at_ms >= ?', 'at_ms < ?'];
  const values: (string | bigint)[] = [filter.metric, BigInt(fromMs), BigInt(toMs)];
  if (filter.includeBad !== true) conditions.push("quality IS DISTINCT FROM 'bad'");
  for (const column of ['node', 'camera'] as const) {
    const value = filter[column];
    if (value === undefined) continue;
    conditions.push(`${column} = ?`);
    values.push(value);
  }
  for (const [name, value] of Object.entries(filter.tags ?? {})) {
    conditions.push('tags[?] = ?');
    values.push(name, value);
  }
  const scope = buildScope(filter.sites);
  return { sql: conditions.join(' AND ') + scope.sql, values: [...values, ...scope.values] };
}

function buildScope(sites: readonly string[] | undefined): Statement {
  if (sites === undefined) return { sql: '', values: [] };
  if (sites.length === 0) return { sql: ' AND false', values: [] };
  return { sql: ` AND site IN (${sites.map(() => '?').join(', ')})`, values: [...sites] };
}

export function collectLines(rows: readonly (readonly unknown[])[]): SeriesLine[] {
  const lines = new Map<string, SeriesLine & { readonly points: SeriesBucket[] }>();
  for (const [camera, group, unit, bucketMs, value, rank] of rows) {
    const key = JSON.stringify([camera, group, unit]);
    let line = lines.get(key);
    if (line === undefined) {
      line = {
        ...nameText('group', group),
        ...nameText('camera', camera),
        ...nameText('unit', unit),
        points: [],
      };
      lines.set(key, line);
    }
    line.points.push({ at: toTime(bucketMs), value: Number(value), ...nameQuality(Number(rank)) });
  }
  return [...lines.values()].sort(compareLines);
}

export function collectPoints(metric: string, rows: readonly (readonly unknown[])[]): RawPoint[] {
  return rows.map(([atMs, site, node, camera, value, tags, unit, rank]) => ({
    at: toTime(atMs),
    metric,
    value: Number(value),
    ...nameText('unit', unit),
    ...nameQuality(Number(rank)),
    ...nameTags(tags),
    site: String(site),
    node: String(node),
    ...nameText('camera', camera),
  }));
}

export function collectLatest(rows: readonly (readonly unknown[])[]): LatestPoint[] {
  return rows.map(([site, node, tag, metric, camera, unit, atMs, value, rank]) => ({
    at: toTime(atMs),
    metric: String(metric),
    value: Number(value),
    ...nameText('unit', unit),
    ...nameQuality(Number(rank)),
    site: String(site),
    node: String(node),
    ...nameText('camera', camera),
    tag: String(tag),
  }));
}

const toTime = (ms: unknown): string => new Date(Number(ms)).toISOString();

function nameText<Name extends string>(name: Name, value: unknown): { [Key in Name]?: string } {
  return (value === null ? {} : { [name]: String(value) }) as { [Key in Name]?: string };
}

function nameTags(tags: unknown): { tags?: Record<string, string> } {
  if (!(tags instanceof DuckDBMapValue) || tags.entries.length === 0) return {};
  return { tags: Object.fromEntries(tags.entries.map(({ key, value }) => [String(key), String(value)])) };
}
