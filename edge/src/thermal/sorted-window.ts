/** The last `capacity` numbers, kept in order of size, so that quantiles cost nothing. */
export class SortedWindow {
  readonly #capacity: number;
  #arrived: number[] = [];
  #sorted: number[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#sorted.length;
  }

  /** In the order they came. */
  get values(): readonly number[] {
    return this.#arrived;
  }

  push(value: number): void {
    this.#arrived.push(value);
    this.#sorted.splice(this.#placeOf(value), 0, value);
    if (this.#arrived.length <= this.#capacity) return;
    const oldest = this.#arrived.shift();
    if (oldest !== undefined) this.#sorted.splice(this.#placeOf(oldest), 1);
  }

  clear(): void {
    this.#arrived = [];
    this.#sorted = [];
  }

  /** Value below which the share `share` (0–1) lies, linear between neighbours; undefined while empty. */
  quantile(share: number): number | undefined {
    const place = (this.#sorted.length - 1) * share;
    const low = this.#sorted[Math.floor(place)];
    const high = this.#sorted[Math.ceil(place)];
    return low === undefined || high === undefined
      ? undefined
      : low + (high - low) * (place - Math.floor(place));
  }

  /** Numbers greater than `limit`. */
  countAbove(limit: number): number {
    let count = 0;
    for (let i = this.#sorted.length - 1; i >= 0 && (this.#sorted[i] ?? limit) > limit; i--) count++;
    return count;
  }

  /** First place whose number is not smaller. */
  #placeOf(value: number): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle] ?? value) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
