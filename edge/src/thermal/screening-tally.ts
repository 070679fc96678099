import {
  NgatuError,
  type ScreeningAggregate,
  type ScreeningResult,
  type ThermometerReading,
} from '@ngatu/contract';

/** From this on a thermometer reading confirms a fever, °C. */
export const CONFIRMED_FROM_C = 37.5;
/** A reading may be entered for this long after the passage, ms; then the passage is forgotten. */
const ENTRY_WITHIN_MS = 3_600_000;
const MAX_AWAITING = 2_000;
const Z_95 = 1.959964;

type Share = ScreeningAggregate['confirmed']['sensitivity'];

/** Wilson's score interval (JASA 22, 1927), 95 %. */
function computeShare(hits: number, total: number): Share {
  if (total === 0) return { hits, total };
  const share = hits / total;
  const z2 = Z_95 ** 2;
  const centre = (share + z2 / (2 * total)) / (1 + z2 / total);
  const half = (Z_95 / (1 + z2 / total)) * Math.sqrt((share * (1 - share)) / total + z2 / (4 * total ** 2));
  return { hits, total, value: share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

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

  constructor(fromMs: number) {
    this.#fromMs = fromMs;
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
      if (this.#awaiting.size <= MAX_AWAITING && nowMs - atMs <= ENTRY_WITHIN_MS) return;
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
    const isFever = reading.celsius >= CONFIRMED_FROM_C;
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
        sensitivity: computeShare(truePositive, truePositive + falseNegative),
        specificity: computeShare(trueNegative, trueNegative + falsePositive),
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
