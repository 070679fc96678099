import { describe, expect, it } from 'vitest';
import { computeProportion, formatProportion } from './interval.ts';

describe('computeProportion', () => {
  // R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('gives the published interval of %i in %i', (hits, total, low, high) => {
    const proportion = computeProportion(hits, total);
    expect(proportion.low).toBeCloseTo(low, 4);
    expect(proportion.high).toBeCloseTo(high, 4);
  });

  it('says nothing of nothing', () => {
    expect(computeProportion(0, 0)).toEqual({ hits: 0, total: 0 });
    expect(formatProportion(computeProportion(0, 0))).toBe('– (0/0)');
  });
});
