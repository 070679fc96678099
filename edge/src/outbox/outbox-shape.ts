import type { Logger } from 'pino';
import type { NewUpload } from './evidence-ledger.ts';
import type { EntryRow, EvidenceJobRow } from './outbox-statements.ts';

export interface OutboxClock {
  /** Wall clock, ms since 1970. */
  nowMs(): number;
  /** Never steps back, ms. */
  monotonicMs(): number;
}

/** Evidence that is still to be made for an event; the decisive moment in its session and in the world, ms. */
export type EvidenceJob = Omit<EvidenceJobRow, 'attempts'> & {
  /** JSON of its maker's own; read back with `evidenceContext` until the job is finished. */
  readonly context?: string;
};
export type PendingEvidenceJob = EvidenceJobRow;
export type LeasedEntry = EntryRow;

/** What is written in the same transaction as the messages. */
export interface AppendExtras {
  /** Jobs of events that turn out to be duplicates are left out. */
  readonly evidenceJobs?: readonly EvidenceJob[];
  /** Ids of events whose evidence is done: their jobs are removed. */
  readonly finishedEvidenceJobs?: readonly string[];
  readonly uploads?: readonly NewUpload[];
  /** Values by name, for instance the last analysed instant of a camera. */
  readonly marks?: Readonly<Record<string, string>>;
}

export type AppendOutcome =
  | { readonly outcome: 'appended'; readonly seq: number }
  | { readonly outcome: 'duplicate' };

export interface OutboxUsage {
  readonly entries: number;
  readonly bytes: number;
  /** Lowest number that waits; absent where none does. */
  readonly oldestSeq?: number;
  /** Highest number that was ever given. */
  readonly newestSeq: number;
  /** Since the database was begun. */
  readonly telemetryDroppedTotal: number;
  readonly telemetryThinnedTotal: number;
  readonly casesDroppedTotal: number;
  readonly uploadsPending: number;
  readonly uploadsRefused: number;
  readonly evidenceFiles: number;
  readonly evidenceBytes: number;
}

export interface OutboxOptions {
  readonly file: string;
  /** Limit of the messages in it, bytes: bodies and what their envelopes add. */
  readonly maxBytes: number;
  /** Whose records of what was dropped they are. */
  readonly origin: { readonly site: string; readonly node: string };
  readonly clock: OutboxClock;
  readonly logger: Logger;
  /** Marks that hold only as long as nothing that was promised is lost: forgotten where the node was stopped without warning. */
  readonly fragileMarks?: readonly string[];
}

/** What became of numbers that the centre asked for again. */
export interface ResendOutcome {
  /** They wait here and are sent. */
  readonly waiting: number;
  /** They had left, and a copy was put back. */
  readonly restored: number;
  /** No copy is left: a message of their own says so. */
  readonly gone: number;
}
