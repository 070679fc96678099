import type { PlateFinding, PlateState } from '@ngatu/contract';

/** What a person says of a plate: the node read it rightly, it says something else, or nobody can read it. */
export const PLATE_VERDICTS = ['confirmed', 'corrected', 'unreadable'] as const;
type PlateVerdict = (typeof PLATE_VERDICTS)[number];

/** A person's word on a plate. Appended, never changed; the newest one counts. */
export interface PlateJudgement {
  readonly verdict: PlateVerdict;
  /** Canonical; absent where it is unreadable. */
  readonly text?: string;
  readonly reason: string;
  readonly judgedBy: string;
  readonly judgedAt: string;
}

/** All that is known of the plate of a case. */
export interface PlateRecord {
  /** What the node read, as it was sealed; absent where no manifest has come, or it was not told to read plates. */
  readonly finding?: PlateFinding;
  /** Oldest first. */
  readonly judgements: readonly PlateJudgement[];
}

/** How a plate stands in a list: without what identifies it. */
export interface PlateGlance {
  readonly state: PlateState | PlateVerdict;
  /** `30A-•••45`; absent where there is no text to stand by. */
  readonly masked?: string;
}

/** Why a case was found: by what the node read, by a hint of it, or by what a person said. */
export type PlateSource = 'read' | 'candidate' | 'person';

export interface PlateQuery {
  /** Canonical, four known characters at least; `?` stands for one that is not known. */
  readonly pattern: string;
  /** Only cases of these sites. */
  readonly sites?: readonly string[];
  /** RFC 3339, inclusive and exclusive bounds on `capturedAt`. */
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
}

/** Plates of cases. All methods are synchronous and each is one transaction; two processes may hold the store at once. */
export interface PlateStore {
  /** Undefined where the case is unknown. */
  find(eventId: string): PlateRecord | undefined;
  /**
   * Appends a judgement. `expected` is the number of judgements that the person has seen; another number in the store is a conflict
   * and nothing is written.
   */
  judge(
    eventId: string,
    judgement: PlateJudgement,
    expected: number,
  ): 'appended' | 'conflict' | 'unknown-event';
  /** Cases by plate, what persons said first, then what was read, then hints; of each the newest first. */
  search(query: PlateQuery): { readonly eventId: string; readonly source: PlateSource }[];
}
