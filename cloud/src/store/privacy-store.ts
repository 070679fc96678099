import type { EventKind } from '@ngatu/contract';

/** How a case stands, as far as its retention goes. */
export const CASE_OUTCOMES = ['open', 'confirmed', 'rejected', 'let-pass'] as const;
export type CaseOutcome = (typeof CASE_OUTCOMES)[number];

/** Somebody asked to see an original. */
export interface Opening {
  readonly openingId: string;
  readonly eventId: string;
  readonly reason: string;
  readonly requestedBy: string;
  readonly requestedAt: string;
  /** Where nobody has decided by then, the request is void. */
  readonly lapsesAt: string;
  readonly decidedBy?: string;
  readonly decidedAt?: string;
  readonly decision?: 'granted' | 'refused';
  readonly decisionReason?: string;
  /** The person who asked sees the original until then. */
  readonly openUntil?: string;
}

export interface LegalHold {
  readonly holdId: string;
  readonly eventId: string;
  readonly reason: string;
  readonly placedBy: string;
  readonly placedAt: string;
  readonly liftedBy?: string;
  readonly liftedAt?: string;
  readonly liftReason?: string;
}

/** Why a case was deleted: its time was over, or a person asked for it. */
export type ErasureCause = 'retention' | 'data-subject' | 'order';

/** What is left of a deleted case. It names no person, no place and no plate. */
export interface Tombstone {
  /** SHA-256 of the event's id with a fixed prefix: recognises a redelivery, and tells nothing to who has not the id. */
  readonly caseDigest: string;
  readonly kind: EventKind;
  /** Day of the case, UTC. */
  readonly day: string;
  readonly cause: ErasureCause;
  readonly reason: string;
  readonly erasedBy: string;
  readonly erasedAt: string;
}

/** A case whose time is over. */
export interface DueCase {
  readonly eventId: string;
  readonly kind: EventKind;
  readonly outcome: CaseOutcome;
  /** Since when its retention runs: the last of the instant of the case, its arrival at the centre and its decision. */
  readonly since: string;
}

/** How many days a case is kept. */
export type RetentionRule = (kind: EventKind, outcome: CaseOutcome) => number;

/** Which cases a person's request is about; every field narrows, one at least is given. */
export interface CaseQuery {
  readonly site?: string;
  readonly node?: string;
  readonly camera?: string;
  /** RFC 3339, inclusive and exclusive. */
  readonly from?: string;
  readonly to?: string;
  /** Number of the road user within its session. */
  readonly trackId?: number;
  /** As it may be written in what is kept of a case; letters and digits count. */
  readonly plate?: string;
}

/** A request of a person about his data. */
export interface SubjectCase {
  readonly caseId: string;
  readonly kind: 'export' | 'erase';
  readonly receivedAt: string;
  readonly acknowledgeBy: string;
  readonly acknowledgedAt?: string;
  readonly handledBy: string;
  readonly closedAt?: string;
  readonly found?: number;
  readonly erased?: number;
  readonly held?: number;
  readonly outcome?: string;
}

export type ErasureOutcome = 'erased' | 'held' | 'unknown-event';

/**
 * What the centre keeps for privacy's sake. All methods are synchronous and each is one transaction; two processes may hold the store
 * at once. An erasure is complete in the database when `erase` returns; its files follow through `listFileErasures`, whatever is
 * killed in between.
 */
export interface PrivacyStore {
  requestOpening(
    opening: Pick<Opening, 'openingId' | 'eventId' | 'reason' | 'requestedBy' | 'requestedAt' | 'lapsesAt'>,
  ): Opening;
  /** Undefined where there is none, or it was decided or has lapsed at `decidedAt`. */
  decideOpening(
    openingId: string,
    decision: Required<Pick<Opening, 'decidedBy' | 'decidedAt' | 'decision'>> &
      Pick<Opening, 'decisionReason' | 'openUntil'>,
  ): Opening | undefined;
  getOpening(openingId: string): Opening | undefined;
  /** Newest first. */
  listOpenings(eventId: string): Opening[];
  /** Undecided ones that have not lapsed, oldest first. */
  listWaitingOpenings(at: string, limit: number): Opening[];
  /** The grant by which a person may see the original of a case at an instant. */
  findGrant(eventId: string, username: string, at: string): Opening | undefined;

  placeHold(
    hold: Pick<LegalHold, 'holdId' | 'eventId' | 'reason' | 'placedBy' | 'placedAt'>,
  ): LegalHold | undefined;
  /** False where there is none, or it was lifted before. */
  liftHold(holdId: string, lift: { by: string; at: string; reason: string }): boolean;
  listHolds(eventId: string): LegalHold[];

  /** Cases whose time is over and that nobody holds, oldest first. */
  listDue(rule: RetentionRule, nowMs: number, limit: number): DueCase[];
  findCases(query: CaseQuery, limit: number): string[];
  /** Deletes all that is kept of a case, and leaves a tombstone. */
  erase(
    eventId: string,
    erasure: Pick<Tombstone, 'cause' | 'reason' | 'erasedBy' | 'erasedAt'>,
  ): ErasureOutcome;
  isErased(eventId: string): boolean;
  /** Newest first. */
  listTombstones(limit: number): Tombstone[];

  /** Files of the centre that have to go. */
  listFileErasures(limit: number): string[];
  settleFileErasure(sha256: string): void;
  /** Files that have to go on their nodes, by node. */
  listNodeErasures(limit: number): { site: string; node: string; files: string[] }[];
  settleNodeErasure(file: { sha256: string; site: string; node: string }): void;
  /**
   * Takes what was deleted out of the write-ahead log too, and once in the life of a file out of its free pages. False where
   * somebody reads just now: try again.
   */
  scrub(at: string): boolean;

  openCase(
    subjectCase: Pick<SubjectCase, 'caseId' | 'kind' | 'receivedAt' | 'acknowledgeBy' | 'handledBy'>,
  ): void;
  closeCase(
    caseId: string,
    end: Pick<SubjectCase, 'closedAt' | 'found' | 'erased' | 'held' | 'outcome'>,
  ): void;
  acknowledgeCase(caseId: string, at: string): boolean;
  /** Newest first. */
  listCases(limit: number): SubjectCase[];
}
