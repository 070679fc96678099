import type { MaskDoubt } from '@ngatu/contract';
import type { Box, Point } from '../geometry/box.ts';
import type { FaceFinding } from './face-decoder.ts';
import { type BgrPicture, computeShortSide, cutScaled } from './face-picture.ts';

/** How well a face can be judged. */
export interface FaceQuality {
  /** Shorter side of the face, px of the source picture. */
  readonly sizePx: number;
  /** Share of the contrast of the face that lies in its finest details, see `measureSharpness`. */
  readonly sharpness: number;
  /** How far the nose lies from the middle of the eyes, in distances of the eyes; absent without landmarks. */
  readonly turn?: number;
  /** Between the eyes, px of the source picture; absent without landmarks. */
  readonly eyesPx?: number;
  /** What keeps the face from being judged; absent where it can be. */
  readonly doubt?: MaskDoubt;
}

export interface QualityLimits {
  readonly minFacePx: number;
  readonly minSharpness: number;
  readonly maxTurn: number;
}

/** See docs/masks.md for what happens to faces at these limits. */
export const DEFAULT_QUALITY_LIMITS: QualityLimits = { minFacePx: 8, minSharpness: 0.12, maxTurn: 1 };

/** Faces are compared at this size, px; smaller ones as they are. */
const SHARPNESS_PX = { least: 8, most: 24 };

/**
 * Sharpness of a face: standard deviation of what a 3 × 3 mean takes away over that of the luma, both at 24 × 24 px at most, so that large
 * and small, bright and dark faces can be compared. 0 for an even surface; near 0.1 for a face out of focus, 0.2 to 0.5 for a clear one.
 */
export async function measureSharpness(picture: BgrPicture, box: Box): Promise<number> {
  const [x, y] = [Math.floor(box[0]), Math.floor(box[1])];
  const region = {
    x,
    y,
    width: Math.max(1, Math.ceil(box[2]) - x),
    height: Math.max(1, Math.ceil(box[3]) - y),
  };
  const side = Math.max(SHARPNESS_PX.least, Math.min(SHARPNESS_PX.most, Math.round(computeShortSide(box))));
  const pixels = await cutScaled(picture, region, { width: side, height: side });
  const luma = Float64Array.from({ length: side ** 2 }, (_, at) => {
    const from = at * 3;
    return 0.114 * (pixels[from] ?? 0) + 0.587 * (pixels[from + 1] ?? 0) + 0.299 * (pixels[from + 2] ?? 0);
  });
  return compareDetail(luma, side);
}

function compareDetail(luma: Float64Array, side: number): number {
  const mean = luma.reduce((sum, value) => sum + value, 0) / luma.length;
  let whole = 0;
  let fine = 0;
  for (let y = 1; y < side - 1; y++) {
    for (let x = 1; x < side - 1; x++) {
      let around = 0;
      for (let dy = -1; dy <= 1; dy++)
        for (let dx = -1; dx <= 1; dx++) around += luma[(y + dy) * side + x + dx] as number;
      const value = luma[y * side + x] as number;
      whole += (value - mean) ** 2;
      fine += (value - around / 9) ** 2;
    }
  }
  return whole < 1 ? 0 : Math.sqrt(fine / whole);
}

/** @param toSource how many source pixels a pixel of the picture is wide */
export async function assessFace(
  picture: BgrPicture,
  face: FaceFinding,
  { toSource, limits }: { readonly toSource: number; readonly limits: QualityLimits },
): Promise<FaceQuality> {
  const sizePx = computeShortSide(face.box) * toSource;
  const pose = computePose(face.landmarks);
  const measured = {
    sizePx,
    ...(pose === undefined ? {} : { turn: pose.turn, eyesPx: pose.eyes * toSource }),
  };
  if (sizePx < limits.minFacePx) return { ...measured, sharpness: 0, doubt: 'too-small' };
  const sharpness = await measureSharpness(picture, face.box);
  if (sharpness < limits.minSharpness) return { ...measured, sharpness, doubt: 'blurred' };
  if ((pose?.turn ?? 0) > limits.maxTurn) return { ...measured, sharpness, doubt: 'turned-away' };
  return { ...measured, sharpness };
}

function computePose(
  landmarks: readonly Point[] | undefined,
): { readonly turn: number; readonly eyes: number } | undefined {
  const [left, right, nose] = landmarks ?? [];
  if (left === undefined || right === undefined || nose === undefined) return undefined;
  const [dx, dy] = [right[0] - left[0], right[1] - left[1]];
  const eyes = Math.hypot(dx, dy);
  if (!(eyes > 0)) return undefined;
  // along the line of the eyes, so that a tilted head is not a turned one
  const along =
    ((nose[0] - (left[0] + right[0]) / 2) * dx + (nose[1] - (left[1] + right[1]) / 2) * dy) / eyes;
  return { turn: Math.abs(along) / eyes, eyes };
}
