import { BbrControl } from './bbr-control.ts';
import { type AckSample, type CongestionControl, INITIAL_WINDOW } from './congestion-sample.ts';

export const CONGESTION_CONTROLS = ['reno', 'cubic', 'bbr'] as const;
export type CongestionControlName = (typeof CONGESTION_CONTROLS)[number];

const MIN_WINDOW = 2;

export function createCongestionControl(
  name: CongestionControlName,
  random: () => number,
): CongestionControl {
  if (name === 'reno') return new RenoControl();
  return name === 'cubic' ? new CubicControl() : new BbrControl(random);
}

/** RFC 5681 with one reduction a window (RFC 6675). */
class RenoControl implements CongestionControl {
  readonly pacingRate = undefined;
  #window = INITIAL_WINDOW;
  #threshold = Number.POSITIVE_INFINITY;

  get window(): number {
    return this.#window;
  }

  onAck({ deliveredSegments, isWindowLimited, inRecovery }: AckSample): void {
    if (inRecovery || !isWindowLimited) return;
    if (this.#window < this.#threshold) this.#window += deliveredSegments;
    else this.#window += deliveredSegments / this.#window;
  }

  onLoss(_nowMs: number, inFlight: number): void {
    this.#threshold = Math.max(Math.min(this.#window, inFlight) / 2, MIN_WINDOW);
    this.#window = this.#threshold;
  }

  onTimeout(_nowMs: number, inFlight: number): void {
    this.#threshold = Math.max(inFlight / 2, MIN_WINDOW);
    this.#window = 1;
  }

  onIdle(): void {
    this.#window = Math.min(this.#window, INITIAL_WINDOW);
  }
}

/** RFC 9438 section 4.1.2 and 4.6. */
const CUBIC_C = 0.4;
const CUBIC_BETA = 0.7;
const CUBIC_ALPHA = (3 * (1 - CUBIC_BETA)) / (1 + CUBIC_BETA);

/** RFC 9438, without HyStart++ (slow start ends at the first loss). */
class CubicControl implements CongestionControl {
  readonly pacingRate = undefined;
  #window = INITIAL_WINDOW;
  #threshold = Number.POSITIVE_INFINITY;
  #windowMax = 0;
  #windowPrior = 0;
  /** Reno-friendly estimate (4.3). */
  #estimate = 0;
  /** Time to grow back to `#windowMax`, s. */
  #growSeconds = 0;
  #epochMs: number | undefined;
  #roundTripMs = 0;

  get window(): number {
    return this.#window;
  }

  onAck(sample: AckSample): void {
    const { nowMs, deliveredSegments, roundTripMs, isWindowLimited, inRecovery } = sample;
    if (roundTripMs !== undefined) this.#roundTripMs = roundTripMs;
    if (inRecovery || !isWindowLimited) return;
    if (this.#window < this.#threshold) {
      this.#window += deliveredSegments;
      return;
    }
    if (this.#epochMs === undefined) this.#beginEpoch(nowMs);
    const elapsedMs = nowMs - (this.#epochMs ?? nowMs);
    const alpha = this.#estimate < this.#windowPrior ? CUBIC_ALPHA : 1;
    this.#estimate += (alpha * deliveredSegments) / this.#window;
    if (this.#computeWindow(elapsedMs) < this.#estimate) {
      this.#window = Math.max(this.#window, this.#estimate);
      return;
    }
    const wanted = this.#computeWindow(elapsedMs + this.#roundTripMs);
    const target = Math.min(Math.max(wanted, this.#window), 1.5 * this.#window);
    this.#window += ((target - this.#window) / this.#window) * deliveredSegments;
  }

  onLoss(_nowMs: number, inFlight: number): void {
    const reached = Math.min(this.#window, Math.max(inFlight, MIN_WINDOW));
    this.#reduce(reached);
    this.#window = this.#threshold;
  }

  onTimeout(_nowMs: number, inFlight: number): void {
    this.#reduce(Math.max(inFlight, MIN_WINDOW));
    this.#window = 1;
  }

  onIdle(): void {
    this.#epochMs = undefined;
    this.#window = Math.min(this.#window, INITIAL_WINDOW);
  }

  #reduce(reached: number): void {
    this.#windowPrior = reached;
    // Fast convergence (4.7).
    this.#windowMax = reached < this.#windowMax ? (reached * (1 + CUBIC_BETA)) / 2 : reached;
    this.#threshold = Math.max(reached * CUBIC_BETA, MIN_WINDOW);
    this.#epochMs = undefined;
  }

  #beginEpoch(nowMs: number): void {
    this.#epochMs = nowMs;
    this.#estimate = this.#window;
    this.#windowMax = Math.max(this.#windowMax, this.#window);
    this.#growSeconds = Math.cbrt((this.#windowMax - this.#window) / CUBIC_C);
  }

  #computeWindow(elapsedMs: number): number {
    return CUBIC_C * (elapsedMs / 1_000 - this.#growSeconds) ** 3 + this.#windowMax;
  }
}
