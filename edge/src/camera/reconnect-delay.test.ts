import { describe, expect, it } from 'vitest';
import { computeReconnectDelay } from './reconnect-delay.ts';

describe('computeReconnectDelay', () => {
  it('grows to attempts 2 s apart, whatever the attempt itself took', () => {
    const delays = [1, 2, 3, 4, 5, 50].map((failures) =>
      computeReconnectDelay({ code: 'CAMERA_UNREACHABLE', failures, attemptMs: 0, random: 1 }),
    );
    expect(delays).toEqual([250, 500, 1000, 2000, 2000, 2000]);
    const slow = { code: 'CAMERA_STALLED', failures: 9, attemptMs: 3_000, random: 1 } as const;
    expect(computeReconnectDelay(slow)).toBe(250);
  });

  it('spreads by half', () => {
    const delay = { code: 'CAMERA_UNREACHABLE', failures: 9, attemptMs: 0 } as const;
    expect(computeReconnectDelay({ ...delay, random: 0 })).toBe(1_000);
  });

  it('does not hammer a camera with a wrong password', () => {
    const wrong = { code: 'CAMERA_UNAUTHORIZED', attemptMs: 0, random: 0 } as const;
    const inTenMinutes = [1, 2, 3, 4, 5, 6].map((failures) => computeReconnectDelay({ ...wrong, failures }));
    expect(inTenMinutes.slice(0, 5).reduce((sum, delay) => sum + delay, 0)).toBeGreaterThan(60_000);
    expect(computeReconnectDelay({ ...wrong, failures: 40, random: 1 })).toBe(300_000);
  });
});
