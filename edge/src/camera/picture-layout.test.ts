import { NgatuError } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import { computePictureLayout } from './picture-layout.ts';

const picture = { width: 1920, height: 1080 };

describe('computePictureLayout', () => {
  it('cuts lamps from the analysis picture where it has source size', () => {
    const layout = computePictureLayout({
      picture,
      maxWidth: 2000,
      lamps: [{ signal: 'a', box: [10.4, 20.6, 31.2, 70] }],
    });
    expect(layout).toMatchObject({ width: 1920, height: 1080, rawHeight: 1080, rows: [] });
    expect(layout.lamps[0]?.crop).toEqual({ x: 10, y: 20, width: 22, height: 50 });
  });

  it('lays lamps into a strip below a smaller picture, cut at even offsets and clamped to the picture', () => {
    const layout = computePictureLayout({
      picture,
      maxWidth: 640,
      lamps: [
        { signal: 'odd', box: [11, 21, 40, 70] },
        { signal: 'corner', box: [1900, 1060, 1950, 1100] },
      ],
    });
    expect(layout.lamps[0]?.cut).toEqual({ x: 10, y: 20, width: 30, height: 50 });
    expect(layout.lamps[0]?.crop).toEqual({ x: 1, y: 361, width: 29, height: 49 });
    expect(layout.lamps[1]?.crop).toEqual({ x: 30, y: 360, width: 20, height: 20 });
    expect(layout.rawHeight).toBe(360 + 50);
  });

  it('breaks rows where the strip is full and scales a lamp that is longer than 256 px', () => {
    const lamps = ['a', 'b', 'c'].map((signal) => ({ signal, box: [0, 0, 512, 100] as const }));
    const layout = computePictureLayout({ picture, maxWidth: 640, lamps });
    expect(layout.rows.map((row) => row.lamps.length)).toEqual([2, 1]);
    expect(layout.lamps.map((lamp) => lamp.crop)).toEqual([
      { x: 0, y: 360, width: 256, height: 50 },
      { x: 256, y: 360, width: 256, height: 50 },
      { x: 0, y: 410, width: 256, height: 50 },
    ]);
  });

  it('refuses a lamp outside the picture', () => {
    const lamps = [{ signal: 'far', box: [2000, 0, 2100, 50] as const }];
    const open = () => computePictureLayout({ picture, maxWidth: 640, lamps });
    expect(open).toThrow(NgatuError);
    expect(open).toThrow(/lamp "far".*outside the picture of 1920×1080/);
  });
});
