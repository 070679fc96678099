import type { Observation } from './rule.ts';

/** Taken as known before anything was measured: so many triples with this share of the box height. */
const PRIOR_TRIPLES = 4;
const PRIOR_SIGMA_HEIGHTS = 0.02;
/** Triples that span more time show how somebody drives rather than how the box jitters, ms. */
const MAX_SPAN_MS = 700;
/** Older triples fade: the newest so many count. */
const MEMORY = 24;

/**
 * How much the found ground contact of one road user jitters, measured on itself: of three sights in a row the middle one
 * is compared with the straight line between the others. Independent errors of deviation σ leave a residual of σ²·(1 + p² + q²), where
 * p and q are the shares of the outer two.
 */
export class BoxJitter {
  #last: readonly Observation[] = [];
  #sum = 0;
  #weight = 0;
  #height = 0;

  add(sight: Observation): void {
    const [first, middle] = this.#last;
    this.#last = [...this.#last, sight].slice(-2);
    this.#height = sight.box[3] - sight.box[1];
    if (first === undefined || middle === undefined) return;
    const spanMs = sight.frame.mediaTimeMs - first.frame.mediaTimeMs;
    if (spanMs > MAX_SPAN_MS || spanMs <= 0) return;
    const q = (middle.frame.mediaTimeMs - first.frame.mediaTimeMs) / spanMs;
    const p = 1 - q;
    const residual = (pick: (one: Observation) => number): number =>
      (pick(middle) - p * pick(first) - q * pick(sight)) ** 2 / (1 + p * p + q * q);
    // the two directions are one road user's: their mean is steadier, the larger one is safer
    const squared = Math.max(
      residual(({ box }) => (box[0] + box[2]) / 2),
      residual(({ box }) => box[3]),
    );
    const fade = 1 - 1 / MEMORY;
    this.#sum = this.#sum * fade + squared;
    this.#weight = this.#weight * fade + 1;
  }

  /** Standard deviation of the ground contact of one sight in either direction, px. */
  get sigmaPx(): number {
    const prior = (PRIOR_SIGMA_HEIGHTS * this.#height) ** 2;
    return Math.sqrt((PRIOR_TRIPLES * prior + this.#sum) / (PRIOR_TRIPLES + this.#weight));
  }
}
