/** Random numbers that a seed repeats (mulberry32). */
export class SceneRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
    // neighbouring seeds give neighbouring first numbers
    for (let i = 0; i < 4; i++) this.next();
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  /** Whole number, both ends inclusive. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** @throws RangeError where there is nothing to pick from */
  pick<const T>(values: readonly T[]): T {
    const value = values[Math.floor(this.next() * values.length)];
    if (value === undefined) throw new RangeError('There is nothing to pick from');
    return value;
  }

  /** Gaussian (Box & Muller). */
  gaussian(mean = 0, deviation = 1): number {
    const size = Math.sqrt(-2 * Math.log(1 - this.next()));
    return mean + deviation * size * Math.cos(2 * Math.PI * this.next());
  }

  /** Gaussian, held within ± 2.5 deviations. */
  around(mean: number, deviation: number): number {
    return mean + Math.max(-2.5, Math.min(2.5, this.gaussian())) * deviation;
  }

  /** A generator of its own: what is drawn from it leaves this one as it is. */
  fork(): SceneRandom {
    return new SceneRandom(Math.floor(this.next() * 4_294_967_296));
  }
}
