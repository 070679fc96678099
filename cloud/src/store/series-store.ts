import type { Measurement } from '@ngatu/contract';

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

export interface SeriesQuery {
  readonly metric: string;
  readonly from: string;
  readonly to: string;
  /** Bucket width, ms. */
  readonly stepMs: number;
  readonly aggregate: 'sum' | 'mean' | 'max' | 'min' | 'last';
  readonly camera?: string;
  /** Only measurements of these sites; an empty list finds none. */
  readonly sites?: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
  /** Tag by which lines are split. */
  readonly groupBy?: string;
}

/** One line a camera (the points of no camera are a line without one), and a value of `groupBy` where that was asked. */
export interface SeriesLine {
  readonly group?: string;
  readonly camera?: string;
  readonly points: readonly { readonly at: string; readonly value: number }[];
}

/** Time series. Implementations: DuckDB (embedded, one process only) and the client of an ingestor that holds one. */
export interface SeriesStore {
  /** When it resolves, the points survive a power cut. @throws NgatuError STORE_UNAVAILABLE (nothing was written) */
  write(points: readonly SeriesPoint[]): Promise<void>;
  /**
   * Lines in order of camera and group; a point stands at the start of its bucket, an empty bucket has none.
   * @throws NgatuError REQUEST_INVALID (period, step, or more than 10,000 buckets), STORE_UNAVAILABLE
   */
  query(query: SeriesQuery): Promise<SeriesLine[]>;
  close(): Promise<void>;
}
