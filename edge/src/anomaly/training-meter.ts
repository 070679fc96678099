/** How much training may cost. */
export interface TrainingBudget {
  /** CPU time a minute of wall time, ms: 600 is a hundredth of a core. */
  readonly msPerMinute: number;
  /** CPU time in one go, ms: so long nothing else runs on the thread. */
  readonly sliceMs: number;
  /** Monotonic time, ms. */
  readonly nowMs: () => number;
  /** CPU time of the process, ms. */
  readonly cpuMs: () => number;
}

const MINUTE_MS = 60_000;

const DEFAULT_BUDGET: TrainingBudget = {
  msPerMinute: 600,
  sliceMs: 40,
  nowMs: () => performance.now(),
  cpuMs: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  },
};

/**
 * Keeps training within its budget by measuring it: what a go costs too much is saved by the next ones, and no more than a
 * minute's budget is ever saved up.
 */
export class TrainingMeter {
  readonly #budget: TrainingBudget;
  #savedMs = 0;
  #seenAtMs: number;
  #beganCpuMs = 0;
  #spentMs = 0;
  #steps = 0;

  constructor(budget: Partial<TrainingBudget> = {}) {
    this.#budget = { ...DEFAULT_BUDGET, ...budget };
    this.#seenAtMs = this.#budget.nowMs();
  }

  /** CPU time spent so far, ms. */
  get spentMs(): number {
    return this.#spentMs;
  }

  get steps(): number {
    return this.#steps;
  }

  /** True where the budget holds a go. */
  mayBegin(): boolean {
    const { msPerMinute, sliceMs } = this.#budget;
    const nowMs = this.#budget.nowMs();
    const earnedMs = ((nowMs - this.#seenAtMs) / MINUTE_MS) * msPerMinute;
    this.#seenAtMs = nowMs;
    this.#savedMs = Math.min(msPerMinute, this.#savedMs + earnedMs);
    return this.#savedMs >= Math.min(sliceMs, msPerMinute);
  }

  begin(): void {
    this.#beganCpuMs = this.#budget.cpuMs();
  }

  /** False where the go has used its time. */
  mayGoOn(): boolean {
    return this.#budget.cpuMs() - this.#beganCpuMs < this.#budget.sliceMs;
  }

  end(steps: number): void {
    const usedMs = this.#budget.cpuMs() - this.#beganCpuMs;
    this.#savedMs -= usedMs;
    this.#spentMs += usedMs;
    this.#steps += steps;
  }
}
