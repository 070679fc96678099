import type { Picture } from './picture-stream.ts';
import type { SceneRandom } from './scene-random.ts';

export const WEATHERS = ['day', 'dusk', 'rain'] as const;
export type Weather = (typeof WEATHERS)[number];

interface Look {
  /** What is left of each channel, and what is added to it. */
  readonly gain: readonly [number, number, number];
  readonly offset: number;
  /** Deviation of the sensor noise, 0–255. */
  readonly noise: number;
  readonly isBlurred: boolean;
  /** Streaks a picture. */
  readonly streaks: number;
}

const LOOKS: Readonly<Record<Weather, Look>> = {
  day: { gain: [1, 1, 1], offset: 0, noise: 2, isBlurred: false, streaks: 0 },
  dusk: { gain: [0.5, 0.5, 0.58], offset: 4, noise: 5, isBlurred: false, streaks: 0 },
  rain: { gain: [0.7, 0.72, 0.74], offset: 34, noise: 3, isBlurred: true, streaks: 160 },
};

/** Noise is drawn once and shifted from picture to picture: a Gaussian a pixel would take longer than all else. */
const NOISE_SIZE = 1 << 16;

/** Makes a clean picture one of its weather: light, colour, blur of wet glass, streaks of rain, noise of the sensor. */
export class WeatherLook {
  readonly #look: Look;
  readonly #random: SceneRandom;
  readonly #noise: Float32Array;

  constructor(weather: Weather, random: SceneRandom) {
    this.#look = LOOKS[weather];
    this.#random = random;
    this.#noise = Float32Array.from({ length: NOISE_SIZE }, () => random.gaussian());
  }

  /** Writes to `picture`. */
  apply(picture: Picture): void {
    const { gain, offset, noise, isBlurred, streaks } = this.#look;
    if (isBlurred) blur(picture);
    for (let n = 0; n < streaks; n++) this.#drawStreak(picture);
    const shift = this.#random.integer(0, NOISE_SIZE - 1);
    const { pixels } = picture;
    for (let i = 0; i < pixels.length; i++) {
      const shaken = noise * (this.#noise[(i + shift) & (NOISE_SIZE - 1)] ?? 0);
      pixels[i] = Math.max(
        0,
        Math.min(255, Math.round((pixels[i] ?? 0) * (gain[i % 3] ?? 1) + offset + shaken)),
      );
    }
  }

  #drawStreak({ width, height, pixels }: Picture): void {
    const random = this.#random;
    const length = random.between(0.02, 0.06) * height;
    let x = random.between(0, width);
    const top = random.between(-length, height);
    for (let y = Math.floor(top); y < top + length; y++) {
      x += 0.12;
      if (y < 0 || y >= height || x >= width) continue;
      const at = (y * width + Math.floor(x)) * 3;
      for (let c = 0; c < 3; c++) pixels[at + c] = Math.min(255, (pixels[at + c] ?? 0) * 0.7 + 70);
    }
  }
}

/** 1–2–1 across and down. */
function blur({ width, height, pixels }: Picture): void {
  const across = new Uint8Array(pixels.length);
  const row = width * 3;
  for (let i = 0; i < pixels.length; i++) {
    const x = i % row;
    const before = x >= 3 ? (pixels[i - 3] ?? 0) : (pixels[i] ?? 0);
    const after = x < row - 3 ? (pixels[i + 3] ?? 0) : (pixels[i] ?? 0);
    across[i] = (before + 2 * (pixels[i] ?? 0) + after) >> 2;
  }
  for (let i = 0; i < pixels.length; i++) {
    const before = i >= row ? (across[i - row] ?? 0) : (across[i] ?? 0);
    const after = i < row * (height - 1) ? (across[i + row] ?? 0) : (across[i] ?? 0);
    pixels[i] = (before + 2 * (across[i] ?? 0) + after) >> 2;
  }
}
