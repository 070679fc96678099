import {
  type GateSelfCheck,
  type GateStatus,
  NgatuError,
  type ScreeningReport,
  type ScreeningResult,
} from '@ngatu/contract';
import type { Logger } from 'pino';

export interface ScreeningOutletOptions {
  readonly site: string;
  readonly node: string;
  readonly gate: string;
  /** Appends one message to the outbox: on disk and numbered when it returns. */
  readonly append: (report: ScreeningReport) => void;
  readonly logger: Logger;
}

type Window = NonNullable<ScreeningReport['window']>;

/** Single results of a minute: nobody passes a gate as fast. What is beyond is counted only. */
const RESULTS_A_MINUTE = 60;
const MINUTE_MS = 60_000;
/** What is shown is told this often at most, ms. */
const STATUS_EVERY_MS = 1_000;
/** What the disk does not take waits up to these numbers; then the oldest is given up, and counted in the log. */
const WAITING_MAX = { results: 200, windows: 120, selfChecks: 10 } as const;
const RESULTS_A_MESSAGE = 50;

/** Hands what a gate finds to the outbox, bounded on both sides. Times are of a clock that never goes back, ms. */
export class ScreeningOutlet {
  readonly #options: ScreeningOutletOptions;
  #results: ScreeningResult[] = [];
  #windows: Window[] = [];
  #selfChecks: GateSelfCheck[] = [];
  #status: GateStatus | undefined;
  #toldMs = Number.NEGATIVE_INFINITY;
  #minuteMs = Number.NEGATIVE_INFINITY;
  #inMinute = 0;
  #unsaid = 0;

  constructor(options: ScreeningOutletOptions) {
    this.#options = options;
  }

  addResult(result: ScreeningResult, nowMs: number): void {
    if (nowMs - this.#minuteMs >= MINUTE_MS) {
      this.#minuteMs = nowMs;
      this.#inMinute = 0;
    }
    this.#inMinute++;
    if (this.#inMinute > RESULTS_A_MINUTE) this.#unsaid++;
    else this.#results.push(result);
  }

  addWindow(window: Window): void {
    this.#windows.push(window);
  }

  addSelfCheck(check: GateSelfCheck): void {
    this.#selfChecks.push(check);
  }

  /** The newest is told; what it replaced was seen by nobody. */
  setStatus(status: GateStatus): void {
    this.#status = status;
  }

  /** Appends what is due: results, windows and self-checks at once, what is shown at most once a second. */
  flush(nowMs: number): void {
    this.#limit();
    const isUrgent = this.#results.length + this.#windows.length + this.#selfChecks.length > 0;
    if (!isUrgent && (this.#status === undefined || nowMs - this.#toldMs < STATUS_EVERY_MS)) return;
    try {
      do this.#append();
      while (this.#results.length + this.#windows.length > 0);
      this.#toldMs = nowMs;
    } catch (error) {
      if (!(error instanceof NgatuError) || !isForLater(error)) throw error;
      this.#options.logger.error(
        { code: error.code },
        'what the fever gate found waits: it could not be stored',
      );
    }
  }

  #append(): void {
    const { site, node, gate, append } = this.#options;
    const results = this.#results.slice(0, RESULTS_A_MESSAGE);
    const window = this.#windows[0];
    append({
      ...{ schemaVersion: 1, site, node, gate, results, selfChecks: this.#selfChecks },
      ...(this.#status === undefined ? {} : { status: this.#status }),
      ...(window === undefined ? {} : { window }),
    });
    this.#results.splice(0, results.length);
    this.#windows.shift();
    this.#selfChecks = [];
    this.#status = undefined;
  }

  #limit(): void {
    const excess = Math.max(0, this.#results.length - WAITING_MAX.results);
    this.#results.splice(0, excess);
    this.#windows.splice(0, Math.max(0, this.#windows.length - WAITING_MAX.windows));
    this.#selfChecks.splice(0, Math.max(0, this.#selfChecks.length - WAITING_MAX.selfChecks));
    const lost = this.#unsaid + excess;
    this.#unsaid = 0;
    if (lost > 0)
      this.#options.logger.warn({ code: 'OUTBOX_FULL', count: lost }, 'single passages are counted only');
  }
}

function isForLater({ code, retryable }: NgatuError): boolean {
  return retryable || code === 'DISK_FULL' || code === 'OUTBOX_FULL';
}
