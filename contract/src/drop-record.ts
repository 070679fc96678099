import type { Measurement, Telemetry } from './telemetry.ts';

/** Numbers `from` to `to`, both inclusive. */
export interface SeqRange {
  readonly from: number;
  readonly to: number;
}

/** Metric of one dropped stretch: its value is how many numbers it holds, its tags `fromSeq` and `toSeq` say which. */
export const DROPPED_METRIC = 'outboxDropped';

/**
 * What a full outbox says of the telemetry that it dropped: a hole in the numbers that is explained is not a loss. The
 * measurements travel in a numbered telemetry message of their own.
 */
export function buildDropMeasurements(ranges: readonly SeqRange[], at: string): Measurement[] {
  return ranges.map(({ from, to }) => ({
    at,
    metric: DROPPED_METRIC,
    value: to - from + 1,
    tags: { fromSeq: String(from), toSeq: String(to) },
  }));
}

/** The dropped stretches that message number `seq` explains. A stretch that does not lie below `seq` is ignored. */
export function readDropRanges(telemetry: Telemetry, seq: number): SeqRange[] {
  const ranges: SeqRange[] = [];
  for (const { metric, tags } of telemetry.measurements) {
    if (metric !== DROPPED_METRIC || tags === undefined) continue;
    const from = Number(tags['fromSeq']);
    const to = Number(tags['toSeq']);
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to)) continue;
    if (from >= 1 && from <= to && to < seq) ranges.push({ from, to });
  }
  return ranges;
}
