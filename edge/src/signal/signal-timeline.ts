import type { SignalState } from '@ngatu/contract';
import type { LampReading } from './lamp-reader.ts';

/** A stretch of time with one state of a signal; open at its end while it lasts. */
export interface SignalPhase {
  readonly state: SignalState;
  readonly sinceMs: number;
  readonly confidence: number;
}

/** A new lit state counts once it was read this often in a row. */
const LIT_READINGS = 2;
/** No lens lit counts only after this long, ms: LED lamps flicker against the shutter. */
const UNLIT_MS = 450;
/** Phases older than this are forgotten, ms. */
const HISTORY_MS = 120_000;

/** A state that was read but is not believed yet. */
interface Candidate {
  readonly state: SignalState;
  readonly sinceMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly confidence: number;
}

function isLit(state: SignalState): boolean {
  return state === 'red' || state === 'amber' || state === 'green';
}

/**
 * Turns single readings into phases. A phase begins at its first reading, although it is believed only after several, so
 * a question about a moment is best asked a few frames after it.
 */
export class SignalTimeline {
  readonly #phases: SignalPhase[] = [];
  #candidate: Candidate | undefined;
  #confidence = 0;

  add(reading: LampReading, atMs: number): void {
    const current = this.#phases.at(-1);
    if (current !== undefined && reading.state === current.state) {
      this.#candidate = undefined;
      this.#confidence += 0.2 * (reading.confidence - this.#confidence);
      return;
    }
    const candidate = this.#candidate;
    const lit = isLit(reading.state);
    if (candidate !== undefined && isLit(candidate.state) && !lit) {
      // a dark picture between lit ones is flicker: it does not speak against the new lit state
      if (atMs - candidate.lastMs < UNLIT_MS) return;
    }
    const same =
      candidate?.state === reading.state || (candidate !== undefined && !isLit(candidate.state) && !lit)
        ? candidate
        : undefined;
    this.#candidate = {
      state: reading.state,
      sinceMs: same?.sinceMs ?? atMs,
      lastMs: atMs,
      count: (same?.count ?? 0) + 1,
      confidence: reading.confidence,
    };
    if (!this.#isBelieved(this.#candidate, atMs, current === undefined)) return;
    this.#phases.push({
      state: reading.state,
      sinceMs: this.#candidate.sinceMs,
      confidence: reading.confidence,
    });
    this.#confidence = reading.confidence;
    this.#candidate = undefined;
    while (this.#phases.length > 1 && (this.#phases[1] as SignalPhase).sinceMs < atMs - HISTORY_MS)
      this.#phases.shift();
  }

  /** The phase at a moment; undefined before the first believed reading. */
  phaseAt(atMs: number): SignalPhase | undefined {
    for (let i = this.#phases.length - 1; i >= 0; i--) {
      const phase = this.#phases[i] as SignalPhase;
      if (phase.sinceMs <= atMs) {
        return i === this.#phases.length - 1 ? { ...phase, confidence: this.#confidence } : phase;
      }
    }
    return undefined;
  }

  /** The phases that are remembered, oldest first. */
  get phases(): readonly SignalPhase[] {
    return this.#phases;
  }

  /** True where the onset of the phase was seen; the first phase may have lasted for any time before. */
  isOnsetSeen(phase: SignalPhase): boolean {
    return this.#phases[0]?.sinceMs !== phase.sinceMs;
  }

  #isBelieved(candidate: Candidate, atMs: number, first: boolean): boolean {
    if (first) return true;
    return isLit(candidate.state) ? candidate.count >= LIT_READINGS : atMs - candidate.sinceMs >= UNLIT_MS;
  }
}
