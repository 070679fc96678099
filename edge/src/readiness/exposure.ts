import type { LumaPicture } from './luma-picture.ts';

export interface Exposure {
  /** Brightness below which 95 % of the picture lies, 0–255. */
  readonly bright: number;
  /** Brightness below which 50 % lies. */
  readonly middle: number;
  /** Share of the picture that is white without any detail, 0–1. */
  readonly saturatedShare: number;
  /** Between the 5th and the 95th hundredth, 0–255. */
  readonly contrast: number;
}

const SATURATED = 250;

export function computeExposure({ values }: LumaPicture): Exposure {
  const histogram = new Uint32Array(256);
  for (const value of values) histogram[value] = (histogram[value] ?? 0) + 1;
  const quantile = (share: number): number => {
    let sum = 0;
    for (let value = 0; value < 256; value++) {
      sum += histogram[value] ?? 0;
      if (sum >= share * values.length) return value;
    }
    return 255;
  };
  const bright = quantile(0.95);
  const saturated = histogram.subarray(SATURATED).reduce((sum, count) => sum + count, 0);
  return {
    bright,
    middle: quantile(0.5),
    saturatedShare: saturated / Math.max(1, values.length),
    contrast: bright - quantile(0.05),
  };
}
