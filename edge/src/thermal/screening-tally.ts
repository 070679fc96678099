import {
  computeProportion,
  FEVER_CONFIRMED_FROM_C,
  NgatuError,
  READING_ENTRY_MS,
  type ScreeningAggregate,
  type ScreeningResult,
  type ThermometerReading,
} from '@ngatu/contract';
import type { TallyMemory } from './gate-memory.ts';

const MAX_AWAITING = 2_000;
/**
 * Counts what a gate decided, and against thermometer readings how well. Holds no names and forgets each passage after an hour.
 * Where staff measure only those who were sent to them, sensitivity is too high: they are to measure some who passed as well.
 */
export class ScreeningTally {
  readonly #awaiting = new Map<string, { atMs: number; outcome: 'pass' | 'measure' }>();
  #passed = 0;
  #measured = 0;
  #refused: Record<string, number> = {};
  #fromMs: number;
  #confirmed = { truePositive: 0, falseNegative: 0, trueNegative: 0, falsePositive: 0 };

  /** @param memory counts of a window that a restart cut in two */
  constructor(fromMs: number, memory?: TallyMemory) {
    this.#fromMs = memory?.fromMs ?? fromMs;
    this.#passed = memory?.passed ?? 0;
    this.#measured = memory?.measured ?? 0;
    this.#refused = { ...memory?.refused };
  }

  get memory(): TallyMemory {
    return {
      fromMs: this.#fromMs,
      passed: this.#passed,
      measured: this.#measured,
      refused: { ...this.#refused },
    };
  }

  add(result: ScreeningResult): void {
    const atMs = Date.parse(result.at);
    if (result.outcome === 'refused') {
      const reason = result.refusal ?? 'not-skin';
      this.#refused[reason] = (this.#refused[reason] ?? 0) + 1;
      return;
    }
    if (result.outcome === 'pass') this.#passed++;
    else this.#measured++;
    this.#awaiting.set(result.screeningId, { atMs, outcome: result.outcome });
    this.#forget(atMs);
  }

  /** Oldest first; the map keeps the order of the passages. */
  #forget(nowMs: number): void {
    for (const [id, { atMs }] of this.#awaiting) {
      if (this.#awaiting.size <= MAX_AWAITING && nowMs - atMs <= READING_ENTRY_MS) return;
      this.#awaiting.delete(id);
    }
  }

  /**
   * Takes a thermometer reading of a passage; each passage takes one.
   * @throws NgatuError NOT_FOUND where the passage is unknown, forgotten or has its reading
   */
  confirm(reading: ThermometerReading): void {
    this.#forget(Date.parse(reading.at));
    const passage = this.#awaiting.get(reading.screeningId);
    if (passage === undefined)
      throw new NgatuError(
        'NOT_FOUND',
        `Cannot enter a thermometer reading for ${reading.screeningId}: no such passage of the last hour awaits one`,
      );
    this.#awaiting.delete(reading.screeningId);
    const isFever = reading.celsius >= FEVER_CONFIRMED_FROM_C;
    const isFlagged = passage.outcome === 'measure';
    if (isFever) this.#confirmed[isFlagged ? 'truePositive' : 'falseNegative']++;
    else this.#confirmed[isFlagged ? 'falsePositive' : 'trueNegative']++;
  }

  /** The window that ends now; the next one begins. Confirmed counts run on. */
  takeAggregate(gate: string, toMs: number, learningFrozen: boolean): ScreeningAggregate {
    const { truePositive, falseNegative, trueNegative, falsePositive } = this.#confirmed;
    const aggregate: ScreeningAggregate = {
      schemaVersion: 1,
      gate,
      from: new Date(this.#fromMs).toISOString(),
      to: new Date(toMs).toISOString(),
      passed: this.#passed,
      measured: this.#measured,
      refused: this.#refused,
      confirmed: {
        sensitivity: computeProportion(truePositive, truePositive + falseNegative),
        specificity: computeProportion(trueNegative, trueNegative + falsePositive),
      },
      learningFrozen,
    };
    this.#fromMs = toMs;
    this.#passed = 0;
    this.#measured = 0;
    this.#refused = {};
    return aggregate;
  }
}
