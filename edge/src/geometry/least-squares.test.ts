import { describe, expect, it } from 'vitest';
import { fitLeastSquares, type Residual } from './least-squares.ts';

const line =
  (points: readonly (readonly [number, number])[]) =>
  ([slope = 0, offset = 0]: Float64Array): Residual[] =>
    points.map(([x, y]) => ({ miss: [slope * x + offset - y], covariance: [0.25] }));

describe('fitLeastSquares', () => {
  it('finds a line with the covariance of the textbook', () => {
    const fit = fitLeastSquares(
      Float64Array.of(0, 0),
      line([
        [0, 1],
        [1, 3],
        [2, 5],
        [3, 7],
      ]),
    );
    expect(fit?.parameters[0]).toBeCloseTo(2, 9);
    expect(fit?.parameters[1]).toBeCloseTo(1, 9);
    // σ² / Σ(x − x̄)² with σ = 0.5
    expect(fit?.covariance[0]).toBeCloseTo(0.25 / 5, 6);
  });

  it('ends where it starts at the minimum, to the last bit', () => {
    const fit = fitLeastSquares(
      Float64Array.of(0, 0),
      line([
        [-1, 0],
        [0, 0],
        [1, 0],
      ]),
    );
    expect([...(fit?.parameters ?? [])]).toEqual([0, 0]);
    expect(fit?.chiSquare).toBe(0);
  });

  it('ends where no step helps, and where misses are no numbers', () => {
    const spoilt = (parameters: Float64Array): Residual[] =>
      line([
        [0, 1],
        [1, 3],
        [2, Number.NaN],
      ])(parameters);
    expect(fitLeastSquares(Float64Array.of(0, 0), spoilt)).toBeUndefined();
    const one = ([a = 0, b = 0]: Float64Array): Residual[] => [{ miss: [a + b - 1], covariance: [1] }];
    expect(fitLeastSquares(Float64Array.of(0, 0), one)).toBeUndefined();
  });
});
