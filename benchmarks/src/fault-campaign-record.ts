import type { CameraStateName, EventKind } from '@ngatu/contract';

/** The processes that a campaign kills. */
export const VICTIMS = ['edge', 'broker', 'ingestor'] as const;
export type Victim = (typeof VICTIMS)[number];

/** Where something happened in the picture, source pixels; `heightPx` is that of the road user's box. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly heightPx: number;
}

/** An event that the replay of the clip finds; `clipMs` is the clip's presentation time of the decisive moment. */
export interface ReferenceEvent extends Place {
  readonly kind: EventKind;
  readonly rule: string;
  readonly clipMs: number;
}

export interface EvidenceState {
  readonly files: readonly {
    readonly role: string;
    readonly sha256: string;
    /** `verified`: the centre gave out bytes of this digest. */
    readonly state: 'verified' | 'not-arrived' | 'digest-differs';
  }[];
  readonly missing: readonly { readonly role: string; readonly reason: string }[];
}

/** An event in the table of the centre. */
export interface CommittedEvent extends Place {
  readonly eventId: string;
  readonly kind: EventKind;
  readonly rule: string;
  readonly session: string;
  readonly capturedAtMs: number;
  /** Absent where no manifest came. */
  readonly evidence?: EvidenceState;
}

/** Part of the camera's ledger as the centre holds it; half-open, ms since 1970. */
export interface LedgerInterval {
  readonly fromMs: number;
  readonly toMs: number;
  readonly state: CameraStateName;
  readonly reason?: string;
}

export interface Kill {
  readonly victim: Victim;
  readonly pid: number;
  readonly atMs: number;
  /** When the supervisor said that it runs again; absent where it was killed again before. */
  readonly backAtMs?: number;
}

/** The clip that the simulated camera repeats, and when its first pass began. */
export interface ClipLoop {
  readonly zeroEpochMs: number;
  readonly durationMs: number;
  /** Presentation time in the file at which each pass begins, ms. */
  readonly firstClipMs: number;
}

/** What lies in the outbox after the node was stopped. */
export interface OutboxState {
  /** The highest number that was ever given. */
  readonly lastSeq: number;
  /** Ids of every event that was ever appended, from the table that keeps duplicates out. */
  readonly eventIds: readonly string[];
  readonly waiting: readonly { readonly seq: number; readonly channel: string }[];
  readonly rejected: number;
  readonly evidenceJobs: number;
  readonly uploads: number;
}

/** Everything that a campaign has seen; the checker needs nothing else. */
export interface CampaignRecord {
  readonly seed: number;
  readonly kills: readonly Kill[];
  readonly loop: ClipLoop;
  readonly reference: readonly ReferenceEvent[];
  /** Ids in the agent's log lines that say that an event was appended. */
  readonly loggedEventIds: readonly string[];
  readonly outbox: OutboxState;
  readonly committed: readonly CommittedEvent[];
  readonly intervals: readonly LedgerInterval[];
  readonly centre: {
    /** All numbers to here are settled. */
    readonly committedThrough: number;
    readonly missing: readonly number[];
    readonly deadLetters: number;
  };
  /** From the last kill until every event stood with its evidence, ms; absent where that did not come about. */
  readonly drainedMs?: number;
  /** 1-minute load average at the begin and at the end. */
  readonly load: readonly [number, number];
}
