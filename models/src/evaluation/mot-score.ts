import { assignOptimally } from '@ngatu/edge';
import type { MotComparison, MotFrame } from './mot-frame.ts';

/** Two boxes are of one object from this intersection over union on (MOTA, IDF1). */
export const MATCH_IOU = 0.5;
/** What rounding may cost a similarity that stands exactly on a limit. */
const ROUNDING = Number.EPSILON;

/** Counts of CLEAR-MOT (K. Bernardin, R. Stiefelhagen, EURASIP J. Image and Video Processing, 2008). */
export interface ClearCounts {
  readonly truth: number;
  readonly falsePositives: number;
  readonly misses: number;
  readonly switches: number;
  /** How often a truth object is found again after it was lost. */
  readonly fragments: number;
}

/** Counts of the global assignment of identities (E. Ristani et al., arXiv 1609.01775). */
export interface IdentityCounts {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
}

/**
 * In each frame a pair that was matched in the frame before stays matched where it still can; the rest is matched at the
 * greatest sum of similarity. Fragments and switches are counted as the MOTChallenge evaluation does.
 */
export function countClear({ frames, truthIdCount, truthCount, resultCount }: MotComparison): ClearCounts {
  const lastResult = new Int32Array(truthIdCount).fill(-1);
  let before = new Int32Array(truthIdCount).fill(-1);
  const sights = new Int32Array(truthIdCount);
  let [matched, switches] = [0, 0];
  for (const frame of frames) {
    // as in the reference evaluation, what was matched is remembered over frames in which one side is empty
    if (frame.similarity.length === 0) continue;
    const now = new Int32Array(truthIdCount).fill(-1);
    const columns = matchFrame(frame, before);
    frame.truthIds.forEach((truthId, row) => {
      const column = columns[row] ?? -1;
      if (column < 0) return;
      const resultId = frame.resultIds[column] ?? -1;
      const last = lastResult[truthId] ?? -1;
      matched += 1;
      if (last >= 0 && last !== resultId) switches += 1;
      if ((before[truthId] ?? -1) < 0) sights[truthId] = (sights[truthId] ?? 0) + 1;
      lastResult[truthId] = resultId;
      now[truthId] = resultId;
    });
    before = now;
  }
  const fragments = sights.reduce((sum, count) => sum + Math.max(0, count - 1), 0);
  return {
    truth: truthCount,
    falsePositives: resultCount - matched,
    misses: truthCount - matched,
    switches,
    fragments,
  };
}

/** A pair that goes on outweighs any number of new ones. */
const CONTINUITY = 1000;

function matchFrame({ truthIds, resultIds, similarity }: MotFrame, before: Int32Array): Int32Array {
  const [rows, columns] = [truthIds.length, resultIds.length];
  const open = CONTINUITY + 1;
  const cost = similarity.map((value, index) => {
    if (value < MATCH_IOU - ROUNDING) return open;
    const goesOn = before[truthIds[Math.floor(index / columns)] ?? -1] === resultIds[index % columns];
    return open - value - (goesOn ? CONTINUITY : 0);
  });
  return assignOptimally(cost, rows, columns, open);
}

/** Each identity of the truth takes at most one of the result, so that the most boxes agree over the whole sequence. */
export function countIdentity(comparison: MotComparison): IdentityCounts {
  const { frames, truthIdCount, resultIdCount, truthCount, resultCount } = comparison;
  const common = new Float64Array(truthIdCount * resultIdCount);
  for (const { truthIds, resultIds, similarity } of frames) {
    forEachPair(similarity, resultIds.length, (row, column, value) => {
      if (value < MATCH_IOU - ROUNDING) return;
      const cell = (truthIds[row] ?? 0) * resultIdCount + (resultIds[column] ?? 0);
      common[cell] = (common[cell] ?? 0) + 1;
    });
  }
  const open = frames.length + 1;
  const cost = common.map((count) => open - count);
  const columns = assignOptimally(cost, truthIdCount, resultIdCount, open);
  let truePositives = 0;
  columns.forEach((column, row) => {
    if (column >= 0) truePositives += common[row * resultIdCount + column] ?? 0;
  });
  return {
    truePositives,
    falsePositives: resultCount - truePositives,
    falseNegatives: truthCount - truePositives,
  };
}

/** Calls `visit` with each pair that overlaps at all. */
export function forEachPair(
  similarity: Float64Array,
  columns: number,
  visit: (row: number, column: number, value: number) => void,
): void {
  for (let index = 0; index < similarity.length; index++) {
    const value = similarity[index] ?? 0;
    if (value > 0) visit(Math.floor(index / columns), index % columns, value);
  }
}
