import type { MaskVerdict } from '@ngatu/contract';
import type { FaceFinding } from './face-decoder.ts';
import type { FinderReadings } from './face-join.ts';
import type { CropReading } from './face-judge.ts';
import { computeShortSide } from './face-picture.ts';

/** What two finders and two judges said about one face, as numbers that coefficients are multiplied with. */
export interface FaceFeatures {
  /** 1, logarithm of the size, log-odds of both finders' confidence, and of the judges' that there is a face in the three crops. */
  readonly face: readonly number[];
  /** 1, logarithm of the size where it is small, log-odds for a mask by the second finder and by the judges in the three crops. */
  readonly mask: readonly number[];
}

export const FACE_FEATURES = 7;
export const MASK_FEATURES = 6;

/** Numbers that join the features of one face into log-odds: that it is a face, and that it wears a mask. */
export interface FusionCoefficients {
  readonly face: readonly number[];
  readonly mask: readonly number[];
  /** Of a single picture a verdict is given from this probability on (that it is a face, and of this verdict), and a face is one. */
  readonly minShare: number;
}

/**
 * What the product runs: learned on all pictures that docs/masks.md names, by `ngatu eval masks --learn`. Held equal with
 * models/training/mask-faces.json by a test.
 */
export const FUSION: FusionCoefficients = {
  face: [0.5467, -1.0021, 0.7524, 0.1987, 0.1466, 0.383, 0.2867],
  mask: [1.1098, -0.3796, 0.3648, 0.1135, 0.4784, 0.3542],
  minShare: 0.4,
};

export interface FaceJudgement {
  /** Log-odds that it is a face, over those from which on it is taken for one: 0 and more is one. */
  readonly faceLogit: number;
  /** Log-odds that it wears a mask; absent where nobody can tell. */
  readonly maskLogit?: number;
  /** What this one picture is enough for. */
  readonly verdict: MaskVerdict;
  /** What it was made from; absent where nothing was joined. */
  readonly features?: FaceFeatures;
}

/** Readings of three crops: the first judge's with less and with more around the face, and the second judge's. */
export interface FaceReadings {
  readonly finders: FinderReadings;
  readonly near: CropReading;
  readonly wide: CropReading;
  readonly second: CropReading;
}

/** Shares are cut here: a network that says 1 knows no more than one that says 0.99. */
const SHARES = { least: 0.02, most: 0.99 };
/** Size at which the logarithm is 0: above it masked faces do not look barer for being smaller, px. */
const FULL_SIZE_PX = 32;
const LEAST_SIZE_PX = 4;

function computeLogit(share: number): number {
  const cut = Math.min(SHARES.most, Math.max(SHARES.least, share));
  return Math.log(cut / (1 - cut));
}

const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

const dot = (weights: readonly number[], values: readonly number[]): number =>
  values.reduce((sum, value, at) => sum + value * (weights[at] ?? 0), 0);

/** @param box in pixels of the picture that the networks saw */
export function describeFace(box: FaceFinding['box'], readings: FaceReadings): FaceFeatures {
  const { finders, near, wide, second } = readings;
  const size = Math.log(Math.max(LEAST_SIZE_PX, computeShortSide(box)) / FULL_SIZE_PX);
  const confidences = [
    finders.first,
    finders.second,
    near.faceConfidence,
    wide.faceConfidence,
    second.faceConfidence,
  ];
  const logits = [finders, near, wide, second].map(({ maskLogit }) => maskLogit ?? 0);
  return {
    face: [1, size, ...confidences.map(computeLogit)],
    mask: [1, Math.min(0, size), ...logits],
  };
}

/** Whether anybody said anything about a mask. */
function isTold({ mask }: FaceFeatures): boolean {
  return mask.slice(2).some((logit) => logit !== 0);
}

/** Joins what is known of one face. */
export function fuseFeatures(
  features: FaceFeatures,
  { face, mask, minShare }: FusionCoefficients = FUSION,
): FaceJudgement {
  const faceLogit = dot(face, features.face);
  const border = Math.log(minShare / (1 - minShare));
  const judged = { faceLogit: faceLogit - border, features };
  if (!isTold(features)) return { ...judged, verdict: 'uncertain' };
  const maskLogit = dot(mask, features.mask);
  const isFace = sigmoid(faceLogit);
  const shares = { with: isFace * sigmoid(maskLogit), without: isFace * sigmoid(-maskLogit) };
  const verdict = maskLogit > 0 ? 'with' : 'without';
  return { ...judged, maskLogit, verdict: shares[verdict] >= minShare ? verdict : 'uncertain' };
}
