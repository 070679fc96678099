import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../testing/seeded-random.ts';
import { cutPlate, findLineGap, measureSharpness, type PlateCrop, renderView } from './plate-crop.ts';

/** Dark bars on white in two bands, as two lines of characters are. */
function aTwoLineCrop(gap: number): PlateCrop {
  const [width, height] = [96, 96];
  const data = new Uint8Array(width * height * 3).fill(230);
  for (let y = 6; y < 90; y++) {
    if (Math.abs(y / height - gap) < 0.04) continue;
    for (let x = 10; x < 86; x++) if (x % 12 < 5) data.fill(25, (y * width + x) * 3, (y * width + x) * 3 + 3);
  }
  return { data, width, height };
}

describe('crops of plates', () => {
  it.each([0.4, 0.48, 0.55])('finds the gap between two lines at %s', (gap) => {
    expect(Math.abs(findLineGap(aTwoLineCrop(gap)) - gap)).toBeLessThan(0.05);
  });

  it('calls a blurred crop less sharp, and a darker one as sharp', async () => {
    const { data, width, height } = aTwoLineCrop(0.5);
    const blurred = await sharp(data, { raw: { width, height, channels: 3 } })
      .blur(2)
      .raw()
      .toBuffer();
    const sharpness = measureSharpness({ data, width, height });
    expect(measureSharpness({ data: blurred, width, height })).toBeLessThan(sharpness / 2);
    const darker = Uint8Array.from(data, (value) => value / 2);
    expect(measureSharpness({ data: darker, width, height })).toBeCloseTo(sharpness, 1);
    expect(measureSharpness({ data: new Uint8Array(300).fill(90), width: 10, height: 10 })).toBe(0);
  });

  it('renders the plain view as the crop itself, and a tilted one turned back', () => {
    const random = new SeededRandom(3);
    const [width, height] = [64, 32];
    const data = new Uint8Array(width * height * 3);
    for (let at = 0; at < data.length; at += 3) data.fill(Math.floor(random.next() * 255), at, at + 3);
    const plain = renderView(
      { data, width, height },
      { widen: 0, tilt: 0, lean: 0 },
      { width: 32, height: 16 },
    );
    const at = (x: number, y: number): number => data[(y * width + x) * 3] ?? 0;
    expect(
      Math.abs((plain[(5 * 32 + 7) * 3] ?? 0) - (at(14, 10) + at(15, 10) + at(14, 11) + at(15, 11)) / 4),
    ).toBeLessThan(2);

    const line = new Uint8Array(width * height * 3);
    for (let x = 0; x < width; x++) {
      const y = Math.round(16 + (x / width - 0.5) * 0.25 * height);
      line.fill(255, (y * width + x) * 3, (y * width + x) * 3 + 3);
    }
    const size = { width: 32, height: 16 };
    const level = renderView({ data: line, width, height }, { widen: 0, tilt: 0.25, lean: 0 }, size);
    const brightest = (x: number): number =>
      Array.from({ length: 16 }, (_, y) => level[(y * 32 + x) * 3] ?? 0).reduce(
        (best, value, y, all) => (value > (all[best] ?? 0) ? y : best),
        0,
      );
    expect(Math.abs(brightest(2) - brightest(29))).toBeLessThanOrEqual(1);
  });

  it('cuts what lies inside of the picture, however far a box reaches', async () => {
    const picture = { data: new Uint8Array(20 * 10 * 3).fill(7), width: 20, height: 10, channels: 3 };
    const crop = await cutPlate(picture, [-30, -5, 400, 90], { width: 8, height: 4 });
    expect(crop.data).toHaveLength(8 * 4 * 3);
    expect((await cutPlate(picture, [19.9, 9.9, 19.95, 9.95], { width: 2, height: 2 })).data).toHaveLength(
      12,
    );
  });
});
