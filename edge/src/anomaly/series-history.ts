/** The last readings of a series in order of time; index 0 is the oldest one kept. The arrays belong to it. */
export class SeriesHistory {
  readonly capacity: number;
  readonly #atMs: Float64Array;
  readonly #values: Float64Array;
  readonly #isSetAside: Uint8Array;
  #start = 0;
  #length = 0;
  #usualIntervalMs = 0;
  /** Of the values, updated with each (Welford, Technometrics 4, 1962). */
  #mean = 0;
  #squares = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#atMs = new Float64Array(capacity);
    this.#values = new Float64Array(capacity);
    this.#isSetAside = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** Slow median of the time between readings, ms; 0 before the second reading. */
  get usualIntervalMs(): number {
    return this.#usualIntervalMs;
  }

  get mean(): number {
    return this.#mean;
  }

  /** Standard deviation of the values; 0 while there are fewer than two different ones. */
  get deviation(): number {
    return this.#length < 2 ? 0 : Math.sqrt(Math.max(0, this.#squares) / this.#length);
  }

  get firstAtMs(): number | undefined {
    return this.#length === 0 ? undefined : this.atMsAt(0);
  }

  get lastAtMs(): number | undefined {
    return this.#length === 0 ? undefined : this.atMsAt(this.#length - 1);
  }

  atMsAt(index: number): number {
    return this.#atMs[(this.#start + index) % this.capacity] ?? 0;
  }

  valueAt(index: number): number {
    return this.#values[(this.#start + index) % this.capacity] ?? 0;
  }

  /** True where nothing is to be learned from the reading. */
  isSetAsideAt(index: number): boolean {
    return this.#isSetAside[(this.#start + index) % this.capacity] === 1;
  }

  setAsideAt(index: number, isSetAside: boolean): void {
    this.#isSetAside[(this.#start + index) % this.capacity] = isSetAside ? 1 : 0;
  }

  /** `atMs` lies after the last one. The oldest reading gives way where it is full. */
  push(atMs: number, value: number): void {
    const last = this.lastAtMs;
    if (last !== undefined) this.#learnInterval(atMs - last);
    if (this.#length === this.capacity) this.#dropOldest();
    const place = (this.#start + this.#length) % this.capacity;
    this.#atMs[place] = atMs;
    this.#values[place] = value;
    this.#isSetAside[place] = 0;
    this.#length++;
    const change = value - this.#mean;
    this.#mean += change / this.#length;
    this.#squares += change * (value - this.#mean);
  }

  /** Forgets all but the newest `count`. */
  keepNewest(count: number): void {
    while (this.#length > count) this.#dropOldest();
    this.#sumAnew();
  }

  /** Times, values and marks one after the other, [3 · length], for the disk. */
  list(): Float64Array {
    this.#sumAnew();
    const list = new Float64Array(3 * this.#length);
    for (let index = 0; index < this.#length; index++) {
      list[index] = this.atMsAt(index);
      list[this.#length + index] = this.valueAt(index);
      list[2 * this.#length + index] = this.isSetAsideAt(index) ? 1 : 0;
    }
    return list;
  }

  /** Takes back what `list` gave; empty before. */
  restore(list: Float64Array, usualIntervalMs: number): void {
    const length = list.length / 3;
    for (let index = 0; index < length; index++) {
      this.push(list[index] ?? 0, list[length + index] ?? 0);
      this.setAsideAt(this.#length - 1, list[2 * length + index] === 1);
    }
    this.#usualIntervalMs = usualIntervalMs;
    this.#sumAnew();
  }

  #dropOldest(): void {
    const value = this.valueAt(0);
    this.#start = (this.#start + 1) % this.capacity;
    this.#length--;
    if (this.#length === 0) {
      this.#mean = 0;
      this.#squares = 0;
    } else {
      const change = value - this.#mean;
      this.#mean -= change / this.#length;
      this.#squares -= change * (value - this.#mean);
    }
    // the errors of many small changes do not add up: once a round of the ring the sums are taken anew
    if (this.#start === 0) this.#sumAnew();
  }

  #sumAnew(): void {
    let total = 0;
    for (let index = 0; index < this.#length; index++) total += this.valueAt(index);
    this.#mean = this.#length === 0 ? 0 : total / this.#length;
    this.#squares = 0;
    for (let index = 0; index < this.#length; index++)
      this.#squares += (this.valueAt(index) - this.#mean) ** 2;
  }

  /** Steps a tenth towards each interval, as the stochastic median does: a night's silence moves it by a step only. */
  #learnInterval(intervalMs: number): void {
    if (this.#usualIntervalMs === 0) this.#usualIntervalMs = intervalMs;
    const step = 0.1 * this.#usualIntervalMs;
    const difference = intervalMs - this.#usualIntervalMs;
    this.#usualIntervalMs += Math.max(-step, Math.min(step, difference));
  }
}
