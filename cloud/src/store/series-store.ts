import type { Measurement } from '@ngatu/contract';

/** A measurement with its origin. `key` (outbox, seq, place in message) makes a second write of it a no-op. */
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
  readonly tags?: Readonly<Record<string, string>>;
  /** Tag by which lines are split. */
  readonly groupBy?: string;
}

export interface SeriesLine {
  readonly group?: string;
  readonly camera?: string;
  readonly points: readonly { readonly at: string; readonly value: number }[];
}

/** Time series. Implementations: DuckDB (embedded, one process only) and the client of an ingestor that holds one. */
export interface SeriesStore {
  write(points: readonly SeriesPoint[]): Promise<void>;
  query(query: SeriesQuery): Promise<SeriesLine[]>;
  close(): Promise<void>;
}
