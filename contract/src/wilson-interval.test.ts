import { expect, it } from 'vitest';
import { computeWilson } from './wilson-interval.ts';

it('is the published interval', () => {
  // Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, 15 of 148
  expect(computeWilson(81, 263).low).toBeCloseTo(0.2553, 4);
  expect(computeWilson(81, 263).high).toBeCloseTo(0.3662, 4);
  expect(computeWilson(15, 148).low).toBeCloseTo(0.0624, 4);
  expect(computeWilson(15, 148).high).toBeCloseTo(0.1605, 4);
});

it('reaches 0 and 1 exactly where it must, for any count, and is never outside', () => {
  for (let total = 1; total <= 400; total++) {
    expect(computeWilson(0, total).low).toBe(0);
    expect(computeWilson(total, total).high).toBe(1);
    const { low, high } = computeWilson(total >> 1, total);
    expect(low).toBeGreaterThanOrEqual(0);
    expect(high).toBeLessThanOrEqual(1);
  }
  expect(computeWilson(0, 20).high).toBeCloseTo(0.1611, 4);
});
