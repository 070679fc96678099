/** Pairs of readings in one block. */
const BLOCK_PAIRS = 120;
/** So many blocks are remembered: a day of readings every quarter of a minute. */
const BLOCKS_KEPT = 48;
/** Before this many nothing is said. */
const LEAST_BLOCKS = 4;
/** A run is unnatural that would come by itself once in so many, even in the calmest block that is remembered. */
const ODDS = 1e-9;

/**
 * Learns how often a sensor gives the same number twice in a row, and tells a run of equal numbers that is too long for it. A fine
 * sensor that repeats every third reading is stuck after twenty; a coarse one that repeats nine of ten after two hundred. Pure.
 */
export class NaturalRuns {
  readonly #shares: number[] = [];
  #same = 0;
  #pairs = 0;

  /** Takes a run that has ended by itself. @param length readings, from 1 */
  addRun(length: number): void {
    this.#same += length - 1;
    this.#pairs += length;
    if (this.#pairs < BLOCK_PAIRS) return;
    this.#shares.push((this.#same + 1) / (this.#pairs + 2));
    if (this.#shares.length > BLOCKS_KEPT) this.#shares.shift();
    this.#same = 0;
    this.#pairs = 0;
  }

  /** Whether a run of so many equal readings is none that this sensor gives by itself. */
  isUnnatural(length: number): boolean {
    if (this.#shares.length < LEAST_BLOCKS) return false;
    const calmest = this.#shares.reduce((most, share) => Math.max(most, share), 0);
    return (length - 1) * Math.log(calmest) < Math.log(ODDS);
  }
}
