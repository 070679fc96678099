import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../testing/seeded-random.ts';
import { samplePatch } from './patch-planes.ts';

const FORM = { colourOrder: 'rgb', mean: [0, 0, 0], std: [1, 1, 1] } as const;

function picture(width: number, height: number, paint: (x: number, y: number) => readonly number[]) {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [r = 0, g = 0, b = 0] = paint(x, y);
      pixels.set([b, g, r], (y * width + x) * 3);
    }
  }
  return { width, height, pixels };
}

describe('samplePatch', () => {
  it('leaves a picture of its own size as it is, in planes of the colours asked for', () => {
    const random = new SeededRandom(1);
    const values = Array.from({ length: 12 }, () => random.integer(0, 255));
    const source = picture(4, 3, (x, y) => [values[y * 4 + x] ?? 0, x, y]);
    const planes = samplePatch(source, [0, 0, 4, 3], { ...FORM, columns: 4, rows: 3 });
    expect([...planes.slice(0, 12)]).toEqual(values);
    expect([...planes.slice(24, 28)]).toEqual([0, 0, 0, 0]);
    expect([...planes.slice(28, 32)]).toEqual([1, 1, 1, 1]);
    const bgr = samplePatch(source, [0, 0, 4, 3], { ...FORM, colourOrder: 'bgr', columns: 4, rows: 3 });
    expect([...bgr.slice(24)]).toEqual(values);
  });

  it('averages where it shrinks: a fine pattern becomes grey, not stripes', () => {
    const stripes = picture(64, 64, (x) => (x % 2 === 0 ? [255, 255, 255] : [0, 0, 0]));
    const planes = samplePatch(stripes, [0, 0, 64, 64], { ...FORM, columns: 8, rows: 8 });
    for (const value of planes) expect(Math.abs(value - 127.5)).toBeLessThan(24);
  });

  it('takes the nearest edge for what lies outside the picture', () => {
    const source = picture(2, 2, (x) => (x === 0 ? [10, 0, 0] : [200, 0, 0]));
    const planes = samplePatch(source, [-4, -4, 6, 6], { ...FORM, columns: 10, rows: 10 });
    expect(planes[0]).toBeCloseTo(10);
    expect(planes[9]).toBeCloseTo(200);
    expect([...planes].every(Number.isFinite)).toBe(true);
  });

  it('takes the mean off and divides by the deviation, channel by channel', () => {
    const source = picture(1, 1, () => [110, 60, 5]);
    const form = { ...FORM, columns: 1, rows: 1, mean: [10, 20, 5], std: [50, 40, 1] } as const;
    expect([...samplePatch(source, [0, 0, 1, 1], form)]).toEqual([2, 1, 0]);
  });
});
