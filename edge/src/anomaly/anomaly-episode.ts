/** An episode is over after so many readings well below its height. */
const CALM_COUNT = 12;
const CALM_SHARE = 0.6;

/** Lets an anomaly speak when it begins and when it grows, not with each of its readings. */
export class AnomalyEpisode {
  #height = 0;
  #calm = 0;

  /** The evidence of a reading where it exceeds all before in its episode; else 0. */
  take(evidence: number): number {
    if (evidence > this.#height) {
      this.#height = evidence;
      this.#calm = 0;
      return evidence;
    }
    this.#calm = evidence >= CALM_SHARE * this.#height ? 0 : this.#calm + 1;
    if (this.#calm >= CALM_COUNT) this.clear();
    return 0;
  }

  clear(): void {
    this.#height = 0;
    this.#calm = 0;
  }

  /** For the disk. */
  list(): Float64Array {
    return Float64Array.of(this.#height, this.#calm);
  }

  restore([height = 0, calm = 0]: Float64Array): void {
    this.#height = height;
    this.#calm = calm;
  }
}
