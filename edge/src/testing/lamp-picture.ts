import type { SignalHead } from '@ngatu/contract';
import type { LampCrop } from '../frame/frame.ts';
import type { SeededRandom } from './seeded-random.ts';

type Colour = readonly [red: number, green: number, blue: number];
type Lens = SignalHead['lenses'][number];

const LIT: Readonly<Record<Lens, Colour>> = {
  red: [235, 50, 45],
  amber: [245, 175, 40],
  green: [40, 225, 150],
};
/** Vietnamese LED greens have as much blue as green. */
export const BLUISH_GREEN: Colour = [30, 200, 215];

/** How a signal head is drawn. Colours are 0–255. */
export interface LampPicture {
  /** Which lens is lit; none for `off`. */
  readonly lit: Lens | 'off';
  readonly lenses?: readonly Lens[];
  readonly width?: number;
  readonly height?: number;
  readonly litColour?: Colour;
  readonly housing?: Colour;
  /** Factors by which the camera multiplies each channel, and what it adds. */
  readonly cast?: { readonly gain?: Colour; readonly offset?: Colour };
  /** Standard deviation of the noise of each value. */
  readonly noise?: { readonly sigma: number; readonly random: SeededRandom };
  /** Discs behind the head that shine between its lenses. */
  readonly lights?: readonly {
    readonly x: number;
    readonly y: number;
    readonly radius: number;
    readonly colour: Colour;
  }[];
}

export const ALL_LENSES: readonly Lens[] = ['red', 'amber', 'green'];

/** The light `main` as a camera shows it: a dark housing with round lenses, one of them lit. */
export function drawLamp(picture: LampPicture): LampCrop {
  const { lenses = ALL_LENSES, width = 20, height = 60, housing = [38, 40, 42] } = picture;
  const pixels = new Uint8Array(width * height * 3);
  const upright = height >= width;
  const radius =
    0.36 * (upright ? Math.min(width, height / lenses.length) : Math.min(height, width / lenses.length));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let colour: Colour = housing;
      lenses.forEach((lens, index) => {
        const middle = (index + 0.5) / lenses.length;
        const [cx, cy] = upright ? [width / 2, middle * height] : [middle * width, height / 2];
        if (Math.hypot(x + 0.5 - cx, y + 0.5 - cy) > radius) return;
        colour = picture.lit === lens ? (picture.litColour ?? LIT[lens]) : dim(LIT[lens]);
      });
      for (const light of picture.lights ?? []) {
        if (Math.hypot(x + 0.5 - light.x, y + 0.5 - light.y) <= light.radius) colour = light.colour;
      }
      writePixel(pixels, (y * width + x) * 3, colour, picture);
    }
  }
  return { signal: 'main', width, height, pixels };
}

/** Unlit coloured glass: nearly grey. */
function dim([red, green, blue]: Colour): Colour {
  return [45 + 0.06 * red, 45 + 0.06 * green, 45 + 0.06 * blue];
}

/** BGR order. */
function writePixel(pixels: Uint8Array, at: number, colour: Colour, { cast, noise }: LampPicture): void {
  for (const channel of [0, 1, 2] as const) {
    const shaken = noise === undefined ? 0 : noise.sigma * noise.random.gaussian();
    const value = colour[channel] * (cast?.gain?.[channel] ?? 1) + (cast?.offset?.[channel] ?? 0) + shaken;
    pixels[at + 2 - channel] = Math.round(Math.min(255, Math.max(0, value)));
  }
}
