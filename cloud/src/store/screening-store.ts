import type {
  GateSelfCheck,
  GateStatus,
  GateTime,
  ScreeningAggregate,
  ScreeningResult,
  ThermometerReading,
} from '@ngatu/contract';

/** Names a gate. */
export interface GateName {
  readonly site: string;
  readonly node: string;
  readonly gate: string;
}

export type StoredReading = Pick<ThermometerReading, 'celsius' | 'place' | 'at'> & {
  readonly enteredBy: string;
};

/** One passage, as long as it is kept. */
export interface StoredPassage {
  readonly result: ScreeningResult;
  readonly reading?: StoredReading;
}

/** One gate with its counts over a period. */
export interface GateRecord extends GateName {
  /** When the centre last heard of it. */
  readonly heardAt: string;
  readonly status?: GateStatus;
  readonly counts: Pick<ScreeningAggregate, 'passed' | 'measured' | 'refused' | 'learningFrozen'>;
  /** How its time of the period was spent, as far as windows tell of it. */
  readonly time: readonly GateTime[];
  /** Against thermometers, since the gate was set up. */
  readonly confirmed: ScreeningAggregate['confirmed'];
}

export type EntryOutcome =
  | { readonly outcome: 'entered' | 'corrected'; readonly passage: StoredPassage }
  /** No such passage is kept; it was refused, and there is no decision to compare with; or the hour is over. */
  | { readonly outcome: 'unknown' | 'no-decision' | 'closed' };

/** What fever gates found. Single passages are health data; counts are not. */
export interface ScreeningStore {
  /** Gates with counts of windows that begin in the period, by name; with `sites` only theirs. */
  listGates(period: { readonly from: string; readonly to: string }, sites?: readonly string[]): GateRecord[];
  getGate(name: GateName): Pick<GateRecord, 'heardAt' | 'status'> | undefined;
  /** Newest first. */
  listPassages(name: GateName, limit: number): StoredPassage[];
  /** Newest first. */
  listSelfChecks(name: GateName, limit: number): GateSelfCheck[];
  /** Enters what the thermometer said, or corrects it, within the hour of the passage. */
  enterReading(
    name: GateName,
    reading: ThermometerReading,
    by: { enteredBy: string; at: string },
  ): EntryOutcome;
  /** Deletes what arrived before these instants, and returns how many passages that were. The counts against thermometers stay. */
  erase(before: { readonly passages: string; readonly counts: string }): number;
}
