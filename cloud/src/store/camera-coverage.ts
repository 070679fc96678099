import type { CameraInterval } from '@ngatu/contract';
import type Database from 'better-sqlite3';
import type { CameraCoverage } from './event-store.ts';
import { ReadinessRecords } from './readiness-records.ts';

interface CameraRow {
  readonly site: string;
  readonly node: string;
  readonly camera: string;
  readonly lastToMs: number;
  readonly lastState: CameraCoverage['lastState'];
  readonly lastReason: string | null;
}

interface IntervalRow {
  readonly fromMs: number;
  readonly toMs: number;
  readonly state: CameraInterval['state'];
  readonly reason: NonNullable<CameraInterval['reason']> | null;
  readonly framesDecoded: number;
  readonly framesAnalysed: number;
  readonly framesDropped: number;
}

const GAPS_LISTED = 100;

/** Reads the ledger of every camera over a period. */
export class CoverageReader {
  readonly #readiness: ReadinessRecords;
  readonly #cameras: Database.Statement<[{ sites: string | null }], CameraRow>;
  readonly #intervals: Database.Statement<[string, string, string, number], IntervalRow>;

  constructor(database: Database.Database) {
    this.#readiness = new ReadinessRecords(database);
    this.#cameras = database.prepare(
      `SELECT site, node, camera, last_to_ms AS lastToMs, last_state AS lastState, last_reason AS lastReason
         FROM camera WHERE @sites IS NULL OR site IN (SELECT value FROM json_each(@sites))
         ORDER BY site, node, camera`,
    );
    this.#intervals = database.prepare(
      `SELECT from_ms AS fromMs, to_ms AS toMs, state, reason, frames_decoded AS framesDecoded,
         frames_analysed AS framesAnalysed, frames_dropped AS framesDropped
         FROM camera_interval WHERE site = ? AND node = ? AND camera = ? AND to_ms > ? ORDER BY to_ms, from_ms`,
    );
  }

  /** With `sites` only their cameras. */
  list(period: { fromMs: number; toMs: number }, sites?: readonly string[]): CameraCoverage[] {
    return this.#cameras.all({ sites: sites === undefined ? null : JSON.stringify(sites) }).map((row) => {
      const { site, node, camera, lastToMs, lastState, lastReason } = row;
      const readiness = this.#readiness.get(row);
      return {
        site,
        node,
        camera,
        lastState,
        ...(lastReason === null ? {} : { lastReason }),
        lastReportAt: new Date(lastToMs).toISOString(),
        ...(readiness === undefined ? {} : { readiness }),
        blockedByRule: this.#readiness.sumBlocked(row, period),
        ...sumIntervals(this.#intervals.iterate(site, node, camera, period.fromMs), period),
      };
    });
  }
}

/** Adds up intervals in order of their ends. What two of them claim counts once, for the earlier one. */
function sumIntervals(
  intervals: Iterable<IntervalRow>,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Pick<CameraCoverage, 'analysedMs' | 'degradedMs' | 'blindMs' | 'unreportedMs' | 'blindByReason' | 'gaps'> {
  const sums = { analysed: 0, degraded: 0, blind: 0 };
  const blindByReason: Record<string, number> = {};
  const gaps: IntervalRow[] = [];
  let coveredTo = fromMs;
  for (const interval of intervals) {
    if (interval.fromMs >= toMs) break;
    const durationMs = Math.min(interval.toMs, toMs) - Math.max(interval.fromMs, coveredTo);
    if (durationMs <= 0) continue;
    coveredTo = Math.min(interval.toMs, toMs);
    sums[interval.state] += durationMs;
    if (interval.state === 'analysed') continue;
    if (interval.state === 'blind') {
      const reason = interval.reason ?? 'unnamed';
      blindByReason[reason] = (blindByReason[reason] ?? 0) + durationMs;
    }
    addGap(gaps, interval);
  }
  const covered = sums.analysed + sums.degraded + sums.blind;
  return {
    analysedMs: sums.analysed,
    degradedMs: sums.degraded,
    blindMs: sums.blind,
    unreportedMs: Math.max(0, toMs - fromMs - covered),
    blindByReason,
    gaps: gaps.reverse().map(toInterval),
  };
}

function addGap(gaps: IntervalRow[], next: IntervalRow): void {
  const last = gaps.at(-1);
  if (
    last !== undefined &&
    last.toMs === next.fromMs &&
    last.state === next.state &&
    last.reason === next.reason
  ) {
    gaps[gaps.length - 1] = {
      ...last,
      toMs: next.toMs,
      framesDecoded: last.framesDecoded + next.framesDecoded,
      framesAnalysed: last.framesAnalysed + next.framesAnalysed,
      framesDropped: last.framesDropped + next.framesDropped,
    };
    return;
  }
  gaps.push(next);
  if (gaps.length > GAPS_LISTED) gaps.shift();
}

function toInterval({ fromMs, toMs, state, reason, ...frames }: IntervalRow): CameraInterval {
  const from = new Date(fromMs).toISOString();
  const to = new Date(toMs).toISOString();
  return { from, to, state, ...(reason === null ? {} : { reason }), ...frames };
}
