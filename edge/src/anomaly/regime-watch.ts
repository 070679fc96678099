/** Readings so rare begin the suspicion that what is usual has changed. */
const SUSPICION_EVIDENCE = 5.5;
/** Readings apart from the usual for so long, and so many, are the new usual. */
const SUSTAINED_MS = 12 * 3_600_000;
const SUSTAINED_COUNT = 36;
/** So many of them must lie apart, on one side: by chance it is one in twenty. */
const SHARE_MIN = 0.8;
/** So many readings in a row within the usual end the suspicion. */
const CALM_COUNT = 12;

/** Tells an anomaly that passes from a change that stays. */
export class RegimeWatch {
  #sinceMs: number | undefined;
  #count = 0;
  #above = 0;
  #below = 0;
  #calm = 0;

  /**
   * `side` is 1 above the usual band, −1 below it, 0 within. `isApart` says that the reading is not to be learned from yet; `sinceMs`
   * comes once, when a change has proved lasting.
   */
  take(
    atMs: number,
    { side, evidence }: { side: number; evidence: number },
  ): { readonly isApart: boolean; readonly sinceMs?: number } {
    if (this.#sinceMs === undefined) {
      if (evidence < SUSPICION_EVIDENCE || side === 0) return { isApart: evidence >= SUSPICION_EVIDENCE };
      this.#begin(atMs);
    }
    this.#count++;
    if (side > 0) this.#above++;
    if (side < 0) this.#below++;
    this.#calm = side === 0 ? this.#calm + 1 : 0;
    const sinceMs = this.#sinceMs ?? atMs;
    if (this.#calm >= CALM_COUNT) {
      this.#sinceMs = undefined;
      return { isApart: false };
    }
    const isLong = atMs - sinceMs >= SUSTAINED_MS && this.#count >= SUSTAINED_COUNT;
    if (!isLong || Math.max(this.#above, this.#below) < SHARE_MIN * this.#count)
      return { isApart: side !== 0 };
    this.#sinceMs = undefined;
    return { isApart: false, sinceMs };
  }

  /** For the disk. */
  list(): Float64Array {
    if (this.#sinceMs === undefined) return new Float64Array(0);
    return Float64Array.of(this.#sinceMs, this.#count, this.#above, this.#below, this.#calm);
  }

  restore([sinceMs, count = 0, above = 0, below = 0, calm = 0]: Float64Array): void {
    this.#sinceMs = sinceMs;
    this.#count = count;
    this.#above = above;
    this.#below = below;
    this.#calm = calm;
  }

  #begin(atMs: number): void {
    this.#sinceMs = atMs;
    this.#count = 0;
    this.#above = 0;
    this.#below = 0;
    this.#calm = 0;
  }
}
