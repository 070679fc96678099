import type { InputSignalSource, SignalState } from '@ngatu/contract';
import { PhaseRecord, type PhaseSource, type SourcePhase } from './phase-record.ts';

/** Level of one contact; undefined where it could not be read. */
export type ContactLevel = 0 | 1 | undefined;

type ContactConfig = Pick<InputSignalSource, 'contacts' | 'otherwise' | 'pollMs' | 'debounceMs'>;

/** Contacts that change more often than this within a second ripple with the mains or bounce without end. */
const RIPPLE_CHANGES = 10;
const RIPPLE_WINDOW_MS = 1_000;
/** The loop that reads may be late by this much before the state counts as unknown, ms. */
const LATE_MS = 200;

/**
 * The phase of one signal from contacts parallel to its lenses. The contacts are judged together, so that the instant in which
 * red has opened and green not closed yet is no phase of its own; a state counts once it has held for the debounce time, and
 * from its first reading on. Pure: instants come in with the readings, on the node's clock, ms since 1970.
 */
export class ContactSignal implements PhaseSource {
  readonly name = 'input';
  readonly #config: ContactConfig;
  readonly #record = new PhaseRecord();
  #candidate: { readonly state: SignalState; readonly sinceMs: number } | undefined;
  #changes: number[] = [];

  constructor(config: ContactConfig) {
    this.#config = config;
  }

  /** A change lies between two readings. */
  get errorMs(): number {
    return this.#config.pollMs;
  }

  get phases(): readonly SourcePhase[] {
    return this.#record.phases;
  }

  phaseAt(atMs: number): SourcePhase | undefined {
    return this.#record.phaseAt(atMs);
  }

  /** Takes the levels of all contacts, in the order of the configuration, read at one instant. */
  add(levels: readonly ContactLevel[], atMs: number): void {
    const state = this.#combine(levels);
    if (state !== this.#candidate?.state) {
      const isFirst = this.#candidate === undefined;
      this.#candidate = { state, sinceMs: atMs };
      if (!isFirst) this.#changes.push(atMs);
    }
    while (this.#changes[0] !== undefined && this.#changes[0] < atMs - RIPPLE_WINDOW_MS)
      this.#changes.shift();
    const { sinceMs } = this.#candidate;
    const isSettled = atMs - sinceMs >= this.#config.debounceMs;
    if (!isSettled || state === 'unknown' || this.#changes.length > RIPPLE_CHANGES) return;
    const { pollMs, debounceMs } = this.#config;
    // held over the next change's own debounce, so that a settled change leaves no hole before it
    this.#record.hold({ state, atMs: sinceMs, untilMs: atMs + debounceMs + pollMs + LATE_MS });
  }

  #combine(levels: readonly ContactLevel[]): SignalState {
    const { contacts, otherwise } = this.#config;
    const lit: SignalState[] = [];
    for (const [index, { state, activeLow }] of contacts.entries()) {
      const level = levels[index];
      if (level === undefined) return 'unknown';
      if (level === (activeLow ? 0 : 1)) lit.push(state);
    }
    if (lit.length > 1) return 'unknown';
    return lit[0] ?? otherwise;
  }
}
