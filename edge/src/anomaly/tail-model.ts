/** The tail is fitted to what lies above this share of what was seen. */
const BODY_SHARE = 0.9;
/** Fewer values above it tell no tail. */
const EXCESSES_MIN = 10;
/** The fit is made anew after so many values. */
const REFIT_EVERY = 16;
/** Heavier than this is a few outliers, not a tail; lighter than exponential would claim a greatest possible value. */
const SHAPE_RANGE = { low: 0, high: 0.4 } as const;
/** No fitted tail is thinner than this, in standard deviations. */
const SCALE_MIN = 1e-3;

/**
 * How rare a number is among those seen before, also where none was ever as large: beyond the 90th percentile a generalised Pareto
 * distribution is laid through the excesses (peaks over threshold) by probability-weighted moments (Hosking & Wallis, Technometrics
 * 29, 1987), as Siffer et al. do for streams (KDD 2017). The ring of values belongs to it.
 */
export class TailModel {
  readonly #values: Float64Array;
  #count = 0;
  #sorted: Float64Array = new Float64Array(0);
  #fit: { readonly from: number; readonly scale: number; readonly shape: number } | undefined;

  constructor(capacity: number) {
    this.#values = new Float64Array(capacity);
  }

  /** `value` is 0 or more. */
  push(value: number): void {
    this.#values[this.#count % this.#values.length] = value;
    this.#count++;
    if (this.#count % REFIT_EVERY === 0) this.#refit();
  }

  /** −log10 of the chance of a value at least as large; undefined while too little was seen. */
  rarityOf(value: number): number | undefined {
    const fit = this.#fit;
    if (fit === undefined) return undefined;
    if (value <= fit.from) {
      const above = 1 - this.#rankOf(value) / this.#sorted.length;
      return -Math.log10(Math.max(1 - BODY_SHARE, above));
    }
    const excess = (value - fit.from) / fit.scale;
    const beyond = fit.shape < 1e-6 ? excess / Math.LN10 : Math.log10(1 + fit.shape * excess) / fit.shape;
    return beyond - Math.log10(1 - BODY_SHARE);
  }

  clear(): void {
    this.#count = 0;
    this.#fit = undefined;
  }

  /** The values from the oldest to the newest, for the disk. What `restore` makes of them judges as this one does from now on. */
  list(): Float64Array {
    const length = Math.min(this.#count, this.#values.length);
    const list = Float64Array.from(
      { length },
      (_, index) => this.#values[(this.#count - length + index) % this.#values.length] ?? 0,
    );
    this.clear();
    this.restore(list);
    return list;
  }

  /** Takes back what `list` gave; empty before. */
  restore(list: Float64Array): void {
    const kept = list.subarray(Math.max(0, list.length - this.#values.length));
    this.#values.set(kept);
    this.#count = kept.length;
    this.#refit();
  }

  #refit(): void {
    this.#sorted = this.#values.slice(0, Math.min(this.#count, this.#values.length)).sort();
    const first = Math.floor(BODY_SHARE * this.#sorted.length);
    const from = this.#sorted[first - 1];
    const number = this.#sorted.length - first;
    if (from === undefined || number < EXCESSES_MIN) return;
    let mean = 0;
    let weighted = 0;
    for (let rank = 0; rank < number; rank++) {
      const excess = (this.#sorted[first + rank] ?? 0) - from;
      mean += excess / number;
      weighted += (excess * (1 - (rank + 0.65) / number)) / number;
    }
    const divisor = mean - 2 * weighted;
    const shape = divisor > 0 ? 2 - mean / divisor : SHAPE_RANGE.low;
    const kept = Math.min(SHAPE_RANGE.high, Math.max(SHAPE_RANGE.low, shape));
    this.#fit = { from, scale: Math.max(mean * (1 - kept), SCALE_MIN), shape: kept };
  }

  #rankOf(value: number): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle] ?? 0) <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
