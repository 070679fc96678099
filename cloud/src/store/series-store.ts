import type { Measurement, ReadingQuality } from '@ngatu/contract';

/**
 * A measurement with its origin. `key` (outbox, seq, place in message) makes a second write of it a no-op; all points of
 * one message come in one write.
 */
export interface SeriesPoint extends Measurement {
  readonly site: string;
  readonly node: string;
  readonly camera?: string;
  readonly outboxId: string;
  readonly seq: number;
  readonly ordinal: number;
}

/** Which points are meant. */
export interface SeriesFilter {
  readonly metric: string;
  readonly from: string;
  readonly to: string;
  readonly node?: string;
  readonly camera?: string;
  /** Only measurements of these sites; an empty list finds none. */
  readonly sites?: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
  /** Readings of quality `bad` as well; without it they are left out. */
  readonly includeBad?: boolean;
}

export interface SeriesQuery extends SeriesFilter {
  /** Bucket width, ms. */
  readonly stepMs: number;
  readonly aggregate: 'sum' | 'mean' | 'max' | 'min' | 'last';
  /** Tag by which lines are split. */
  readonly groupBy?: string;
}

export interface SeriesBucket {
  readonly at: string;
  readonly value: number;
  /** The worst among the points of the bucket; absent where none says one. */
  readonly quality?: ReadingQuality;
}

/**
 * One line a camera (the points of no camera are a line without one), a unit, and a value of `groupBy` where that was asked: what is
 * measured in two units is never added up.
 */
export interface SeriesLine {
  readonly group?: string;
  readonly camera?: string;
  readonly unit?: string;
  readonly points: readonly SeriesBucket[];
}

/** A point as it was measured, with its origin but without its key. */
export type RawPoint = Omit<SeriesPoint, 'outboxId' | 'seq' | 'ordinal'>;

export interface RawQuery extends SeriesFilter {
  /** At most so many, the earliest first; 1 to 10,000. */
  readonly limit: number;
}

export interface LatestQuery {
  /** Tag that a series must carry to be listed, such as `sensor`. */
  readonly tag: string;
  /** Series without a point since then are left out. */
  readonly since: string;
  /** Only measurements of these sites; an empty list finds none. */
  readonly sites?: readonly string[];
}

/** The newest point of a series, whatever its quality; `tag` is the value of the tag that was asked for. */
export interface LatestPoint extends Omit<RawPoint, 'tags'> {
  readonly tag: string;
}

/**
 * Time series. Implementations: DuckDB (embedded, one process only), InfluxDB, and the client of an ingestor that holds one. What
 * comes late stands where it belongs: buckets are made of the points when they are asked for.
 */
export interface SeriesStore {
  /**
   * When it resolves, the points survive a power cut.
   * @throws NgatuError STORE_UNAVAILABLE (nothing, or with InfluxDB perhaps a part, was written: the same points may be written again)
   */
  write(points: readonly SeriesPoint[]): Promise<void>;
  /**
   * Lines in order of camera, group and unit; a point stands at the start of its bucket, an empty bucket has none.
   * @throws NgatuError REQUEST_INVALID (period, step, or more than 10,000 buckets), STORE_UNAVAILABLE
   */
  query(query: SeriesQuery): Promise<SeriesLine[]>;
  /**
   * Points as they were measured, the earliest first.
   * @throws NgatuError REQUEST_INVALID (period, limit), STORE_UNAVAILABLE
   */
  listPoints(query: RawQuery): Promise<RawPoint[]>;
  /**
   * The newest point of each series that carries the tag, in order of site, node, tag and metric; 10,000 at most.
   * @throws NgatuError REQUEST_INVALID (time), STORE_UNAVAILABLE
   */
  listLatest(query: LatestQuery): Promise<LatestPoint[]>;
  close(): Promise<void>;
}
