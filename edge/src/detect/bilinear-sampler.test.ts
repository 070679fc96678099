import { describe, expect, it } from 'vitest';
import { aRandomPicture } from '../testing/random-picture.ts';
import { BilinearSampler } from './bilinear-sampler.ts';

const clamp = (value: number, max: number): number => Math.min(max, Math.max(0, value));

/** One channel of one target pixel by the definition. */
function sampleNaively(
  picture: { width: number; height: number; pixels: Uint8Array },
  to: { width: number; height: number },
  at: { x: number; y: number; channel: number },
): number {
  const read = (x: number, y: number): number =>
    picture.pixels[
      (clamp(y, picture.height - 1) * picture.width + clamp(x, picture.width - 1)) * 3 + at.channel
    ] ?? Number.NaN;
  const sx = clamp(((at.x + 0.5) * picture.width) / to.width - 0.5, picture.width - 1);
  const sy = clamp(((at.y + 0.5) * picture.height) / to.height - 0.5, picture.height - 1);
  const [x, y] = [Math.floor(sx), Math.floor(sy)];
  const top = read(x, y) * (1 - (sx - x)) + read(x + 1, y) * (sx - x);
  const bottom = read(x, y + 1) * (1 - (sx - x)) + read(x + 1, y + 1) * (sx - x);
  return top * (1 - (sy - y)) + bottom * (sy - y);
}

describe('BilinearSampler', () => {
  it.each([
    [64, 48, 32, 24],
    [77, 53, 32, 32],
    [31, 17, 64, 64],
    [1, 1, 5, 3],
    [13, 1, 4, 4],
  ])('scales %i×%i to %i×%i as the definition does, interleaved RGB', (width, height, toWidth, toHeight) => {
    const picture = aRandomPicture({ width, height, seed: 7 });
    const target = new Float32Array(toWidth * toHeight * 3).fill(-1);
    const sampler = new BilinearSampler({ fromWidth: width, fromHeight: height, toWidth, toHeight });
    sampler.fill(picture.pixels, target, {
      rowStride: 3 * toWidth,
      pixelStride: 3,
      blueOffset: 2,
      greenOffset: 1,
      redOffset: 0,
    });
    for (let y = 0; y < toHeight; y++) {
      for (let x = 0; x < toWidth; x++) {
        for (let channel = 0; channel < 3; channel++) {
          const found = target[(y * toWidth + x) * 3 + (2 - channel)];
          const expected = sampleNaively(picture, { width: toWidth, height: toHeight }, { x, y, channel });
          if (Math.abs((found ?? Number.NaN) - expected) > 1e-4)
            expect([x, y, channel, found]).toEqual([x, y, channel, expected]);
        }
      }
    }
    expect(target.every((value) => value >= 0 && value <= 255)).toBe(true);
  });

  it('copies exactly where the sizes are the same', () => {
    const picture = aRandomPicture({ width: 9, height: 7, seed: 3 });
    const target = new Float32Array(9 * 7 * 3);
    new BilinearSampler({ fromWidth: 9, fromHeight: 7, toWidth: 9, toHeight: 7 }).fill(
      picture.pixels,
      target,
      {
        rowStride: 27,
        pixelStride: 3,
        blueOffset: 0,
        greenOffset: 1,
        redOffset: 2,
      },
    );
    expect(target).toEqual(Float32Array.from(picture.pixels));
  });
});
