import { readFileSync } from 'node:fs';
import { errorMessage } from '@ngatu/contract';
import type { Logger } from 'pino';
import { waitForAbort } from './retry-delay.ts';
import type { Sample, SampleSink, SensorClock } from './sensor-sample.ts';

export interface ContactOptions {
  readonly path: string;
  readonly activeLow: boolean;
  readonly pollMs: number;
  readonly debounceMs: number;
  /** A state that does not change is given again this often, ms. */
  readonly intervalMs: number;
  readonly sink: SampleSink;
  readonly clock: Pick<SensorClock, 'monotonicMs'>;
  readonly logger: Logger;
}

/** Levels of a contact: what has held for the debounce time counts. Pure: instants come in, ms. */
export class Debounce {
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

/** Reads one digital input until `signal` aborts: a sample at each change and at each interval. */
export async function runContactInput(options: ContactOptions, signal: AbortSignal): Promise<void> {
  const { path, activeLow, pollMs, debounceMs, intervalMs, sink, clock, logger } = options;
  const debounce = new Debounce(debounceMs);
  let told: { raw?: number; atMs: number } | undefined;
  const tell = (sample: Sample): void => {
    const raw = 'raw' in sample ? { raw: sample.raw } : {};
    if (raw.raw === undefined && told !== undefined && 'raw' in told)
      logger.warn({ code: 'INPUT_UNREADABLE', path }, 'Cannot read digital input');
    told = { ...raw, atMs: clock.monotonicMs() };
    sink.take(sample);
  };
  const read = (): void => {
    const nowMs = clock.monotonicMs();
    const level = readLevel(path);
    const isDue = told === undefined || nowMs - told.atMs >= intervalMs;
    if (typeof level === 'string') {
      if (isDue) tell({ fault: 'unreachable', reason: level });
      return;
    }
    const held = debounce.take(level, nowMs);
    if (held === undefined) return;
    const raw = activeLow ? 1 - held : held;
    if (isDue || told?.raw !== raw) tell({ raw });
  };
  read();
  const timer = setInterval(read, pollMs);
  try {
    await waitForAbort(signal);
  } finally {
    clearInterval(timer);
  }
}

/** The level, or why there is none. Synchronous: such a file is answered by the kernel in microseconds. */
function readLevel(path: string): 0 | 1 | string {
  try {
    const text = readFileSync(path, 'latin1').trim();
    if (text === '0' || text === '1') return text === '1' ? 1 : 0;
    return `it reads ${JSON.stringify(text.slice(0, 20))}, expected 0 or 1`;
  } catch (error) {
    return errorMessage(error);
  }
}
