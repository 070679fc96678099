import type { FaceFinding } from './face-decoder.ts';
import type { CropReading } from './face-judge.ts';
import { computeShortSide } from './face-picture.ts';

/**
 * Coefficients that join what three networks say about one face into log-odds: that it is a face, and that it wears a mask. Learned by logistic
 * regression on the CC0 pictures that docs/masks.md names; eight numbers for 594 faces.
 */
export interface FusionCoefficients {
  /** Constant, finder's confidence, first judge's confidence (as log-odds), logarithm of the size. */
  readonly face: readonly [number, number, number, number];
  /** First judge's log-odds, constant, logarithm of the size, second judge's log-odds. */
  readonly mask: readonly [number, number, number, number];
}

/** Learned on all pictures: what the product runs. */
export const FUSION: FusionCoefficients = {
  face: [-1.4848, 1.1375, 0.4354, -0.6058],
  mask: [0.7082, 1.0958, -0.9177, 0.4055],
};

export interface FaceJudgement {
  /** Log-odds that it is a face: 0 and more is one. */
  readonly faceLogit: number;
  /** Log-odds that it wears a mask; absent where nobody can tell. */
  readonly maskLogit?: number;
}

const MAX_CONFIDENCE = 0.99;
/** Above this size a face says no more by being larger, px. */
const FULL_SIZE_PX = 32;
const LEAST_SIZE_PX = 4;

function computeLogit(share: number): number {
  const floor = 0.01;
  return Math.log(Math.max(share, floor) / Math.max(1 - share, floor));
}

/** Joins the readings of one face; its box in pixels of the picture that the networks saw. */
export function fuseReadings(
  { box, confidence }: Pick<FaceFinding, 'box' | 'confidence'>,
  readings: { readonly first: CropReading; readonly second: CropReading },
  { face, mask }: FusionCoefficients = FUSION,
): FaceJudgement {
  const { first, second } = readings;
  const size = Math.log(Math.max(LEAST_SIZE_PX, computeShortSide(box)) / FULL_SIZE_PX);
  const faceLogit =
    face[0] +
    face[1] * computeLogit(Math.min(MAX_CONFIDENCE, confidence)) +
    face[2] * computeLogit(first.faceConfidence) +
    face[3] * size;
  if (first.maskLogit === undefined && second.maskLogit === undefined) return { faceLogit };
  const maskLogit =
    mask[0] * (first.maskLogit ?? 0) +
    mask[1] +
    mask[2] * Math.min(0, size) +
    mask[3] * (second.maskLogit ?? 0);
  return { faceLogit, maskLogit };
}
