import { NgatuError, type ReadingQuality } from '@ngatu/contract';
import type { LatestPoint, RawQuery, SeriesLine, SeriesQuery } from './series-store.ts';

const BUCKETS_MAX = 10_000;
const POINTS_MAX = 10_000;
/** Series that `listLatest` answers at most. */
export const LATEST_MAX = 10_000;

interface SeriesPeriod {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Qualities from the best; their place is how they are ranked in the stores, from 1. */
const QUALITIES: readonly ReadingQuality[] = ['good', 'uncertain', 'bad'];

/** Rank of a quality: 1 good, 2 uncertain, 3 bad; 0 where nothing is said. */
export function rankQuality(quality: ReadingQuality | undefined): number {
  return quality === undefined ? 0 : QUALITIES.indexOf(quality) + 1;
}

/** The quality of a rank as a field that is absent where nothing was said. */
export function nameQuality(rank: number): { quality?: ReadingQuality } {
  const quality = QUALITIES[rank - 1];
  return quality === undefined ? {} : { quality };
}

/**
 * The period of a query in ms since 1970.
 * @throws NgatuError REQUEST_INVALID
 */
export function readSeriesPeriod({
  from,
  to,
  stepMs,
}: SeriesQuery): SeriesPeriod & { readonly stepMs: number } {
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

/**
 * The period of a query for points in ms since 1970.
 * @throws NgatuError REQUEST_INVALID
 */
export function readRawPeriod({ from, to, limit }: RawQuery): SeriesPeriod {
  const fromMs = Date.parse(from);
  const toMs = Date.parse(to);
  if (!(toMs > fromMs) || !Number.isInteger(limit) || limit < 1 || limit > POINTS_MAX) {
    throw new NgatuError(
      'REQUEST_INVALID',
      `Cannot list points: the period must be positive and the limit 1 to ${POINTS_MAX}`,
    );
  }
  return { fromMs, toMs };
}

/** @throws NgatuError REQUEST_INVALID */
export function readSince(since: string): number {
  const sinceMs = Date.parse(since);
  if (!Number.isFinite(sinceMs))
    throw new NgatuError('REQUEST_INVALID', 'Cannot list series: since when is no time');
  return sinceMs;
}

const byText = (a = '', b = ''): number => (a < b ? -1 : a > b ? 1 : 0);

export function compareLines(a: SeriesLine, b: SeriesLine): number {
  return byText(a.camera, b.camera) || byText(a.group, b.group) || byText(a.unit, b.unit);
}

export function compareLatest(a: LatestPoint, b: LatestPoint): number {
  return (
    byText(a.site, b.site) || byText(a.node, b.node) || byText(a.tag, b.tag) || byText(a.metric, b.metric)
  );
}
