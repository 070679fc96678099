/** A number with its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** One case of a test: its number, and whether the reference calls it positive. */
export interface ScoredCase {
  readonly score: number;
  readonly positive: boolean;
}

const Z_95 = 1.959964;

/**
 * Area under the ROC curve with DeLong's variance (Biometrics 44, 1988), computed by midranks (Sun & Xu, IEEE Signal
 * Processing Letters 21, 2014). Undefined where one of the groups has fewer than two cases.
 */
export function computeAuc(cases: readonly ScoredCase[]): Estimate | undefined {
  const positives = cases.filter(({ positive }) => positive).map(({ score }) => score);
  const negatives = cases.filter(({ positive }) => !positive).map(({ score }) => score);
  const m = positives.length;
  const n = negatives.length;
  if (m < 2 || n < 2) return undefined;
  const all = rankMiddles([...positives, ...negatives]);
  const own = { positive: rankMiddles(positives), negative: rankMiddles(negatives) };
  const placed = positives.map((_, i) => ((all[i] ?? 0) - (own.positive[i] ?? 0)) / n);
  const passed = negatives.map((_, j) => 1 - ((all[m + j] ?? 0) - (own.negative[j] ?? 0)) / m);
  const value = average(placed);
  const half = Z_95 * Math.sqrt(variance(placed) / m + variance(passed) / n);
  return { value, low: Math.max(0, value - half), high: Math.min(1, value + half) };
}

/** Rank of each value, ties sharing their middle rank; ranks begin at 1. */
function rankMiddles(values: readonly number[]): Float64Array {
  const order = values.map((_, index) => index).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranks = new Float64Array(values.length);
  for (let i = 0; i < order.length; ) {
    let end = i + 1;
    while (end < order.length && values[order[end] ?? 0] === values[order[i] ?? 0]) end++;
    for (let k = i; k < end; k++) ranks[order[k] ?? 0] = (i + end + 1) / 2;
    i = end;
  }
  return ranks;
}

export function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Variance of a sample. */
function variance(values: readonly number[]): number {
  const mean = average(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}

export interface Agreement {
  /** Mean of estimate minus reference. */
  readonly bias: Estimate;
  readonly lowerLimit: Estimate;
  readonly upperLimit: Estimate;
}

/**
 * Limits within which 95 % of the differences lie, with the intervals of Bland & Altman (Lancet 327, 1986). Undefined for
 * fewer than two differences.
 */
export function computeAgreement(differences: readonly number[]): Agreement | undefined {
  const n = differences.length;
  if (n < 2) return undefined;
  const bias = average(differences);
  const deviation = Math.sqrt(variance(differences));
  const around = (value: number, half: number): Estimate => ({
    value,
    low: value - half,
    high: value + half,
  });
  const biasHalf = (Z_95 * deviation) / Math.sqrt(n);
  const limitHalf = Z_95 * deviation * Math.sqrt(1 / n + Z_95 ** 2 / (2 * (n - 1)));
  return {
    bias: around(bias, biasHalf),
    lowerLimit: around(bias - Z_95 * deviation, limitHalf),
    upperLimit: around(bias + Z_95 * deviation, limitHalf),
  };
}

/** Mean of numbers with its interval by the central limit; undefined for fewer than two. */
export function computeMeanEstimate(values: readonly number[]): Estimate | undefined {
  if (values.length < 2) return undefined;
  const value = average(values);
  const half = Z_95 * Math.sqrt(variance(values) / values.length);
  return { value, low: value - half, high: value + half };
}

/** Least squares `y = level + slope · x`; undefined where x does not vary. */
export function fitLine(
  points: readonly { readonly x: number; readonly y: number }[],
): { readonly level: number; readonly slope: number; readonly residual: number } | undefined {
  if (points.length < 3) return undefined;
  const mx = average(points.map(({ x }) => x));
  const my = average(points.map(({ y }) => y));
  const sxx = points.reduce((sum, { x }) => sum + (x - mx) ** 2, 0);
  if (sxx < 1e-9) return undefined;
  const slope = points.reduce((sum, { x, y }) => sum + (x - mx) * (y - my), 0) / sxx;
  const level = my - slope * mx;
  const squares = points.reduce((sum, { x, y }) => sum + (y - level - slope * x) ** 2, 0);
  return { level, slope, residual: Math.sqrt(squares / (points.length - 2)) };
}

/** Numbers in [0, 1) that a seed repeats (mulberry32). */
function createSequence(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const RESAMPLES = 300;

/**
 * The score at and above which a case is called positive so that sensitivity + specificity is largest (Youden's index), as the
 * median over bootstrap samples, which one odd case does not move. Undefined where a group is empty.
 */
export function lockThreshold(cases: readonly ScoredCase[], seed: number): number | undefined {
  const positives = cases.filter(({ positive }) => positive);
  const negatives = cases.filter(({ positive }) => !positive);
  if (positives.length === 0 || negatives.length === 0) return undefined;
  const next = createSequence(seed);
  const draw = (group: readonly ScoredCase[]): ScoredCase[] =>
    group.flatMap(() => group[Math.floor(next() * group.length)] ?? []);
  const thresholds = Array.from({ length: RESAMPLES }, () =>
    findYouden([...draw(positives), ...draw(negatives)]),
  ).sort((a, b) => a - b);
  return thresholds[RESAMPLES / 2];
}

/** Half-way between the scores where the index is largest. */
function findYouden(cases: readonly ScoredCase[]): number {
  const sorted = [...cases].sort((a, b) => b.score - a.score);
  const positives = sorted.filter(({ positive }) => positive).length;
  const negatives = sorted.length - positives;
  let best = { index: Number.NEGATIVE_INFINITY, threshold: 0 };
  let hits = 0;
  let alarms = 0;
  for (const [i, { score, positive }] of sorted.entries()) {
    if (positive) hits++;
    else alarms++;
    const below = sorted[i + 1]?.score ?? score;
    const index = hits / positives - alarms / negatives;
    if (below < score && index > best.index) best = { index, threshold: (score + below) / 2 };
  }
  return best.threshold;
}
