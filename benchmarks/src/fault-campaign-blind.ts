import type { FaultRecord, LedgerInterval } from './fault-campaign-record.ts';

/** A stretch of time, half-open, ms since 1970. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Joins stretches that overlap or touch; oldest first. */
export function joinStretches(stretches: readonly Stretch[]): Stretch[] {
  const joined: { fromMs: number; toMs: number }[] = [];
  for (const { fromMs, toMs } of [...stretches].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = joined.at(-1);
    if (last !== undefined && fromMs <= last.toMs) last.toMs = Math.max(last.toMs, toMs);
    else joined.push({ fromMs, toMs });
  }
  return joined;
}

/**
 * The ledger as the centre reads it: where two intervals claim the same time, as they do after a clock was wrong, the one that ends first
 * counts. What a wrong clock put outside of the period was never in it.
 */
export function untangleIntervals(
  intervals: readonly LedgerInterval[],
  { begunMs, endedMs }: { readonly begunMs: number; readonly endedMs: number },
): LedgerInterval[] {
  let coveredMs = begunMs;
  return [...intervals]
    .sort((a, b) => a.toMs - b.toMs || a.fromMs - b.fromMs)
    .flatMap((interval) => {
      const fromMs = Math.max(interval.fromMs, coveredMs);
      const toMs = Math.min(interval.toMs, endedMs);
      if (fromMs >= toMs) return [];
      coveredMs = toMs;
      return { ...interval, fromMs, toMs };
    });
}

/** The recorded blind time, whatever its reason. */
export function findBlind(intervals: readonly LedgerInterval[]): Stretch[] {
  return joinStretches(intervals.filter(({ state }) => state === 'blind'));
}

/** What no interval speaks of, between the first and the last. */
export function findHoles(intervals: readonly Stretch[]): Stretch[] {
  const known = joinStretches(intervals);
  return known.slice(1).map(({ fromMs }, index) => ({ fromMs: known[index]?.toMs ?? fromMs, toMs: fromMs }));
}

export interface BlindStretch extends Stretch {
  /** Faults of sight that lie in it. */
  readonly faults: number;
  /** Blind from the end of the cause on, over the number of its faults, ms; the whole stretch where there is none. */
  readonly perFaultMs: number;
  readonly reasons: readonly string[];
}

/** A fault is told by a clock of its own, and the ledger ends some frames before it. */
const NEAR_MS = 1_000;

/**
 * Every blind stretch with the faults that caused it. Faults that come before the agent sees again share one stretch. The first
 * stretch of a camera (its warm-up) and the last (its stop) have none.
 */
export function attributeBlind(
  intervals: readonly LedgerInterval[],
  faults: readonly FaultRecord[],
): BlindStretch[] {
  const ofSight = faults.filter(({ lanes, skipped }) => lanes.includes('sight') && skipped === undefined);
  return findBlind(intervals).map(({ fromMs, toMs }) => {
    const caused = ofSight.filter((fault) => fault.toMs >= fromMs - NEAR_MS && fault.fromMs < toMs);
    const heldMs = joinStretches(
      caused.map((fault) => ({ fromMs: Math.max(fault.fromMs, fromMs), toMs: Math.min(fault.toMs, toMs) })),
    ).reduce((sum, held) => sum + Math.max(0, held.toMs - held.fromMs), 0);
    const reasons = intervals.flatMap((interval) =>
      interval.state === 'blind' && interval.fromMs < toMs && interval.toMs > fromMs && interval.reason
        ? [interval.reason]
        : [],
    );
    return {
      ...{ fromMs, toMs, faults: caused.length, reasons: [...new Set(reasons)] },
      perFaultMs: (toMs - fromMs - heldMs) / Math.max(1, caused.length),
    };
  });
}
