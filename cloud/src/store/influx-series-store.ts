import { createHash } from 'node:crypto';
import { HttpError, InfluxDB, Point, setLogger, type WriteApi } from '@influxdata/influxdb-client';
import { errorMessage, NgatuError } from '@ngatu/contract';
import {
  buildLatest,
  buildPoints,
  buildQuery,
  collectLatest,
  collectLines,
  collectPoints,
  type InfluxSeries,
  RANK_FIELD,
} from './influx-series-query.ts';
import { encodeTagValue, nameTag, quoteName } from './influx-series-text.ts';
import { rankQuality, readRawPeriod, readSeriesPeriod, readSince } from './series-request.ts';
import type {
  LatestPoint,
  LatestQuery,
  RawPoint,
  RawQuery,
  SeriesLine,
  SeriesPoint,
  SeriesQuery,
  SeriesStore,
} from './series-store.ts';

const TIMEOUT_MS = 30_000;
/** Points of one request: InfluxDB's own advice. */
const POINTS_AT_ONCE = 5_000;
const BYTES_AT_ONCE = 20 * 1024 * 1024;
const NS_PER_MS = 1_000_000n;

export interface InfluxSettings {
  readonly url: string;
  /** Made where it is not there, unless there is a token: InfluxDB 2.x and 3.x make theirs by other means. */
  readonly database: string;
  readonly username?: string;
  readonly password?: string;
  /** Of InfluxDB 2.x and 3.x, instead of user and password. */
  readonly token?: string;
}

/**
 * Time series in InfluxDB, written through its client and read by InfluxQL. A metric is a measurement; site, node, camera, unit and the
 * measurement's tags are tags. Within its millisecond a point stands at a nanosecond made of its key: written again it falls on itself,
 * and two points of one series and millisecond stay two (but for one pair in a million).
 */
export class InfluxSeriesStore implements SeriesStore {
  readonly #settings: InfluxSettings;
  readonly #influx: InfluxDB;
  readonly #closing = new AbortController();
  /** The making of the database; undefined where it has to be made (again). */
  #made: Promise<void> | undefined;

  private constructor(settings: InfluxSettings) {
    this.#settings = settings;
    const headers = buildHeaders(settings);
    const writeOptions = { batchSize: POINTS_AT_ONCE + 1, maxBatchBytes: BYTES_AT_ONCE, flushInterval: 0 };
    this.#influx = new InfluxDB({
      url: settings.url,
      timeout: TIMEOUT_MS,
      headers,
      writeOptions: { ...writeOptions, maxRetries: 0 },
    });
  }

  /** Opens the store without asking the server: what it cannot do then says each call, and the next one tries again. */
  static open(settings: InfluxSettings): InfluxSeriesStore {
    // each failure is thrown; the client would write it to the console as well
    setLogger({ error: () => undefined, warn: () => undefined });
    return new InfluxSeriesStore(settings);
  }

  async write(points: readonly SeriesPoint[]): Promise<void> {
    if (points.length > 0) await this.#make();
    for (let from = 0; from < points.length; from += POINTS_AT_ONCE)
      await this.#writeSome(points.slice(from, from + POINTS_AT_ONCE));
  }

  async query(query: SeriesQuery): Promise<SeriesLine[]> {
    const period = readSeriesPeriod(query);
    if (query.sites?.length === 0) return [];
    return collectLines(await this.#read(buildQuery(query, period)), query.groupBy);
  }

  async listPoints(query: RawQuery): Promise<RawPoint[]> {
    const period = readRawPeriod(query);
    if (query.sites?.length === 0) return [];
    return collectPoints(query.metric, await this.#read(buildPoints(query, period)));
  }

  async listLatest(query: LatestQuery): Promise<LatestPoint[]> {
    const sinceMs = readSince(query.since);
    if (query.sites?.length === 0) return [];
    return collectLatest(await this.#read(buildLatest(query, sinceMs)), query.tag);
  }

  async close(): Promise<void> {
    this.#closing.abort();
  }

  async #writeSome(points: readonly SeriesPoint[]): Promise<void> {
    if (this.#closing.signal.aborted) throw toUnavailable('write', new Error('the store is closed'), true);
    const writer = this.#influx.getWriteApi('', this.#settings.database, 'ns') as WriteApi & { path: string };
    writer.path = `/write?db=${encodeURIComponent(this.#settings.database)}&precision=ns`;
    try {
      writer.writePoints(points.map(toInfluxPoint));
      await writer.close();
    } catch (error) {
      if (isTooOld(error)) return;
      const isRefused = error instanceof HttpError && error.statusCode >= 400 && error.statusCode < 500;
      if (isRefused) this.#made = undefined;
      throw toUnavailable('write', error, !isRefused);
    }
  }

  async #read(statement: string): Promise<InfluxSeries[]> {
    await this.#make();
    return this.#ask(statement);
  }

  /** Makes the database once; a failure is forgotten, so that the next call tries again. */
  async #make(): Promise<void> {
    const { token, database } = this.#settings;
    if (token !== undefined) return;
    this.#made ??= this.#ask(`CREATE DATABASE ${quoteName(database)}`, 'POST').then(() => undefined);
    try {
      await this.#made;
    } catch (error) {
      this.#made = undefined;
      throw error;
    }
  }

  async #ask(statement: string, method: 'GET' | 'POST' = 'GET'): Promise<InfluxSeries[]> {
    const { url, database } = this.#settings;
    const target = new URL('/query', url);
    target.search = new URLSearchParams({ db: database, q: statement, epoch: 'ms' }).toString();
    try {
      const response = await fetch(target, {
        method,
        headers: buildHeaders(this.#settings),
        signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      return readAnswer(response.status, await response.json());
    } catch (error) {
      throw error instanceof NgatuError ? error : toUnavailable('query', error, true);
    }
  }
}

/**
 * InfluxDB took what its retention policy lets it keep, and left the rest out: whoever set the policy wants it so, and to write it again
 * would never end.
 */
function isTooOld(error: unknown): boolean {
  return (
    error instanceof HttpError && error.statusCode === 400 && /beyond retention policy/.test(error.body ?? '')
  );
}

function buildHeaders({ username, password = '', token }: InfluxSettings): Record<string, string> {
  if (token !== undefined) return { authorization: `Token ${token}` };
  if (username === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

function toInfluxPoint(point: SeriesPoint): Point {
  const { at, metric, site, node, camera, unit, quality, value, tags = {} } = point;
  const made = new Point(metric).tag('site', site).tag('node', node);
  if (camera !== undefined) made.tag('camera', camera);
  if (unit !== undefined) made.tag('unit', encodeTagValue(unit));
  for (const [name, text] of Object.entries(tags)) made.tag(nameTag(name), encodeTagValue(text));
  return made
    .floatField('value', value)
    .intField(RANK_FIELD, rankQuality(quality))
    .timestamp(String(BigInt(Date.parse(at)) * NS_PER_MS + computePlace(point)));
}

/** Nanosecond within the millisecond, 0–999,999, from the key of a point. */
function computePlace({ outboxId, seq, ordinal }: SeriesPoint): bigint {
  const digest = createHash('sha256').update(`${outboxId} ${seq} ${ordinal}`).digest();
  return digest.readBigUInt64BE() % NS_PER_MS;
}

function readAnswer(status: number, answer: unknown): InfluxSeries[] {
  const { error, results } = (answer ?? {}) as {
    error?: string;
    results?: { error?: string; partial?: boolean; series?: (InfluxSeries & { partial?: boolean })[] }[];
  };
  const [result = {}] = results ?? [];
  const said = error ?? result.error;
  if (said !== undefined || status >= 400)
    throw toUnavailable('query', said ?? `it answered ${status}`, status >= 500);
  const series = result.series ?? [];
  if (result.partial === true || series.some(({ partial }) => partial === true))
    throw toUnavailable('query', 'its limit of rows cut the answer short', false);
  return series;
}

function toUnavailable(what: string, error: unknown, retryable: boolean): NgatuError {
  const message = `Cannot ${what} series in InfluxDB: ${typeof error === 'string' ? error : errorMessage(error)}`;
  return new NgatuError('STORE_UNAVAILABLE', message, { retryable, cause: error });
}
