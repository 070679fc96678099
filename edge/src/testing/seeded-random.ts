/** Random numbers that a seed repeats (mulberry32). */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
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

  /** Whole number, both ends inclusive. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** Gaussian with mean 0 and standard deviation 1 (Box & Muller). */
  gaussian(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  shuffle<T>(values: readonly T[]): T[] {
    return values
      .map((value) => ({ value, key: this.next() }))
      .sort((a, b) => a.key - b.key)
      .map(({ value }) => value);
  }
}

const DEFAULT_SEED = 20_250_701;

function readSeed(): number {
  const text = process.env['NGATU_SEED'];
  const seed = text === undefined || text === '' ? DEFAULT_SEED : Number(text);
  if (!Number.isSafeInteger(seed)) throw new RangeError(`NGATU_SEED is no whole number: "${text}"`);
  return seed;
}

/**
 * Runs a property on `runs` random inputs. The seed comes from `NGATU_SEED`; a failure names the seed with which the failing
 * input is the first one drawn.
 */
export function forAll(runs: number, property: (random: SeededRandom) => void): void {
  const seed = readSeed();
  for (let run = 0; run < runs; run++) {
    try {
      property(new SeededRandom(seed + run));
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`Property failed; repeat with NGATU_SEED=${seed + run}: ${text}`, { cause });
    }
  }
}
