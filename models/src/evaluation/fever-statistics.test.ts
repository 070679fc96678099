import { describe, expect, it } from 'vitest';
import { computeAgreement, computeAuc, fitLine, lockThreshold, type ScoredCase } from './fever-statistics.ts';

const cases = (positives: readonly number[], negatives: readonly number[]): ScoredCase[] => [
  ...positives.map((score) => ({ score, positive: true })),
  ...negatives.map((score) => ({ score, positive: false })),
];

describe('the area under the curve', () => {
  it('is the share of pairs in the right order, ties counting half', () => {
    const positives = [5, 3, 3, 8];
    const negatives = [1, 3, 4, 2, 5];
    let right = 0;
    for (const p of positives) for (const n of negatives) right += p > n ? 1 : p === n ? 0.5 : 0;
    expect(computeAuc(cases(positives, negatives))?.value).toBeCloseTo(right / 20, 12);
    expect(computeAuc(cases([3, 4], [1, 2]))).toEqual({ value: 1, low: 1, high: 1 });
    expect(computeAuc(cases([3], [1, 2]))).toBeUndefined();
  });

  it("has DeLong's interval", () => {
    // placements of the positives 1, 5/6, 1/2 and of the negatives 1, 1, 5/6, 2/3, 1/2, 2/3, by hand
    const auc = computeAuc(cases([6, 5, 3], [1, 2, 3, 4, 5.5, 3.5]));
    const v10 = [6 / 6, 5 / 6, 2.5 / 6];
    const v01 = [3 / 3, 3 / 3, 2.5 / 3, 2 / 3, 1 / 3, 2 / 3];
    const mean = v10.reduce((a, b) => a + b) / 3;
    const variance = (v: number[], m: number) => v.reduce((s, x) => s + (x - m) ** 2, 0) / (v.length - 1);
    const half =
      1.959964 * Math.sqrt(variance(v10, mean) / 3 + variance(v01, v01.reduce((a, b) => a + b) / 6) / 6);
    expect(auc?.value).toBeCloseTo(mean, 12);
    expect(auc?.low).toBeCloseTo(mean - half, 9);
  });
});

describe('the locked threshold', () => {
  it('lies between the groups where they part', () => {
    const locked = lockThreshold(cases([37.9, 38, 38.4, 39], [36.1, 36.5, 36.6, 37, 36.9]), 1);
    expect(locked).toBeGreaterThan(37);
    expect(locked).toBeLessThan(38);
    expect(lockThreshold(cases([37.9, 38], [36.1]), 7)).toBe(lockThreshold(cases([37.9, 38], [36.1]), 7));
    expect(lockThreshold(cases([], [36]), 1)).toBeUndefined();
  });
});

describe('agreement', () => {
  it('is bias ± 1.96 deviations', () => {
    const agreement = computeAgreement([0.1, 0.3, -0.1, 0.5, 0.2]);
    expect(agreement?.bias.value).toBeCloseTo(0.2, 12);
    expect(agreement?.upperLimit.value).toBeCloseTo(0.2 + 1.959964 * Math.sqrt(0.05), 9);
    expect(computeAgreement([1])).toBeUndefined();
  });

  it('goes with a line of least squares', () => {
    const line = fitLine(
      [0, 1, 2, 3].map((x) => ({ x, y: 2 * x + 1 + (x === 1 ? 0.4 : x === 2 ? -0.4 : 0) })),
    );
    expect(line?.slope).toBeCloseTo(1.92, 9);
    expect(fitLine([1, 1, 1].map((x) => ({ x, y: x })))).toBeUndefined();
  });
});
