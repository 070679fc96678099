/** What is locked, and the wrong passwords that cost it nothing. */
export interface ThrottleKey {
  readonly name: string;
  readonly freeAttempts: number;
  /** How long each lock of it lasts, ms; absent: doubling from 2 s to 15 min. */
  readonly lockMs?: number;
}

const FIRST_LOCK_MS = 2_000;
const LONGEST_LOCK_MS = 15 * 60_000;
/** Failures are forgotten after this long without another one. */
const FORGET_AFTER_MS = 60 * 60_000;
const MAX_KEYS = 10_000;

interface Failures {
  count: number;
  lastAtMs: number;
  lockedUntilMs: number;
}

/**
 * Locks a key out for a time that doubles with each wrong password after the free ones (2 s to 15 min).
 * Kept in memory, at most 10,000 keys: the key that failed longest ago gives way.
 */
export class SignInThrottle {
  private readonly failures = new Map<string, Failures>();

  constructor(private readonly now: () => number) {}

  /** How long the longest lock of these keys lasts, ms; 0 where none is locked. */
  lockedForMs(keys: readonly ThrottleKey[]): number {
    const now = this.now();
    return Math.max(0, ...keys.map(({ name }) => (this.failures.get(name)?.lockedUntilMs ?? now) - now));
  }

  /** Call it before the password is verified: attempts that run at the same time then count as well. */
  recordAttempt(keys: readonly ThrottleKey[]): void {
    const now = this.now();
    for (const { name, freeAttempts, lockMs: fixedMs } of keys) {
      const known = this.failures.get(name);
      const count = known !== undefined && now - known.lastAtMs < FORGET_AFTER_MS ? known.count + 1 : 1;
      const excess = count - freeAttempts;
      const growingMs = Math.min(LONGEST_LOCK_MS, FIRST_LOCK_MS * 2 ** Math.min(excess, 20));
      const lockMs = excess < 0 ? 0 : (fixedMs ?? growingMs);
      this.failures.delete(name);
      this.failures.set(name, { count, lastAtMs: now, lockedUntilMs: now + lockMs });
    }
    for (const name of this.failures.keys()) {
      if (this.failures.size <= MAX_KEYS) break;
      this.failures.delete(name);
    }
  }

  recordSuccess(keys: readonly ThrottleKey[]): void {
    for (const { name } of keys) this.failures.delete(name);
  }
}
