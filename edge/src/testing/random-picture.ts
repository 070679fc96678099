import { SeededRandom } from './seeded-random.ts';

/** A BGR24 picture of noise: no two neighbouring pixels are alike, so that a shift by one pixel or channel shows. */
export function aRandomPicture(options: { width: number; height: number; seed: number }): {
  width: number;
  height: number;
  pixels: Uint8Array;
} {
  const random = new SeededRandom(options.seed);
  const pixels = new Uint8Array(options.width * options.height * 3).map(() => random.integer(0, 255));
  return { width: options.width, height: options.height, pixels };
}
