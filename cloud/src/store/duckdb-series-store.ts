import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBInstance,
  MAP,
  mapValue,
  VARCHAR,
} from '@duckdb/node-api';
import { errorMessage, NgatuError } from '@ngatu/contract';
import {
  buildLatest,
  buildPoints,
  buildQuery,
  collectLatest,
  collectLines,
  collectPoints,
} from './duckdb-series-query.ts';
import { readRawPeriod, readSeriesPeriod, readSince } from './series-request.ts';
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
ALTER TABLE point ADD COLUMN IF NOT EXISTS unit VARCHAR;
ALTER TABLE point ADD COLUMN IF NOT EXISTS quality VARCHAR;
`;

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
    return collectLines(await this.#read(buildQuery(query, readSeriesPeriod(query))));
  }

  async listPoints(query: RawQuery): Promise<RawPoint[]> {
    return collectPoints(query.metric, await this.#read(buildPoints(query, readRawPeriod(query))));
  }

  async listLatest(query: LatestQuery): Promise<LatestPoint[]> {
    return collectLatest(await this.#read(buildLatest(query, readSince(query.since))));
  }

  async close(): Promise<void> {
    await this.#lastWrite;
    this.#reader.closeSync();
    this.#writer.closeSync();
    this.#instance.closeSync();
  }

  async #read({ sql, values }: { sql: string; values: (string | bigint)[] }): Promise<unknown[][]> {
    try {
      return (await this.#reader.runAndReadAll(sql, values)).getRows();
    } catch (error) {
      throw toUnavailable('query', error);
    }
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
      for (const { at, metric, site, node, camera, value, tags, unit, quality } of points) {
        appender.appendBigInt(BigInt(Date.parse(at)));
        appender.appendVarchar(metric);
        appender.appendVarchar(site);
        appender.appendVarchar(node);
        appendText(appender, camera);
        appender.appendDouble(value);
        const entries = Object.entries(tags ?? {}).map(([key, tag]) => ({ key, value: tag }));
        appender.appendMap(mapValue(entries), tagsType);
        appendText(appender, unit);
        appendText(appender, quality);
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

function appendText(appender: DuckDBAppender, text: string | undefined): void {
  if (text === undefined) appender.appendNull();
  else appender.appendVarchar(text);
}
