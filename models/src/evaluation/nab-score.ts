/**
 * Scoring of the Numenta Anomaly Benchmark (Lavin & Ahmad, ICMLA 2015), as its published scorer (nab/sweeper.py, nab/runner.py of its
 * repository) computes it, with the weights of its standard profile.
 */
export const STANDARD_PROFILE = { truePositive: 1, falsePositive: 0.11, falseNegative: 1 } as const;
/** This share of a series, of at most 5,000 rows, is for learning: nothing in it counts. */
const PROBATION_SHARE = 0.15;
const PROBATION_ROWS_MAX = 5_000;

/** A labelled anomaly as indexes of its first and last row. */
export interface NabWindow {
  readonly first: number;
  readonly last: number;
}

/** A series with what a detector said of each row: 0 (usual) to 1. */
export interface ScoredSeries {
  readonly scores: ArrayLike<number>;
  readonly windows: readonly NabWindow[];
}

export interface NabOutcome {
  /** 0: as good as a detector that never speaks; 100: each window at its first row, and no false alarm. May be negative. */
  readonly score: number;
  readonly windowsFound: number;
  readonly windows: number;
  /** Rows flagged outside of windows. */
  readonly falseRows: number;
}

export function countProbationRows(rows: number): number {
  return Math.min(Math.floor(PROBATION_SHARE * rows), PROBATION_SHARE * PROBATION_ROWS_MAX);
}

/** 2·sigmoid(−5·position) − 1: near 1 at the left edge of a window (−1), 0 at its right edge, −1 far behind it. */
export function computeScaledSigmoid(position: number): number {
  return position >= 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1;
}

interface WeighedRow {
  readonly confidence: number;
  readonly weight: number;
  /** Index of the window over all series; undefined outside of windows. */
  readonly window?: number;
}

/** Every row that counts, with what flagging it is worth. */
function weighRows(series: readonly ScoredSeries[]): { rows: WeighedRow[]; windows: number; total: number } {
  const rows: WeighedRow[] = [];
  const scoreable = new Set<number>();
  let offset = 0;
  for (const { scores, windows } of series) {
    const ordered = [...windows].sort((a, b) => a.first - b.first);
    for (let row = countProbation(scores.length); row < scores.length; row++) {
      const place = ordered.findIndex(({ first, last }) => row >= first && row <= last);
      const confidence = scores[row] ?? 0;
      if (place >= 0) {
        scoreable.add(offset + place);
        rows.push({ confidence, weight: weighInside(ordered[place], row), window: offset + place });
      } else {
        const before = ordered.filter(({ last }) => last < row).at(-1);
        rows.push({ confidence, weight: weighOutside(before, row) });
      }
    }
    offset += windows.length;
  }
  return { rows, windows: scoreable.size, total: offset };
}

const countProbation = (rows: number): number => Math.ceil(countProbationRows(rows));

function weighInside(window: NabWindow | undefined, row: number): number {
  if (window === undefined) return 0;
  const position = -(window.last - row + 1) / (window.last - window.first + 1);
  return (computeScaledSigmoid(position) / computeScaledSigmoid(-1)) * STANDARD_PROFILE.truePositive;
}

function weighOutside(before: NabWindow | undefined, row: number): number {
  const position = before === undefined ? 3 : (row - before.last) / (before.last - before.first);
  return computeScaledSigmoid(position) * STANDARD_PROFILE.falsePositive;
}

/** The score of a corpus where rows with a confidence of at least `threshold` are flagged. */
export function scoreNab(series: readonly ScoredSeries[], threshold: number): NabOutcome {
  const weighed = weighRows(series);
  const best = new Map<number, number>();
  let falsePositive = 0;
  let falseRows = 0;
  for (const { confidence, weight, window } of weighed.rows) {
    if (confidence < threshold) continue;
    if (window === undefined) {
      falsePositive += weight;
      falseRows++;
    } else best.set(window, Math.max(best.get(window) ?? -STANDARD_PROFILE.falseNegative, weight));
  }
  return {
    score: normalize(falsePositive, best, weighed),
    windowsFound: best.size,
    windows: weighed.windows,
    falseRows,
  };
}

/** The threshold with which a detector does best on this corpus: NAB's own practice, with the truth in hand. */
export function optimizeNabThreshold(series: readonly ScoredSeries[]): { threshold: number; score: number } {
  const weighed = weighRows(series);
  const ordered = [...weighed.rows].sort((a, b) => b.confidence - a.confidence);
  const best = new Map<number, number>();
  let falsePositive = 0;
  let result = { threshold: 1.1, score: normalize(0, best, weighed) };
  for (const [index, { confidence, weight, window }] of ordered.entries()) {
    if (window === undefined) falsePositive += weight;
    else best.set(window, Math.max(best.get(window) ?? -STANDARD_PROFILE.falseNegative, weight));
    if (ordered[index + 1]?.confidence === confidence) continue;
    const score = normalize(falsePositive, best, weighed);
    if (score > result.score) result = { threshold: confidence, score };
  }
  return result;
}

/** 100 · (raw − null) / (perfect − null); the null detector misses every window that can be found. */
function normalize(
  falsePositive: number,
  best: ReadonlyMap<number, number>,
  { windows, total }: { windows: number; total: number },
): number {
  const missed = (windows - best.size) * STANDARD_PROFILE.falseNegative;
  const raw = falsePositive - missed + [...best.values()].reduce((sum, each) => sum + each, 0);
  const silent = -windows * STANDARD_PROFILE.falseNegative;
  const perfect = total * STANDARD_PROFILE.truePositive;
  return (100 * (raw - silent)) / (perfect - silent);
}
