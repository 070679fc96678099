import type { ReadingFault } from '@ngatu/contract';
import type { Logger } from 'pino';
import type { Sample, SampleSink, SensorClock } from './sensor-sample.ts';

export interface ContactWatchOptions {
  /** Where it is read, for the log. */
  readonly place: string;
  readonly activeLow: boolean;
  readonly debounceMs: number;
  /** A state that does not change is given again this often, ms. */
  readonly intervalMs: number;
  readonly sink: SampleSink;
  readonly clock: Pick<SensorClock, 'monotonicMs'>;
  readonly logger: Logger;
}

/** What one look at a contact gave: its level, or why there is none. */
export type ContactLook = 0 | 1 | { readonly fault: ReadingFault; readonly reason: string };

/** Levels of a contact: what has held for the debounce time counts. Pure: instants come in, ms. */
class Debounce {
  readonly #debounceMs: number;
  #candidate: { level: 0 | 1; sinceMs: number } | undefined;
  #level: 0 | 1 | undefined;

  constructor(debounceMs: number) {
    this.#debounceMs = debounceMs;
  }

  /** The level that counts after `level` was seen; undefined before any has held. */
  take(level: 0 | 1, atMs: number): 0 | 1 | undefined {
    if (this.#candidate?.level !== level) this.#candidate = { level, sinceMs: atMs };
    if (atMs - this.#candidate.sinceMs >= this.#debounceMs) this.#level = level;
    return this.#level;
  }
}

/** Makes samples of the looks at one contact: one at each change and at each interval. */
export class ContactWatch {
  readonly #options: ContactWatchOptions;
  readonly #debounce: Debounce;
  #told: { readonly raw?: number; readonly atMs: number } | undefined;

  constructor(options: ContactWatchOptions) {
    this.#options = options;
    this.#debounce = new Debounce(options.debounceMs);
  }

  take(look: ContactLook): void {
    const { activeLow, intervalMs, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const isDue = this.#told === undefined || nowMs - this.#told.atMs >= intervalMs;
    if (typeof look === 'object') {
      if (isDue) this.#tell(look, nowMs);
      return;
    }
    const held = this.#debounce.take(look, nowMs);
    if (held === undefined) return;
    const raw = activeLow ? 1 - held : held;
    if (isDue || this.#told?.raw !== raw) this.#tell({ raw }, nowMs);
  }

  #tell(sample: Sample, atMs: number): void {
    const { sink, logger, place } = this.#options;
    if ('fault' in sample && this.#told?.raw !== undefined)
      logger.warn({ code: 'INPUT_UNREADABLE', path: place }, 'Cannot read digital input');
    this.#told = { atMs, ...('raw' in sample ? { raw: sample.raw } : {}) };
    sink.take(sample);
  }
}
