import { compareTracks } from './mot-frame.ts';
import { countHota, type HotaCounts } from './mot-hota.ts';
import { type ClearCounts, countClear, countIdentity, type IdentityCounts } from './mot-score.ts';
import type { MotTrackRow } from './mot-text.ts';

/** What can be added up over sequences. */
export interface MotCounts {
  readonly clear: ClearCounts;
  readonly identity: IdentityCounts;
  readonly hota: HotaCounts;
  readonly truthIds: number;
  readonly resultIds: number;
}

/** Shares in per cent; absent where there is neither truth nor result. MOTA is below 0 where errors outnumber the truth. */
export interface MotMetrics {
  readonly mota?: number;
  readonly idf1?: number;
  readonly hota?: number;
  readonly deta?: number;
  readonly assa?: number;
  readonly falsePositives: number;
  readonly misses: number;
  readonly switches: number;
  readonly fragments: number;
  readonly truth: number;
  readonly truthIds: number;
  readonly resultIds: number;
}

/** Scores a result against the truth of the same sequence; both must be made ready (`prepareTruth`). */
export function countMot(truth: readonly MotTrackRow[], result: readonly MotTrackRow[]): MotCounts {
  const comparison = compareTracks(truth, result);
  return {
    clear: countClear(comparison),
    identity: countIdentity(comparison),
    hota: countHota(comparison),
    truthIds: comparison.truthIdCount,
    resultIds: comparison.resultIdCount,
  };
}

export function computeMotMetrics({ clear, identity, hota, truthIds, resultIds }: MotCounts): MotMetrics {
  const { truth, falsePositives, misses, switches, fragments } = clear;
  const shares: { -readonly [Name in 'mota' | 'idf1' | 'hota' | 'deta' | 'assa']?: number } = {};
  if (truth > 0) shares.mota = 100 * (1 - (falsePositives + misses + switches) / truth);
  const pairs = 2 * identity.truePositives + identity.falsePositives + identity.falseNegatives;
  if (pairs > 0) {
    shares.idf1 = (200 * identity.truePositives) / pairs;
    const deta = hota.truePositives.map(
      (hits, index) => hits / (hits + (hota.falsePositives[index] ?? 0) + (hota.falseNegatives[index] ?? 0)),
    );
    const assa = hota.truePositives.map((hits, index) =>
      hits === 0 ? 0 : (hota.associationSums[index] ?? 0) / hits,
    );
    shares.deta = 100 * computeMean(deta);
    shares.assa = 100 * computeMean(assa);
    shares.hota = 100 * computeMean(deta.map((value, index) => Math.sqrt(value * (assa[index] ?? 0))));
  }
  return { ...shares, falsePositives, misses, switches, fragments, truth, truthIds, resultIds };
}

/** Counts of all sequences taken together: long sequences weigh more. */
export function addMotCounts(all: readonly MotCounts[]): MotCounts {
  const sum = (pick: (counts: MotCounts) => number): number =>
    all.reduce((total, counts) => total + pick(counts), 0);
  const sumEach = (pick: (counts: MotCounts) => readonly number[]): number[] =>
    (all[0] === undefined ? [] : pick(all[0])).map((_, index) => sum((counts) => pick(counts)[index] ?? 0));
  return {
    clear: {
      truth: sum(({ clear }) => clear.truth),
      falsePositives: sum(({ clear }) => clear.falsePositives),
      misses: sum(({ clear }) => clear.misses),
      switches: sum(({ clear }) => clear.switches),
      fragments: sum(({ clear }) => clear.fragments),
    },
    identity: {
      truePositives: sum(({ identity }) => identity.truePositives),
      falsePositives: sum(({ identity }) => identity.falsePositives),
      falseNegatives: sum(({ identity }) => identity.falseNegatives),
    },
    hota: {
      truePositives: sumEach(({ hota }) => hota.truePositives),
      falsePositives: sumEach(({ hota }) => hota.falsePositives),
      falseNegatives: sumEach(({ hota }) => hota.falseNegatives),
      associationSums: sumEach(({ hota }) => hota.associationSums),
    },
    truthIds: sum(({ truthIds }) => truthIds),
    resultIds: sum(({ resultIds }) => resultIds),
  };
}

export function computeMean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
