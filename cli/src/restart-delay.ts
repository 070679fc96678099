const WINDOW_MS = 15_000;
const FREE_RESTARTS = 3;
const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 4_000;

/**
 * How long to wait before a part is started again, ms. Nothing for the first deaths, so that a kill costs no time; then
 * twice as long each time while it keeps dying, up to a cap.
 *
 * @param deaths when it died, ms on a monotonic clock
 */
export function computeRestartDelayMs(deaths: readonly number[], nowMs: number): number {
  const recent = deaths.filter((at) => nowMs - at < WINDOW_MS).length;
  if (recent <= FREE_RESTARTS) return 0;
  return Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (recent - FREE_RESTARTS - 1));
}
