import type { CameraStateName, EventKind } from '@ngatu/contract';
import type { FaultDamage, FaultLane } from './fault-injection.ts';

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
    /** `verified`: the centre, or for an original the node, holds bytes of this digest. */
    readonly state: 'verified' | 'not-arrived' | 'digest-differs';
  }[];
  readonly missing: readonly { readonly role: string; readonly reason: string }[];
  /** Why the seal of the node or the receipt of the centre does not verify; absent where both do. */
  readonly sealFault?: string;
}

/** An event of the camera in the table of the centre. */
export interface CommittedEvent extends Place {
  readonly eventId: string;
  readonly kind: EventKind;
  readonly rule: string;
  readonly session: string;
  readonly capturedAtMs: number;
  /** Absent where no manifest came. */
  readonly evidence?: EvidenceState;
  /** Let pass: no evidence is made of it. */
  readonly letPass?: true;
}

/** Part of the camera's ledger as the centre holds it; half-open, ms since 1970. */
export interface LedgerInterval {
  readonly fromMs: number;
  readonly toMs: number;
  readonly state: CameraStateName;
  readonly reason?: string;
}

/** One fault of a campaign, and what came of it. */
export interface FaultRecord {
  readonly kind: string;
  readonly lanes: readonly FaultLane[];
  /** From the first thing that was done to the moment from which nothing kept the product from working, ms since 1970. */
  readonly fromMs: number;
  readonly toMs: number;
  /** When everything was seen to work again; absent where that did not come about. */
  readonly backAtMs?: number;
  readonly detail?: string;
  readonly destroyed?: FaultDamage;
  /** Why it could not be done; then nothing was. */
  readonly skipped?: string;
}

/** The clip that the simulated camera repeats, and when its first pass began. */
export interface ClipLoop {
  readonly zeroEpochMs: number;
  readonly durationMs: number;
  /** Presentation time in the file at which each pass begins, ms. */
  readonly firstClipMs: number;
}

export interface WaitingMessage {
  readonly seq: number;
  readonly channel: string;
  /** The instant that telemetry stands for, ms since 1970; absent where it tells of none. */
  readonly atMs?: number;
}

/** What lies in the outbox after the node was stopped. */
export interface OutboxState {
  /** The highest number that was ever given. */
  readonly lastSeq: number;
  /** Ids of every event that was ever appended, from the table that keeps duplicates out. */
  readonly eventIds: readonly string[];
  readonly waiting: readonly WaitingMessage[];
  /** What waiting telemetry says of the camera: it is on the node's disk, though not at the centre yet. */
  readonly intervals: readonly LedgerInterval[];
  readonly rejected: number;
  readonly evidenceJobs: number;
  /** Digests of the files that wait to be sent at once; originals wait for somebody to ask. */
  readonly uploads: readonly string[];
}

export interface CentreState {
  /** All numbers to here are settled. */
  readonly committedThrough: number;
  /** The highest number that is settled. */
  readonly highest: number;
  readonly missing: readonly number[];
}

/** The second node: what it noted of itself, and what the centre has of it. */
export interface WitnessRecord {
  readonly tried: number;
  readonly appended: number;
  readonly committed: number;
  /** Appended as it noted, and not at the centre. */
  readonly absent: readonly string[];
  /** At the centre, and never tried. */
  readonly foreign: readonly string[];
  /** Sum of what its messages counted, as the series store has it. */
  readonly counted: number;
}

/** Everything that a campaign has seen; the checker needs nothing else. */
export interface CampaignRecord {
  readonly seed: number;
  readonly faults: readonly FaultRecord[];
  readonly planned: number;
  readonly tookMs: number;
  /** When the product was started and when it was stopped, by the machine's clock, ms since 1970. */
  readonly begunMs: number;
  readonly endedMs: number;
  /** One for each time that the camera was switched on, oldest first. */
  readonly loops: readonly ClipLoop[];
  readonly reference: readonly ReferenceEvent[];
  /** Ids in the agent's log lines that say that an event was appended. */
  readonly loggedEventIds: readonly string[];
  readonly outboxes: { readonly edge: OutboxState; readonly node: OutboxState };
  readonly centre: {
    readonly edge: CentreState;
    readonly node: CentreState;
    readonly deadLetters: number;
    /** Results of each database's own check of itself, other than "ok". */
    readonly damage: readonly string[];
    /** Places of the agent's chains of manifests that are not there although later ones are. */
    readonly chainGaps: readonly string[];
  };
  readonly committed: readonly CommittedEvent[];
  readonly witness: WitnessRecord;
  readonly intervals: readonly LedgerInterval[];
  /** From the last fault until every event stood with its evidence, ms; absent where that did not come about. */
  readonly drainedMs?: number;
  /** 1-minute load average at the begin and at the end. */
  readonly load: readonly [number, number];
}
