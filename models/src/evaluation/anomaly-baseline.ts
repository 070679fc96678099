import { computeNormalRarity } from '@ngatu/edge';
import { countProbationRows } from './nab-score.ts';

/** NAB's own tuning of its windowed Gaussian. */
const WINDOW_ROWS = 6_400;
const WINDOW_STEP = 100;
const DEVIATION_MIN = 1e-6;

/**
 * NAB's windowed Gaussian (nab/detectors/gaussian): how rare a row is under a normal distribution laid through the rows before, as
 * −log10 of the chance, [rows].
 */
export function rateByWindow(values: Float64Array): Float64Array {
  let window: number[] = [];
  let arriving: number[] = [];
  let fit = { mean: 0, deviation: 1 };
  return values.map((value, row) => {
    const rarity = row === 0 ? 0 : computeNormalRarity((value - fit.mean) / fit.deviation);
    if (window.length < WINDOW_ROWS) {
      window.push(value);
      fit = fitNormal(window);
    } else {
      arriving.push(value);
      if (arriving.length === WINDOW_STEP) {
        window = [...window.slice(WINDOW_STEP), ...arriving];
        arriving = [];
        fit = fitNormal(window);
      }
    }
    return rarity;
  });
}

/**
 * Plain limits, as somebody sets them once after looking at the beginning of a series: standard deviations from the mean of the
 * probationary rows, [rows].
 */
export function rateByThreshold(values: Float64Array): Float64Array {
  const { mean, deviation } = fitNormal([
    ...values.subarray(0, Math.max(2, Math.ceil(countProbationRows(values.length)))),
  ]);
  return values.map((value) => Math.abs(value - mean) / deviation);
}

function fitNormal(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
  const variance = values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.max(DEVIATION_MIN, Math.sqrt(variance)) };
}
