const BINS = 50;
/** When this many findings are counted, all counts are halved: the limit follows day and night, not single frames. */
const MAX_COUNT = 4000;
/** The mean of the findings above the limit lies at least this much over that of those below, or there are not two kinds. */
const MIN_GAP = 0.2;
/** The limit that is believed before anything was seen, and how many findings outweigh it. */
const PRIOR = 0.35;
const PRIOR_COUNT = 30;

/**
 * Learns where the confidence of a detector on this camera parts sure findings from doubtful ones: the limit with the
 * greatest variance between the two sides (N. Otsu, IEEE Trans. SMC 9, 1979). A softmax detector says 0.95 where another
 * says 0.6 with the same right; with a fixed limit one of the two would be followed badly.
 */
export class ConfidenceLimit {
  readonly #counts = new Float64Array(BINS);
  #total = 0;

  add(confidence: number): void {
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor(confidence * BINS)));
    this.#counts[bin] = (this.#counts[bin] as number) + 1;
    this.#total += 1;
    if (this.#total < MAX_COUNT) return;
    for (let i = 0; i < BINS; i++) this.#counts[i] = (this.#counts[i] as number) / 2;
    this.#total /= 2;
  }

  /** 0–1. */
  get value(): number {
    return (this.#total * this.#computeSplit() + PRIOR_COUNT * PRIOR) / (this.#total + PRIOR_COUNT);
  }

  #computeSplit(): number {
    let sum = 0;
    for (let i = 0; i < BINS; i++) sum += (this.#counts[i] as number) * (i + 0.5);
    let [below, sumBelow, most, split] = [0, 0, 0, PRIOR];
    for (let i = 0; i < BINS - 1; i++) {
      below += this.#counts[i] as number;
      sumBelow += (this.#counts[i] as number) * (i + 0.5);
      const above = this.#total - below;
      if (below <= 0 || above <= 0) continue;
      const gap = ((sum - sumBelow) / above - sumBelow / below) / BINS;
      const variance = below * above * gap * gap;
      if (gap < MIN_GAP || variance <= most) continue;
      most = variance;
      split = (i + 1) / BINS;
    }
    return split;
  }
}
