import { SeededRandom } from '../random/seeded-random.ts';

/** What drawing a street asks of random numbers that a seed repeats. */
export class SceneRandom extends SeededRandom {
  constructor(seed: number) {
    super(seed);
    // neighbouring seeds give neighbouring first numbers
    for (let i = 0; i < 4; i++) this.next();
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
