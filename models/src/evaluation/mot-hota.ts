import { assignOptimally } from '@ngatu/edge';
import type { MotComparison } from './mot-frame.ts';
import { forEachPair } from './mot-score.ts';

/** Limits of the similarity over which HOTA is averaged: 0.05, 0.10 … 0.95. */
export const HOTA_ALPHAS: readonly number[] = Array.from({ length: 19 }, (_, i) => (i + 1) / 20);
const ROUNDING = Number.EPSILON;

/** Counts of HOTA (J. Luiten et al., arXiv 2009.07736), one value for each of `HOTA_ALPHAS`. */
export interface HotaCounts {
  readonly truePositives: readonly number[];
  readonly falsePositives: readonly number[];
  readonly falseNegatives: readonly number[];
  /** Sum over the true positives of their association score A(c). */
  readonly associationSums: readonly number[];
}

/**
 * Counts matches at every limit. A frame is matched once, at the greatest sum of similarity × how well the two identities
 * agree over the whole sequence; a limit then drops the pairs below it, as the reference evaluation does.
 */
export function countHota(comparison: MotComparison): HotaCounts {
  const { frames, truthIdCount, resultIdCount, truthCount, resultCount } = comparison;
  const truthSights = new Float64Array(truthIdCount);
  const resultSights = new Float64Array(resultIdCount);
  const alignment = computeAlignment(comparison, truthSights, resultSights);
  const matches = HOTA_ALPHAS.map(() => new Map<number, number>());
  for (const { truthIds, resultIds, similarity } of frames) {
    const width = resultIds.length;
    const cost = new Float64Array(similarity.length).fill(1);
    forEachPair(similarity, width, (row, column, value) => {
      const cell = (truthIds[row] ?? 0) * resultIdCount + (resultIds[column] ?? 0);
      cost[row * width + column] = 1 - value * (alignment[cell] ?? 0);
    });
    assignOptimally(cost, truthIds.length, width, 1).forEach((column, row) => {
      if (column < 0) return;
      const value = similarity[row * width + column] ?? 0;
      const cell = (truthIds[row] ?? 0) * resultIdCount + (resultIds[column] ?? 0);
      HOTA_ALPHAS.forEach((alpha, index) => {
        if (value >= alpha - ROUNDING) matches[index]?.set(cell, (matches[index]?.get(cell) ?? 0) + 1);
      });
    });
  }
  const truePositives = matches.map((counts) => [...counts.values()].reduce((sum, count) => sum + count, 0));
  return {
    truePositives,
    falsePositives: truePositives.map((count) => resultCount - count),
    falseNegatives: truePositives.map((count) => truthCount - count),
    associationSums: matches.map((counts) => {
      let sum = 0;
      for (const [cell, count] of counts) {
        const truth = truthSights[Math.floor(cell / resultIdCount)] ?? 0;
        const result = resultSights[cell % resultIdCount] ?? 0;
        sum += (count * count) / (truth + result - count);
      }
      return sum;
    }),
  };
}

/** How well two identities agree over the sequence, 0–1: soft matches ÷ (sights of either − soft matches). */
function computeAlignment(
  { frames, resultIdCount, truthIdCount }: MotComparison,
  truthSights: Float64Array,
  resultSights: Float64Array,
): Float64Array {
  const soft = new Float64Array(truthIdCount * resultIdCount);
  for (const { truthIds, resultIds, similarity } of frames) {
    const width = resultIds.length;
    const rowSums = new Float64Array(truthIds.length);
    const columnSums = new Float64Array(width);
    forEachPair(similarity, width, (row, column, value) => {
      rowSums[row] = (rowSums[row] ?? 0) + value;
      columnSums[column] = (columnSums[column] ?? 0) + value;
    });
    forEachPair(similarity, width, (row, column, value) => {
      const cell = (truthIds[row] ?? 0) * resultIdCount + (resultIds[column] ?? 0);
      const share = value / ((rowSums[row] ?? 0) + (columnSums[column] ?? 0) - value);
      soft[cell] = (soft[cell] ?? 0) + share;
    });
    for (const id of truthIds) truthSights[id] = (truthSights[id] ?? 0) + 1;
    for (const id of resultIds) resultSights[id] = (resultSights[id] ?? 0) + 1;
  }
  return soft.map((value, cell) => {
    const truth = truthSights[Math.floor(cell / resultIdCount)] ?? 0;
    const result = resultSights[cell % resultIdCount] ?? 0;
    return value / (truth + result - value);
  });
}
