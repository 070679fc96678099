import type {
  CameraInterval,
  CameraStateName,
  ErrorCode,
  Event,
  EventKind,
  EvidenceFile,
  EvidenceManifest,
  LetPassReason,
  NodeState,
  Readiness,
  ScreeningReport,
  Telemetry,
} from '@ngatu/contract';
import type { DeliveryStore } from './delivery-store.ts';
import type { DirectiveStore } from './directive-store.ts';
import type { PlateGlance, PlateStore } from './plate-store.ts';
import type { PrivacyStore } from './privacy-store.ts';
import type { Custody, ReceiptStore } from './receipt-store.ts';
import type { ScreeningStore } from './screening-store.ts';
import type { FileTransfer, TransferStore } from './transfer-store.ts';

export const REVIEW_STATES = ['open', 'confirmed', 'rejected'] as const;
export type ReviewState = (typeof REVIEW_STATES)[number];

/** A person's decision. Decisions are appended, never changed; the newest one counts. */
export interface Review {
  readonly decision: 'confirmed' | 'rejected';
  readonly reason: string;
  readonly reviewer: string;
  readonly decidedAt: string;
}

export interface EventFilter {
  readonly kinds?: readonly EventKind[];
  readonly cameras?: readonly string[];
  /** Only events of these sites; an empty list finds none. */
  readonly sites?: readonly string[];
  readonly review?: ReviewState;
  /** Cases that were let pass alone, or the others alone; both where it is absent. */
  readonly letPass?: boolean;
  /** RFC 3339, inclusive and exclusive bounds on `capturedAt`. */
  readonly from?: string;
  readonly to?: string;
  /** Opaque cursor from the previous page. */
  readonly cursor?: string;
  readonly limit: number;
}

export interface EventSummary {
  readonly eventId: string;
  readonly kind: EventKind;
  readonly site: string;
  readonly node: string;
  readonly camera: string;
  readonly rule: string;
  readonly label: string;
  readonly capturedAt: string;
  readonly ingestedAt: string;
  readonly review: ReviewState;
  /** Why it was let pass; nobody decides such a case. */
  readonly letPass?: LetPassReason;
  /** The still of the decisive moment, once it has arrived at the centre. */
  readonly stillSha256?: string;
  /** How its plate stands, without what identifies it; absent where nothing is known of one. */
  readonly plate?: PlateGlance;
}

export interface EventPage {
  readonly items: readonly EventSummary[];
  readonly nextCursor?: string;
}

export interface StoredEvidence {
  readonly createdAt: string;
  readonly files: readonly (EvidenceFile & {
    readonly arrived: boolean;
    /** Of a file that has not arrived, where anything is known of its way. */
    readonly transfer?: FileTransfer;
  })[];
  readonly missing: EvidenceManifest['missing'];
}

export interface EventRecord {
  readonly event: Event;
  readonly ingestedAt: string;
  readonly evidence?: StoredEvidence;
  readonly reviews: readonly Review[];
}

/** One numbered message that passed its schema. */
export interface CommitItem extends MessageNumber {
  /** When the node sent it; absent where that is not known. */
  readonly publishedAt?: string;
  readonly message:
    | { readonly channel: 'event'; readonly body: Event }
    | { readonly channel: 'evidence'; readonly body: EvidenceManifest; readonly custody?: Custody }
    | { readonly channel: 'screening'; readonly body: ScreeningReport }
    | { readonly channel: 'telemetry'; readonly body: Telemetry };
}

/** `committed` now, or a `duplicate` of a committed number (both are acknowledged), or refused for good. */
export type CommitOutcome =
  | { readonly outcome: 'committed' | 'duplicate' }
  | { readonly outcome: 'rejected'; readonly code: ErrorCode; readonly reason: string };

export interface DeadLetter {
  readonly topic: string;
  readonly code: ErrorCode;
  readonly reason: string;
  readonly payload: Uint8Array;
  readonly receivedAt: string;
  /** The number that is settled by the refusal, where the message could be read so far. */
  readonly settles?: MessageNumber;
}

/** Where a numbered message comes from. */
export interface MessageNumber {
  readonly site: string;
  readonly node: string;
  readonly outboxId: string;
  readonly seq: number;
}

/** What is known of one camera over a period. Time that no interval covers is `unreported`. */
export interface CameraCoverage {
  readonly site: string;
  readonly node: string;
  readonly camera: string;
  readonly lastState: CameraStateName;
  readonly lastReason?: string;
  readonly lastReportAt: string;
  readonly analysedMs: number;
  readonly degradedMs: number;
  readonly blindMs: number;
  readonly unreportedMs: number;
  readonly blindByReason: Readonly<Record<string, number>>;
  /** What the camera said last of what its rules need. */
  readonly readiness?: Readiness;
  /** How long each rule was kept from looking although the camera looked, ms. */
  readonly blockedByRule: Readonly<Record<string, number>>;
  /** Not analysed stretches in the period, newest first, at most 100. */
  readonly gaps: readonly CameraInterval[];
}

export interface NodeRecord {
  readonly site: string;
  readonly node: string;
  readonly state: NodeState;
  /** Highest number below which every number of the node's current outbox is committed. */
  readonly committedThrough: number;
  /** Numbers above it that are missing although later ones are committed; the lowest 1,000. */
  readonly missing: readonly number[];
}

/**
 * Relational store of the centre. All methods are synchronous (one local SQLite file, WAL, synchronous FULL) and each is
 * one transaction. Two processes may hold the store at once: the ingestor and the API.
 */
export interface EventStore extends Disposable {
  readonly directives: DirectiveStore;
  readonly privacy: PrivacyStore;
  readonly transfers: TransferStore;
  readonly delivery: DeliveryStore;
  readonly receipts: ReceiptStore;
  readonly screening: ScreeningStore;
  readonly plates: PlateStore;
  /**
   * Commits the batch in one transaction: when this returns, all outcomes survive a power cut. A refused number is not
   * settled until its dead letter is appended.
   */
  commit(items: readonly CommitItem[], ingestedAt: string): CommitOutcome[];
  /** A letter whose number was settled before is not kept twice. The newest 10,000 letters are kept. */
  appendDeadLetters(letters: readonly DeadLetter[]): void;
  /** Newest first; with `sites` only those whose topic names one of them. */
  listDeadLetters(limit: number, sites?: readonly string[]): DeadLetter[];
  /** How many were ever appended; with `sites` how many are kept whose topic names one of them. */
  countDeadLetters(sites?: readonly string[]): number;
  /** Takes what a node says of itself, unless it is older than what is known. `at`: when it came; without it, what it says of its own time. */
  setNodeState(site: string, node: string, state: NodeState, at?: string): void;
  listNodes(): NodeRecord[];

  listEvents(filter: EventFilter): EventPage;
  getEvent(eventId: string): EventRecord | undefined;
  /** A number that grows with every change to an event, its evidence or its reviews. */
  latestChange(): number;
  /** Events changed after `change`, oldest change first, at most `limit`. */
  listChanges(change: number, limit: number): { change: number; event: EventSummary }[];
  /**
   * Appends a decision. `expectedReviews` is the number of reviews that the reviewer has seen; a different number in the
   * store is a conflict and nothing is written; neither is anything of a case that was let pass.
   */
  appendReview(
    eventId: string,
    review: Review,
    expectedReviews: number,
  ): 'appended' | 'conflict' | 'let-pass' | 'unknown-event';

  /** True where an evidence manifest announced the file; with `by` one of this node. */
  isEvidenceAnnounced(sha256: string, by?: { readonly site: string; readonly node: string }): boolean;
  /**
   * What the manifest says of an announced file, and the event that it belongs to (of several, the latest captured). With
   * `sites` only committed events of these count.
   */
  findEvidence(
    sha256: string,
    sites?: readonly string[],
  ): { readonly eventId: string; readonly file: EvidenceFile } | undefined;
  markEvidenceArrived(sha256: string, at: string): void;
  /** With `sites` only their cameras. */
  listCoverage(period: { from: string; to: string }, sites?: readonly string[]): CameraCoverage[];
}
