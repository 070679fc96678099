import type { MaskVerdict } from '@ngatu/contract';
import type { Box } from '../geometry/box.ts';
import type { FinderReading } from './face-join.ts';
import { CROPS, type CropReading } from './face-judge.ts';
import { computeShortSide } from './face-picture.ts';

/** What three finders and three judges said about one face, as numbers that coefficients are multiplied with. */
export interface FaceFeatures {
  /** 1, logarithm of the size, log-odds of the finders' confidence, and of the judges' that there is a face in the crops. */
  readonly face: readonly number[];
  /** 1, logarithm of the size where it is small, log-odds for a mask by the second and third finder and by the judges in the crops. */
  readonly mask: readonly number[];
}

/** All but the first tell masks. */
const FINDERS = 3;
export const FACE_FEATURES = 2 + FINDERS + CROPS.length;
export const MASK_FEATURES = 2 + (FINDERS - 1) + CROPS.length;

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
  face: [1.1953, -0.9863, 0.6035, 0.1611, 0.2986, 0.0139, 0.3269, 0.1259, 0.0749, 0.2286],
  mask: [0.2455, -0.2059, 0.2569, 0.1553, 0.0195, 0.4086, 0.4969, 0.1149, 0.2737],
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
  /** Where the face lies by all who found it, px of the picture; absent where one alone did. */
  readonly box?: Box;
}

/** What was said about one face, always in the same order; what was not said is absent. */
export interface FaceReadings {
  /** Of the whole picture, at most three. */
  readonly finders: readonly FinderReading[];
  /** In the order of `CROPS`. */
  readonly crops: readonly CropReading[];
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
export function describeFace(box: Box, readings: FaceReadings): FaceFeatures {
  const size = Math.log(Math.max(LEAST_SIZE_PX, computeShortSide(box)) / FULL_SIZE_PX);
  const finders = Array.from({ length: FINDERS }, (_, at) => readings.finders[at]);
  const crops = CROPS.map((_, at) => readings.crops[at]);
  const confidences = [
    ...finders.map((reading) => reading?.confidence ?? 0),
    ...crops.map((reading) => reading?.faceConfidence ?? 0),
  ];
  const logits = [...finders.slice(1), ...crops].map((reading) => reading?.maskLogit ?? 0);
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
