import type { Kill, LedgerInterval } from './fault-campaign-record.ts';

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

/** The recorded blind time, whatever its reason. */
export function findBlind(intervals: readonly LedgerInterval[]): Stretch[] {
  return joinStretches(intervals.filter(({ state }) => state === 'blind'));
}

/** What no interval speaks of, between the first and the last. */
export function findHoles(intervals: readonly LedgerInterval[]): Stretch[] {
  const known = joinStretches(intervals);
  return known.slice(1).map(({ fromMs }, index) => ({ fromMs: known[index]?.toMs ?? fromMs, toMs: fromMs }));
}

export interface BlindStretch extends Stretch {
  /** Kills of the agent that lie in it. */
  readonly kills: number;
  /** The blind time over the number of its kills, ms; the whole of it where there is none. */
  readonly perKillMs: number;
  readonly reasons: readonly string[];
}

/** A kill is told by a clock of its own, and the ledger ends some frames before it. */
const NEAR_MS = 1_000;

/**
 * Every blind stretch with the kills of the agent that caused it. Kills that come before the agent sees again share one
 * stretch. The first stretch of a camera (its warm-up) and the last (its stop) have no kill.
 */
export function attributeBlind(intervals: readonly LedgerInterval[], kills: readonly Kill[]): BlindStretch[] {
  const agentKills = kills.filter(({ victim }) => victim === 'edge');
  return findBlind(intervals).map(({ fromMs, toMs }) => {
    const caused = agentKills.filter(({ atMs }) => atMs >= fromMs - NEAR_MS && atMs < toMs).length;
    const reasons = intervals.flatMap((interval) =>
      interval.state === 'blind' && interval.fromMs < toMs && interval.toMs > fromMs && interval.reason
        ? [interval.reason]
        : [],
    );
    return {
      ...{ fromMs, toMs, kills: caused, reasons: [...new Set(reasons)] },
      perKillMs: (toMs - fromMs) / Math.max(1, caused),
    };
  });
}
