/** Growth of the wait between attempts, ms. */
interface BackoffLimits {
  readonly firstMs: number;
  readonly capMs: number;
}

/**
 * Wait before attempt `attempt` (0 is the first repetition), ms: doubled each time up to the cap, of which a random half
 * is taken off, so that nodes which lost the same broker do not return in step. `random` is uniform in [0, 1).
 */
export function computeBackoffMs(attempt: number, limits: BackoffLimits, random: () => number): number {
  const fullMs = Math.min(limits.capMs, limits.firstMs * 2 ** Math.min(attempt, 30));
  return fullMs * (0.5 + random() / 2);
}

/** Resolves after `ms`, or at once when `signal` aborts: the caller looks at the signal. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener('abort', finish, { once: true });
  });
}
