import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, MAP, mapValue, VARCHAR } from '@duckdb/node-api';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { readSeriesPeriod } from './series-request.ts';
import type { SeriesLine, SeriesPoint, SeriesQuery, SeriesStore } from './series-store.ts';

/**
 * `message` remembers which messages are in: one row a message, not a point, so that the only index stays small. It is
 * written in the transaction of the points.
 */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS source (source_id INTEGER PRIMARY KEY, outbox_id VARCHAR NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS message (source_id INTEGER, seq BIGINT, PRIMARY KEY (source_id, seq));
CREATE TABLE IF NOT EXISTS point (
  at_ms BIGINT NOT NULL,
  metric VARCHAR NOT NULL,
  site VARCHAR NOT NULL,
  node VARCHAR NOT NULL,
  camera VARCHAR,
  value DOUBLE NOT NULL,
  tags MAP(VARCHAR, VARCHAR)
);
`;

const AGGREGATES = {
  sum: 'sum(value)',
  mean: 'avg(value)',
  max: 'max(value)',
  min: 'min(value)',
  last: 'arg_max(value, at_ms)',
} as const;

const MEMORY_LIMIT = '256MB';
const THREADS = '2';

/** Time series in one DuckDB file, held by one process. */
export class DuckdbSeriesStore implements SeriesStore {
  readonly #instance: DuckDBInstance;
  readonly #writer: DuckDBConnection;
  readonly #reader: DuckDBConnection;
  readonly #sources: Map<string, number>;
  /** Writes are transactions of one connection: each waits for the one before. */
  #lastWrite: Promise<void> = Promise.resolve();

  private constructor(
    instance: DuckDBInstance,
    connections: { writer: DuckDBConnection; reader: DuckDBConnection },
    sources: Map<string, number>,
  ) {
    this.#instance = instance;
    this.#writer = connections.writer;
    this.#reader = connections.reader;
    this.#sources = sources;
  }

  /** @throws NgatuError STORE_CORRUPT, STORE_UNAVAILABLE (another process holds it; retryable) */
  static async open(file: string): Promise<DuckdbSeriesStore> {
    try {
      mkdirSync(dirname(file), { recursive: true });
      const instance = await DuckDBInstance.create(file, { memory_limit: MEMORY_LIMIT, threads: THREADS });
      const writer = await instance.connect();
      const reader = await instance.connect();
      await writer.run(SCHEMA);
      const rows = (await writer.runAndReadAll('SELECT outbox_id, source_id FROM source')).getRows();
      const sources = new Map(rows.map(([outboxId, sourceId]) => [String(outboxId), Number(sourceId)]));
      return new DuckdbSeriesStore(instance, { writer, reader }, sources);
    } catch (error) {
      const held = errorMessage(error).includes('Could not set lock');
      const code = held ? 'STORE_UNAVAILABLE' : 'STORE_CORRUPT';
      const message = `Cannot open series database "${file}": ${errorMessage(error)}`;
      throw new NgatuError(code, message, { retryable: held, cause: error });
    }
  }

  async write(points: readonly SeriesPoint[]): Promise<void> {
    if (points.length === 0) return;
    const write = this.#lastWrite.then(() => this.#writeNow(points));
    this.#lastWrite = write.catch(() => undefined);
    await write;
  }

  async query(query: SeriesQuery): Promise<SeriesLine[]> {
    const period = readSeriesPeriod(query);
    const { sql, values } = buildQuery(query, period);
    try {
      const rows = (await this.#reader.runAndReadAll(sql, values)).getRows();
      return collectLines(rows);
    } catch (error) {
      throw toUnavailable('query', error);
    }
  }

  async close(): Promise<void> {
    await this.#lastWrite;
    this.#reader.closeSync();
    this.#writer.closeSync();
    this.#instance.closeSync();
  }

  async #writeNow(points: readonly SeriesPoint[]): Promise<void> {
    await this.#writer.run('BEGIN TRANSACTION').catch((error: unknown) => {
      throw toUnavailable('write', error);
    });
    const added = new Map<string, number>();
    try {
      for (const { outboxId } of points) await this.#ensureSource(outboxId, added);
      const fresh = await this.#claimMessages(points, added);
      // A batch may hold a message and its redelivery.
      const unique = new Map<string, SeriesPoint>();
      for (const point of points) {
        const message = `${point.outboxId} ${point.seq}`;
        if (fresh.has(message)) unique.set(`${message} ${point.ordinal}`, point);
      }
      await this.#appendPoints([...unique.values()]);
      await this.#writer.run('COMMIT');
    } catch (error) {
      // The transaction may have ended with the failure; then there is nothing to roll back.
      await this.#writer.run('ROLLBACK').catch(() => undefined);
      throw toUnavailable('write', error);
    }
    for (const [outboxId, sourceId] of added) this.#sources.set(outboxId, sourceId);
  }

  async #ensureSource(outboxId: string, added: Map<string, number>): Promise<void> {
    if (this.#sources.has(outboxId) || added.has(outboxId)) return;
    const sourceId = this.#sources.size + added.size + 1;
    await this.#writer.run('INSERT INTO source VALUES (?, ?)', [sourceId, outboxId]);
    added.set(outboxId, sourceId);
  }

  /** Enters the messages that are not in yet and returns them as `outboxId seq`. */
  async #claimMessages(
    points: readonly SeriesPoint[],
    added: ReadonlyMap<string, number>,
  ): Promise<Set<string>> {
    const messages = new Map<string, { key: string; sourceId: number; seq: number }>();
    for (const { outboxId, seq } of points) {
      const sourceId = this.#sources.get(outboxId) ?? added.get(outboxId);
      if (sourceId === undefined) throw new Error(`outbox ${outboxId} has no source`);
      messages.set(`${sourceId} ${seq}`, { key: `${outboxId} ${seq}`, sourceId, seq });
    }
    const list = [...messages.values()];
    const result = await this.#writer.runAndReadAll(
      `INSERT INTO message VALUES ${list.map(() => '(?, ?)').join(', ')} ON CONFLICT DO NOTHING RETURNING source_id, seq`,
      list.flatMap(({ sourceId, seq }) => [sourceId, BigInt(seq)]),
    );
    const claimed = result.getRows().map(([sourceId, seq]) => messages.get(`${sourceId} ${seq}`)?.key);
    return new Set(claimed.filter((key) => key !== undefined));
  }

  async #appendPoints(points: readonly SeriesPoint[]): Promise<void> {
    if (points.length === 0) return;
    const appender = await this.#writer.createAppender('point');
    const tagsType = MAP(VARCHAR, VARCHAR);
    try {
      for (const { at, metric, site, node, camera, value, tags } of points) {
        appender.appendBigInt(BigInt(Date.parse(at)));
        appender.appendVarchar(metric);
        appender.appendVarchar(site);
        appender.appendVarchar(node);
        if (camera === undefined) appender.appendNull();
        else appender.appendVarchar(camera);
        appender.appendDouble(value);
        const entries = Object.entries(tags ?? {}).map(([key, tag]) => ({ key, value: tag }));
        appender.appendMap(mapValue(entries), tagsType);
        appender.endRow();
      }
      appender.flushSync();
    } finally {
      appender.closeSync();
    }
  }
}

function toUnavailable(what: string, error: unknown): NgatuError {
  return new NgatuError('STORE_UNAVAILABLE', `Cannot ${what} series: ${errorMessage(error)}`, {
    retryable: true,
    cause: error,
  });
}

function buildQuery(
  query: SeriesQuery,
  { fromMs, toMs, stepMs }: { fromMs: number; toMs: number; stepMs: number },
): { sql: string; values: (string | bigint)[] } {
  const conditions = ['metric = ?', 'at_ms >= ?', 'at_ms < ?'];
  const values: (string | bigint)[] = [query.metric, BigInt(fromMs), BigInt(toMs)];
  if (query.camera !== undefined) {
    conditions.push('camera = ?');
    values.push(query.camera);
  }
  if (query.sites !== undefined) {
    conditions.push(
      query.sites.length === 0 ? 'false' : `site IN (${query.sites.map(() => '?').join(', ')})`,
    );
    values.push(...query.sites);
  }
  for (const [name, value] of Object.entries(query.tags ?? {})) {
    conditions.push('tags[?] = ?');
    values.push(name, value);
  }
  const group = query.groupBy === undefined ? 'NULL' : 'tags[?]';
  const bucket = '(? + (at_ms - ?) // ? * ?)::BIGINT';
  const sql = `SELECT camera, ${group} AS line_group, ${bucket} AS bucket_ms, ${AGGREGATES[query.aggregate]}
    FROM point WHERE ${conditions.join(' AND ')} GROUP BY 1, 2, 3 ORDER BY 1 NULLS FIRST, 2 NULLS FIRST, 3`;
  const leading = query.groupBy === undefined ? [] : [query.groupBy];
  const [from, step] = [BigInt(fromMs), BigInt(stepMs)];
  return { sql, values: [...leading, from, from, step, step, ...values] };
}

function collectLines(rows: readonly (readonly unknown[])[]): SeriesLine[] {
  const lines = new Map<
    string,
    { group?: string; camera?: string; points: { at: string; value: number }[] }
  >();
  for (const [camera, group, bucketMs, value] of rows) {
    const key = JSON.stringify([camera, group]);
    let line = lines.get(key);
    if (line === undefined) {
      line = {
        ...(group === null ? {} : { group: String(group) }),
        ...(camera === null ? {} : { camera: String(camera) }),
        points: [],
      };
      lines.set(key, line);
    }
    line.points.push({ at: new Date(Number(bucketMs)).toISOString(), value: Number(value) });
  }
  return [...lines.values()];
}
