import type { SignalState } from '@ngatu/contract';
import type { PhaseSource } from './phase-record.ts';

/** Within what two sources of one signal must agree. */
interface AgreementBounds {
  /** Changes may lie this far apart on the median, ms. */
  readonly maxOffsetMs: number;
  /** States may differ for this long, ms. */
  readonly maxDisagreementMs: number;
}

/** So long after an instant both sources have said what they have to say about it, ms: a lamp is believed dark after 450. */
const SETTLE_MS = 600;
/** Sources that disagreed are believed again after they have agreed for this long, over a change of the signal, ms. */
const RECOVER_MS = 10_000;
/** The offset is estimated from at least and at most this many common changes. */
const OFFSET_LEAST = 3;
const OFFSET_MOST = 15;
const OFFSET_EVERY_MS = 1_000;
/** A stretch without agreement that ended before this is forgotten, ms. */
const HISTORY_MS = 600_000;

interface Suspension {
  readonly fromMs: number;
  /** Infinity while it lasts. */
  untilMs: number;
}

/**
 * Holds two sources of one signal against each other. They disagree once they have shown different states for longer than the
 * bound, or change too far apart; from the instant at which they began to differ until they have agreed again through a change
 * of the signal, nothing is believed. A source that is stuck agrees now and then, but never through a change.
 */
export class SourceComparison {
  readonly #first: PhaseSource;
  readonly #second: PhaseSource;
  readonly #bounds: AgreementBounds;
  readonly #suspensions: Suspension[] = [];
  #differsSinceMs: number | undefined;
  #agreement: { sinceMs: number; state: SignalState; atMs: number; sawChange: boolean } | undefined;
  #offsetMs: number | undefined;
  #offsetAtMs = Number.NEGATIVE_INFINITY;

  constructor(first: PhaseSource, second: PhaseSource, bounds: AgreementBounds) {
    this.#first = first;
    this.#second = second;
    this.#bounds = bounds;
  }

  /** Median of how much later the second source changes, ms; undefined before three common changes. */
  get offsetMs(): number | undefined {
    return this.#offsetMs;
  }

  /** True where what the sources said of this instant is not believed. */
  isSuspendedAt(atMs: number): boolean {
    return this.#suspensions.some(({ fromMs, untilMs }) => atMs >= fromMs && atMs < untilMs);
  }

  /** Call it with every picture, in order. */
  update(nowMs: number): void {
    const atMs = nowMs - SETTLE_MS;
    if (nowMs - this.#offsetAtMs >= OFFSET_EVERY_MS) {
      this.#offsetAtMs = nowMs;
      this.#offsetMs = this.#estimateOffset();
    }
    const first = this.#first.phaseAt(atMs)?.state;
    const second = this.#second.phaseAt(atMs)?.state;
    if (first === undefined || second === undefined) {
      // silence is no contradiction, but it ends no quarrel either
      this.#differsSinceMs = undefined;
      this.#agreement = undefined;
    } else if (first === second) this.#agree(first, atMs);
    else this.#differ(atMs);
    if (Math.abs(this.#offsetMs ?? 0) > this.#bounds.maxOffsetMs) this.#suspend(atMs);
  }

  #agree(state: SignalState, atMs: number): void {
    const known = this.#agreement;
    this.#differsSinceMs = undefined;
    this.#agreement = {
      sinceMs: known?.sinceMs ?? atMs,
      state,
      atMs,
      sawChange: known !== undefined && (known.sawChange || known.state !== state),
    };
    const open = this.#suspensions.at(-1);
    if (open === undefined || open.untilMs < Number.POSITIVE_INFINITY) return;
    if (this.#agreement.sawChange && atMs - this.#agreement.sinceMs >= RECOVER_MS) open.untilMs = atMs;
  }

  #differ(atMs: number): void {
    this.#differsSinceMs ??= atMs;
    if (atMs - this.#differsSinceMs <= this.#bounds.maxDisagreementMs) return;
    this.#agreement = undefined;
    this.#suspend(this.#differsSinceMs);
  }

  #suspend(fromMs: number): void {
    this.#agreement = undefined;
    if (this.#suspensions.at(-1)?.untilMs === Number.POSITIVE_INFINITY) return;
    this.#suspensions.push({ fromMs, untilMs: Number.POSITIVE_INFINITY });
    while (this.#suspensions[0] !== undefined && this.#suspensions[0].untilMs < fromMs - HISTORY_MS)
      this.#suspensions.shift();
  }

  #estimateOffset(): number | undefined {
    const window = 2 * this.#bounds.maxOffsetMs;
    const later = this.#second.phases.filter(({ onsetSeen }) => onsetSeen);
    const offsets: number[] = [];
    for (const { state, sinceMs, onsetSeen } of this.#first.phases.slice(-OFFSET_MOST)) {
      if (!onsetSeen) continue;
      const near = later
        .filter((phase) => phase.state === state)
        .map((phase) => phase.sinceMs - sinceMs)
        .sort((a, b) => Math.abs(a) - Math.abs(b))[0];
      if (near !== undefined && Math.abs(near) <= window) offsets.push(near);
    }
    if (offsets.length < OFFSET_LEAST) return undefined;
    return offsets.sort((a, b) => a - b)[Math.floor(offsets.length / 2)];
  }
}
