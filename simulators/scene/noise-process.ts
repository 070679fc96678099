import type { NoiseCorrelation } from './noise-profile.ts';
import type { SceneRandom } from './scene-random.ts';

/** A normal variable that hangs together in time as was measured: a part for good, a part that fades, a part that is new each time. */
export class NoiseProcess {
  readonly #random: SceneRandom;
  readonly #correlation: NoiseCorrelation;
  readonly #forGood: number;
  #slow: number;
  #atMs: number | undefined;

  constructor(random: SceneRandom, correlation: NoiseCorrelation) {
    this.#random = random;
    this.#correlation = correlation;
    this.#forGood = random.gaussian();
    this.#slow = random.gaussian();
  }

  /** The value at the next moment; time must not go back. */
  next(atMs: number): number {
    const { persistent, slow, slowMs } = this.#correlation;
    const keep = Math.exp(-Math.max(0, atMs - (this.#atMs ?? atMs)) / slowMs);
    this.#slow = keep * this.#slow + Math.sqrt(1 - keep ** 2) * this.#random.gaussian();
    this.#atMs = atMs;
    const fresh = Math.max(0, 1 - persistent - slow);
    return (
      Math.sqrt(persistent) * this.#forGood +
      Math.sqrt(slow) * this.#slow +
      Math.sqrt(fresh) * this.#random.gaussian()
    );
  }
}

/** Normal distribution function (Abramowitz & Stegun 26.2.17; error below 7.5e-8). */
export function computeNormalShare(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const tail =
    (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return z >= 0 ? 1 - tail : tail;
}

/** Reads a table of quantiles in even steps at a share of 0–1. */
export function readQuantile(quantiles: readonly number[], share: number): number {
  const at = Math.min(1, Math.max(0, share)) * (quantiles.length - 1);
  const [low = 0, high = low] = [quantiles[Math.floor(at)], quantiles[Math.ceil(at)]];
  return low + (at - Math.floor(at)) * (high - low);
}
