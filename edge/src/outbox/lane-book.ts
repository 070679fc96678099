import type { NumberedChannel } from '@ngatu/contract';
import type { EntryRow } from './outbox-statements.ts';

/** An entry that waits for less than this is fresh, ms: what happens now goes before what has waited for a month. */
const FRESH_MS = 60_000;
/** Every lane that has something to send gets so many places before the more urgent ones take the rest. */
const GUARANTEED = 4;

/** What a lease may take. */
export interface LeaseLimits {
  /** Bytes under lease at once; one entry always passes. Fresh events are not held back by it. */
  readonly bytes?: number;
  /** Entries of the backlog under lease at once; the rest of the window stays free for what happens now. */
  readonly backlog?: number;
}

interface Lane {
  readonly channel: NumberedChannel;
  readonly fresh: boolean;
  /** Everything of the lane up to here is leased or gone. */
  cursor: number;
  leased: number;
}

interface Lease {
  readonly lane: Lane;
  readonly endsAtMs: number;
  readonly sizeBytes: number;
}

export interface LaneRequest {
  readonly channel: NumberedChannel;
  /** Exclusive. */
  readonly after: number;
  /** Inclusive. */
  readonly through: number;
  readonly limit: number;
}

/**
 * Which entries are on their way, and which go next. Eight lanes: event, evidence, screening and telemetry, each fresh before backlog, and in order of
 * number within. Leases live in memory. All times are monotonic, ms.
 */
export class LaneBook {
  readonly #read: (request: LaneRequest) => EntryRow[];
  readonly #lanes: readonly Lane[];
  readonly #leases = new Map<number, Lease>();
  /** Highest number at some instants of the last minute, oldest first. */
  #samples: { readonly atMs: number; newestSeq: number }[] = [];
  /** Numbers up to here are backlog. */
  #boundary: number;
  #leasedBytes = 0;

  constructor(read: (request: LaneRequest) => EntryRow[], newestSeq: number) {
    this.#read = read;
    this.#boundary = newestSeq;
    this.#lanes = [true, false].flatMap((fresh) =>
      (['event', 'evidence', 'screening', 'telemetry'] as const).map((channel) => ({
        channel,
        fresh,
        cursor: 0,
        leased: 0,
      })),
    );
  }

  /** Tells that numbers up to `newestSeq` exist at `nowMs`. */
  noteAppended(newestSeq: number, nowMs: number): void {
    const last = this.#samples.at(-1);
    // One sample a second is exact enough for a minute, and bounds their number.
    if (last !== undefined && nowMs - last.atMs < 1_000) last.newestSeq = newestSeq;
    else this.#samples.push({ atMs: nowMs, newestSeq });
  }

  /** Leases at most `limit` entries in the order in which they should be sent. */
  lease(limit: number, leaseMs: number, limits: LeaseLimits, nowMs: number): EntryRow[] {
    this.#expire(nowMs);
    this.#moveBoundary(nowMs);
    const taken: EntryRow[] = [];
    for (const guaranteed of [GUARANTEED, Number.POSITIVE_INFINITY]) {
      for (const lane of this.#lanes) {
        const wanted = Math.min(limit - taken.length, guaranteed - Math.min(lane.leased, guaranteed));
        if (wanted > 0) taken.push(...this.#takeLane(lane, wanted, { ...limits, endsAtMs: nowMs + leaseMs }));
      }
    }
    return taken;
  }

  /** Entries under a lease that has not ended. */
  count(nowMs: number): number {
    let count = 0;
    for (const { endsAtMs } of this.#leases.values()) if (endsAtMs > nowMs) count++;
    return count;
  }

  /** The entry has left: its lease is over. */
  drop(seq: number): void {
    const lease = this.#leases.get(seq);
    if (lease === undefined) return;
    this.#leases.delete(seq);
    lease.lane.leased -= 1;
    this.#leasedBytes -= lease.sizeBytes;
  }

  /** Lets the numbers be leased again. */
  release(seqs: Iterable<number>): void {
    for (const seq of seqs) {
      this.drop(seq);
      for (const lane of this.#lanes) lane.cursor = Math.min(lane.cursor, seq - 1);
    }
  }

  /** Lets no lease end before `endsAtMs`. */
  extend(endsAtMs: number): void {
    for (const [seq, lease] of this.#leases) {
      if (lease.endsAtMs < endsAtMs) this.#leases.set(seq, { ...lease, endsAtMs });
    }
  }

  releaseAll(): void {
    this.#leases.clear();
    this.#leasedBytes = 0;
    for (const lane of this.#lanes) {
      lane.cursor = 0;
      lane.leased = 0;
    }
  }

  #takeLane(lane: Lane, wanted: number, limits: LeaseLimits & { endsAtMs: number }): EntryRow[] {
    const { bytes = Number.POSITIVE_INFINITY, backlog = Number.POSITIVE_INFINITY, endsAtMs } = limits;
    const taken: EntryRow[] = [];
    const mayTake = (): boolean => {
      if (taken.length >= wanted) return false;
      if (!lane.fresh && this.#backlogLeased() >= backlog) return false;
      const urgent = lane.fresh && lane.channel === 'event';
      return urgent || this.#leases.size === 0 || this.#leasedBytes < bytes;
    };
    while (mayTake()) {
      const after = lane.fresh ? Math.max(lane.cursor, this.#boundary) : lane.cursor;
      const through = lane.fresh ? Number.MAX_SAFE_INTEGER : this.#boundary;
      if (after >= through) break;
      const rows = this.#read({ channel: lane.channel, after, through, limit: Math.min(64, wanted) });
      if (rows.length === 0) break;
      for (const row of rows) {
        if (!mayTake()) return taken;
        lane.cursor = row.seq;
        if (this.#leases.has(row.seq)) continue;
        this.#leases.set(row.seq, { lane, endsAtMs, sizeBytes: row.sizeBytes });
        lane.leased += 1;
        this.#leasedBytes += row.sizeBytes;
        taken.push(row);
      }
    }
    return taken;
  }

  #backlogLeased(): number {
    return this.#lanes.reduce((sum, { fresh, leased }) => sum + (fresh ? 0 : leased), 0);
  }

  #expire(nowMs: number): void {
    const ended: number[] = [];
    for (const [seq, { endsAtMs }] of this.#leases) if (endsAtMs <= nowMs) ended.push(seq);
    this.release(ended);
  }

  #moveBoundary(nowMs: number): void {
    const first = this.#samples.findIndex(({ atMs }) => nowMs - atMs < FRESH_MS);
    const old = first === -1 ? this.#samples : this.#samples.slice(0, first);
    const last = old.at(-1);
    if (last === undefined) return;
    this.#boundary = Math.max(this.#boundary, last.newestSeq);
    this.#samples = first === -1 ? [] : this.#samples.slice(first);
  }
}
