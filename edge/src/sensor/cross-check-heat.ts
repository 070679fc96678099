import type { CrossCheckFinding } from '@ngatu/contract';

/** One stretch of time: how hot the cabinet was, and what share of the frames was dropped (0–1). */
export interface HeatPair {
  readonly temperature: number;
  readonly droppedShare: number;
}

const LEAST_PAIRS = 18;
/** Within a smaller range of temperatures nothing can be said, °C. */
const LEAST_RANGE = 5;
/** Drops while hot must be at least this, and so many times those while cool. */
const LEAST_SHARE = 0.02;
const LEAST_RISE = 2;
const LEAST_CORRELATION = 0.5;

/**
 * Whether frames are dropped because the cabinet is hot: the hottest third of the time against the coolest, and the rank correlation
 * (Spearman) over all of it. A correlation is no cause: the wording says what to look at. `hotShare`: dropped while hot.
 */
export function compareHeat(
  pairs: readonly HeatPair[],
):
  | { readonly finding: Extract<CrossCheckFinding, 'heat' | 'no-heat'>; readonly hotShare: number }
  | undefined {
  const sorted = [...pairs].sort((a, b) => a.temperature - b.temperature);
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (first === undefined || last === undefined || sorted.length < LEAST_PAIRS) return undefined;
  if (last.temperature - first.temperature < LEAST_RANGE) return undefined;
  const third = Math.floor(sorted.length / 3);
  const meanOf = (part: readonly HeatPair[]): number =>
    part.reduce((sum, { droppedShare }) => sum + droppedShare, 0) / part.length;
  const cool = meanOf(sorted.slice(0, third));
  const hotShare = meanOf(sorted.slice(-third));
  const correlation = computeRankCorrelation(
    pairs.map(({ temperature }) => temperature),
    pairs.map(({ droppedShare }) => droppedShare),
  );
  const isHeat = hotShare >= LEAST_SHARE && hotShare >= LEAST_RISE * cool && correlation >= LEAST_CORRELATION;
  return { finding: isHeat ? 'heat' : 'no-heat', hotShare };
}

/** Spearman's ρ with mean ranks for ties; 0 where one side never changes. */
export function computeRankCorrelation(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [computeRanks(a), computeRanks(b)];
  const middle = (x.length + 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  for (const [index, rank] of x.entries()) {
    const [dx, dy] = [rank - middle, (y[index] ?? middle) - middle];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xx === 0 || yy === 0 ? 0 : xy / Math.sqrt(xx * yy);
}

function computeRanks(values: readonly number[]): number[] {
  const order = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const ranks = new Array<number>(values.length).fill(0);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && order[to]?.value === order[from]?.value) to += 1;
    for (const { index } of order.slice(from, to)) ranks[index] = (from + 1 + to) / 2;
    from = to;
  }
  return ranks;
}
