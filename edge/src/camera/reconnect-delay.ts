import type { ErrorCode } from '@ngatu/contract';

/** An attempt begins at most this long after the one before, so that a camera is back within 5 s of its return, ms. */
const LONGEST_MS = 2_000;
const SHORTEST_MS = 250;
/** Cameras lock an account after a few wrong passwords: ask seldom, ms. */
const UNAUTHORIZED_MS = { first: 5_000, longest: 300_000 };
/** Somebody has to change the camera or the scene first, ms. */
const UNREADABLE_MS = { first: 1_000, longest: 10_000 };

/**
 * How long to wait before the next attempt: exponential with jitter, less what the failed attempt took itself.
 * @param failures attempts in a row that delivered no picture, from 1
 * @param attemptMs how long the last attempt took, ms
 * @param random 0–1
 */
export function computeReconnectDelay(options: {
  readonly code: ErrorCode;
  readonly failures: number;
  readonly attemptMs: number;
  readonly random: number;
}): number {
  const { first, longest } = computeRange(options.code);
  const full = Math.min(longest, first * 2 ** Math.min(options.failures - 1, 30));
  const jittered = full * (0.5 + 0.5 * options.random);
  return Math.max(SHORTEST_MS * (0.5 + 0.5 * options.random), jittered - options.attemptMs);
}

function computeRange(code: ErrorCode): { first: number; longest: number } {
  if (code === 'CAMERA_UNAUTHORIZED') return UNAUTHORIZED_MS;
  if (code === 'VIDEO_UNREADABLE') return UNREADABLE_MS;
  return { first: SHORTEST_MS, longest: LONGEST_MS };
}
