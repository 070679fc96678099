const FIRST_MS = 250;
const CAP_MS = 15_000;

/** Wait after `failures` failed attempts in a row (from 1), ms: doubled each time up to the cap, of which a random half is taken off. */
export function computeRetryDelayMs(failures: number, random: () => number): number {
  const fullMs = Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(failures - 1, 30));
  return fullMs * (0.5 + random() / 2);
}

/** Resolves after `ms`, or at once when `signal` aborts: the caller looks at the signal. */
export function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted || ms <= 0) {
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

/** Resolves when `signal` aborts. */
export function waitForAbort(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
