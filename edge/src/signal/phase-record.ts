import type { SignalState } from '@ngatu/contract';

/** A stretch of one state as a source tells it. Times on the node's clock, ms since 1970. */
export interface SourcePhase {
  readonly state: SignalState;
  readonly sinceMs: number;
  /** False where the state already stood when the source was first heard. */
  readonly onsetSeen: boolean;
}

/** Something that tells what a signal shows. Times on the node's clock, ms since 1970. */
export interface PhaseSource {
  readonly name: 'lamp' | 'controller' | 'input';
  /** Bound on the error of the instants it tells, ms. */
  readonly errorMs: number;
  /** Undefined where the source was silent, unsure or restless then. */
  phaseAt(atMs: number): SourcePhase | undefined;
  /** The phases that it remembers, oldest first. */
  readonly phases: readonly SourcePhase[];
}

/** Phases older than this are forgotten, ms. */
const HISTORY_MS = 600_000;
/** A state that is said again with an onset this near to the one known is the same phase, ms. */
const SAME_ONSET_MS = 1_000;
/** No junction changes so often: that many changes within the window are a loose contact or a broken controller. */
const RESTLESS_CHANGES = 4;
const RESTLESS_WINDOW_MS = 5_000;
/** A source that was restless is believed again after this long without, ms. */
const CALM_MS = 15_000;

interface KnownPhase {
  readonly state: SignalState;
  readonly sinceMs: number;
  readonly onsetSeen: boolean;
  /** The state is known up to here, exclusive. */
  untilMs: number;
}

/**
 * Remembers what one source said. A statement holds for a while and no longer: silence is unknown, not the last state. A source
 * that changes faster than any junction does says nothing until it is calm.
 */
export class PhaseRecord {
  readonly #phases: KnownPhase[] = [];
  readonly #restless: { readonly fromMs: number; untilMs: number }[] = [];

  get phases(): readonly SourcePhase[] {
    return this.#phases;
  }

  /** The state holds from `sinceMs` (unknown: from when it was first said, `atMs`) until `untilMs` unless it is said again. */
  hold(statement: { state: SignalState; atMs: number; sinceMs?: number; untilMs: number }): void {
    const { state, atMs, sinceMs, untilMs } = statement;
    const last = this.#phases.at(-1);
    const goesOn = last !== undefined && last.state === state && last.untilMs >= (sinceMs ?? atMs);
    if (last !== undefined && goesOn && (sinceMs === undefined || sinceMs <= last.sinceMs + SAME_ONSET_MS)) {
      last.untilMs = Math.max(last.untilMs, untilMs);
      return;
    }
    const onsetMs = Math.max(sinceMs ?? atMs, last?.sinceMs ?? Number.NEGATIVE_INFINITY);
    const isHeardThrough = last !== undefined && last.untilMs >= onsetMs;
    if (isHeardThrough) last.untilMs = onsetMs;
    const onsetSeen = sinceMs !== undefined || isHeardThrough;
    this.#phases.push({ state, sinceMs: onsetMs, onsetSeen, untilMs });
    this.#noteRestlessness(onsetMs);
    while (this.#phases[1] !== undefined && this.#phases[1].sinceMs < onsetMs - HISTORY_MS)
      this.#phases.shift();
  }

  phaseAt(atMs: number): SourcePhase | undefined {
    if (this.#restless.some(({ fromMs, untilMs }) => atMs >= fromMs && atMs < untilMs)) return undefined;
    for (let index = this.#phases.length - 1; index >= 0; index--) {
      const phase = this.#phases[index];
      if (phase === undefined || phase.sinceMs > atMs) continue;
      return atMs < phase.untilMs ? phase : undefined;
    }
    return undefined;
  }

  #noteRestlessness(atMs: number): void {
    const first = this.#phases.at(-RESTLESS_CHANGES);
    if (first === undefined || first.sinceMs < atMs - RESTLESS_WINDOW_MS) return;
    const last = this.#restless.at(-1);
    if (last !== undefined && first.sinceMs < last.untilMs) last.untilMs = atMs + CALM_MS;
    else this.#restless.push({ fromMs: first.sinceMs, untilMs: atMs + CALM_MS });
    while (this.#restless[0] !== undefined && this.#restless[0].untilMs < atMs - HISTORY_MS)
      this.#restless.shift();
  }
}
