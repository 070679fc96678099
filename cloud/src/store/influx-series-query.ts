import {
  decodeTagValue,
  encodeTagValue,
  nameOfTag,
  nameTag,
  quoteName,
  quoteText,
} from './influx-series-text.ts';
import { compareLatest, compareLines, LATEST_MAX, nameQuality } from './series-request.ts';
import type {
  LatestPoint,
  LatestQuery,
  RawPoint,
  RawQuery,
  SeriesFilter,
  SeriesLine,
  SeriesQuery,
} from './series-store.ts';

/** A series of an answer of InfluxDB 1.x to `/query`. */
export interface InfluxSeries {
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values: readonly (readonly unknown[])[];
}

const AGGREGATES = { sum: 'SUM', mean: 'MEAN', max: 'MAX', min: 'MIN', last: 'LAST' } as const;
/** Field with the rank of a reading's quality, of which the highest counts. */
export const RANK_FIELD = 'doubt';
const BAD_RANK = 3;

export function buildQuery(
  query: SeriesQuery,
  period: { fromMs: number; toMs: number; stepMs: number },
): string {
  const { stepMs, fromMs } = period;
  const groups = ['camera', 'unit', ...(query.groupBy === undefined ? [] : [nameTag(query.groupBy)])];
  return `SELECT ${AGGREGATES[query.aggregate]}("value") AS "value", MAX("${RANK_FIELD}") AS "rank" FROM ${quoteName(query.metric)}
    WHERE ${buildCondition(query, period)}
    GROUP BY time(${stepMs}ms, ${fromMs % stepMs}ms), ${groups.map(quoteName).join(', ')} fill(none)`;
}

export function buildPoints(query: RawQuery, period: { fromMs: number; toMs: number }): string {
  return `SELECT * FROM ${quoteName(query.metric)} WHERE ${buildCondition(query, period)} ORDER BY time LIMIT ${query.limit}`;
}

export function buildLatest({ tag, sites }: LatestQuery, sinceMs: number): string {
  const column = quoteName(nameTag(tag));
  const scope = buildScope(sites);
  return `SELECT LAST("value") AS "value", "${RANK_FIELD}" AS "rank" FROM /.*/
    WHERE time >= ${sinceMs}ms AND ${column} != ''${scope} GROUP BY "site", "node", "camera", "unit", ${column}`;
}

function buildCondition(filter: SeriesFilter, { fromMs, toMs }: { fromMs: number; toMs: number }): string {
  const conditions = [`time >= ${fromMs}ms`, `time < ${toMs}ms`];
  if (filter.includeBad !== true) conditions.push(`"${RANK_FIELD}" < ${BAD_RANK}`);
  if (filter.node !== undefined) conditions.push(`"node" = ${quoteText(filter.node)}`);
  if (filter.camera !== undefined) conditions.push(`"camera" = ${quoteText(filter.camera)}`);
  for (const [name, value] of Object.entries(filter.tags ?? {}))
    conditions.push(`${quoteName(nameTag(name))} = ${quoteText(encodeTagValue(value))}`);
  return conditions.join(' AND ') + buildScope(filter.sites);
}

/** A list of sites that is empty is answered without asking. */
function buildScope(sites: readonly string[] | undefined): string {
  if (sites === undefined) return '';
  return ` AND (${sites.map((site) => `"site" = ${quoteText(site)}`).join(' OR ')})`;
}

export function collectLines(answer: readonly InfluxSeries[], groupBy: string | undefined): SeriesLine[] {
  const lines = answer.map(({ tags = {}, values }): SeriesLine => {
    const group = groupBy === undefined ? undefined : tags[nameTag(groupBy)];
    return {
      ...nameText('group', group),
      ...nameText('camera', tags['camera']),
      ...nameText('unit', tags['unit']),
      points: values.map(([atMs, value, rank]) => ({
        at: toTime(atMs),
        value: Number(value),
        ...nameQuality(Number(rank)),
      })),
    };
  });
  return lines.sort(compareLines);
}

export function collectPoints(metric: string, answer: readonly InfluxSeries[]): RawPoint[] {
  return answer.flatMap(({ columns, values }) =>
    values.map((row) => {
      const cells = new Map(columns.map((column, index) => [column, row[index]]));
      const text = (name: string): unknown => cells.get(name);
      const tags = columns.flatMap((column): [string, string][] => {
        const name = nameOfTag(column);
        const value = cells.get(column);
        return name === undefined || typeof value !== 'string' ? [] : [[name, decodeTagValue(value)]];
      });
      return {
        at: toTime(text('time')),
        metric,
        value: Number(text('value')),
        ...nameText('unit', text('unit')),
        ...nameQuality(Number(text(RANK_FIELD))),
        ...(tags.length === 0 ? {} : { tags: Object.fromEntries(tags) }),
        site: String(text('site')),
        node: String(text('node')),
        ...nameText('camera', text('camera')),
      };
    }),
  );
}

export function collectLatest(answer: readonly InfluxSeries[], tag: string): LatestPoint[] {
  const latest = answer.flatMap(({ name, tags = {}, values }) =>
    values.map(
      ([atMs, value, rank]): LatestPoint => ({
        at: toTime(atMs),
        metric: name,
        value: Number(value),
        ...nameText('unit', tags['unit']),
        ...nameQuality(Number(rank)),
        site: tags['site'] ?? '',
        node: tags['node'] ?? '',
        ...nameText('camera', tags['camera']),
        tag: decodeTagValue(tags[nameTag(tag)] ?? ''),
      }),
    ),
  );
  return latest.sort(compareLatest).slice(0, LATEST_MAX);
}

const toTime = (ms: unknown): string => new Date(Number(ms)).toISOString();

/** InfluxDB writes a tag that is not there as an empty text, or as null in a column. */
function nameText<Name extends string>(name: Name, value: unknown): { [Key in Name]?: string } {
  const isThere = typeof value === 'string' && value !== '';
  return (isThere ? { [name]: decodeTagValue(value) } : {}) as { [Key in Name]?: string };
}
