import { expect, it } from 'vitest';
import { computeBackoffMs, pause } from './backoff.ts';

const LIMITS = { firstMs: 250, capMs: 2_000 };

it('doubles up to the cap and takes off at most a half by chance', () => {
  const longest = [0, 1, 2, 3, 4, 1_000].map((attempt) => computeBackoffMs(attempt, LIMITS, () => 1));
  expect(longest).toEqual([250, 500, 1_000, 2_000, 2_000, 2_000]);
  expect(computeBackoffMs(1, LIMITS, () => 0)).toBe(250);
});

it('ends a pause at once when it is stopped', async () => {
  const stop = new AbortController();
  const from = performance.now();
  const paused = pause(60_000, stop.signal);
  stop.abort();
  await paused;
  await pause(60_000, stop.signal);
  expect(performance.now() - from).toBeLessThan(5_000);
});
