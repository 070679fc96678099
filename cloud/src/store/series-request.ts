import { NgatuError } from '@ngatu/contract';
import type { SeriesQuery } from './series-store.ts';

const BUCKETS_MAX = 10_000;

interface SeriesPeriod {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
}

/**
 * The period of a query in ms since 1970.
 * @throws NgatuError REQUEST_INVALID
 */
export function readSeriesPeriod({ from, to, stepMs }: SeriesQuery): SeriesPeriod {
  const fromMs = Date.parse(from);
  const toMs = Date.parse(to);
  const buckets = (toMs - fromMs) / stepMs;
  if (!Number.isInteger(stepMs) || stepMs < 1 || !(buckets > 0) || buckets > BUCKETS_MAX) {
    throw new NgatuError(
      'REQUEST_INVALID',
      `Cannot query series: the period must be positive and hold at most ${BUCKETS_MAX} whole steps of at least 1 ms`,
    );
  }
  return { fromMs, toMs, stepMs };
}
