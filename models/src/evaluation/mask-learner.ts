import { type FaceFeatures, type FusionCoefficients, fuseFeatures } from '@ngatu/edge';
import type { MaskLabel } from './mask-folder.ts';

/** One finding of a picture with what was said about it, or a labelled face that was not found. */
export interface LearningFace {
  /** Pictures of one fold are learned from together or not at all. */
  readonly fold: number;
  /** Absent: a finding that is no labelled face. */
  readonly label?: MaskLabel;
  /** Absent: a labelled face that was not found. */
  readonly features?: FaceFeatures;
}

/** Pulls the coefficients towards 0: of "is a face", and of "wears a mask". */
const PENALTIES = { face: 0.002, mask: 0.01 };
/** From which probability on a verdict is given is chosen among these. */
const SHARES = [0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6];
const NEWTON_STEPS = 40;
const DIGITS = 4;
/** Weights that change by less than this are found. */
const SETTLED = 1e-9;

/**
 * Learns coefficients by logistic regression. The probability from which on a verdict is given is the one with the best mean of the two F1,
 * where each fold is judged by coefficients that were learned on the others. Nothing is drawn at random.
 */
export function learnCoefficients(faces: readonly LearningFace[]): FusionCoefficients {
  const folds = [...new Set(faces.map(({ fold }) => fold))];
  const judged = folds.flatMap((fold) => {
    const coefficients = fitCoefficients(faces.filter((face) => face.fold !== fold));
    return faces.filter((face) => face.fold === fold).map((face) => ({ face, coefficients }));
  });
  let minShare = SHARES[0] as number;
  let most = -1;
  for (const share of SHARES) {
    const score = scoreVerdicts(
      judged.map(({ face: { label, features }, coefficients }) => ({
        ...(label === undefined ? {} : { label }),
        ...(features === undefined
          ? {}
          : { verdict: fuseFeatures(features, { ...coefficients, minShare: share }).verdict }),
      })),
    );
    if (score <= most) continue;
    most = score;
    minShare = share;
  }
  return { ...fitCoefficients(faces), minShare };
}

/** The coefficients of each fold, learned without it, by number of the fold. */
export function learnFolds(faces: readonly LearningFace[], folds: number): FusionCoefficients[] {
  return Array.from({ length: folds }, (_, fold) =>
    learnCoefficients(faces.filter((face) => face.fold !== fold)),
  );
}

function fitCoefficients(faces: readonly LearningFace[]): Pick<FusionCoefficients, 'face' | 'mask'> {
  const found = faces.flatMap(({ label, features }) => (features === undefined ? [] : [{ label, features }]));
  const told = found.filter(({ label }) => label === 'with' || label === 'without');
  return {
    face: fitLogistic(
      found.map(({ features, label }) => ({ values: features.face, isTrue: label !== undefined })),
      PENALTIES.face,
    ),
    mask: fitLogistic(
      told.map(({ features, label }) => ({ values: features.mask, isTrue: label === 'with' })),
      PENALTIES.mask,
    ),
  };
}

/** Mean F1 of the two verdicts; `ignored` faces count in neither. */
function scoreVerdicts(judged: readonly { readonly label?: MaskLabel; readonly verdict?: string }[]): number {
  const counted = judged.filter(({ label }) => label !== 'ignored');
  const scores = (['with', 'without'] as const).map((wanted) => {
    const hits = counted.filter(({ label, verdict }) => label === wanted && verdict === wanted).length;
    const said = counted.filter(({ verdict }) => verdict === wanted).length;
    const there = counted.filter(({ label }) => label === wanted).length;
    return said + there === 0 ? 0 : (2 * hits) / (said + there);
  });
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

interface Example {
  readonly values: readonly number[];
  readonly isTrue: boolean;
}

/** Logistic regression with an L2 penalty on every coefficient, by Newton's method. */
export function fitLogistic(examples: readonly Example[], penalty: number): number[] {
  const size = examples[0]?.values.length ?? 0;
  let weights = new Array<number>(size).fill(0);
  for (let step = 0; step < NEWTON_STEPS; step++) {
    const gradient = weights.map((weight) => penalty * examples.length * weight);
    const curvature = weights.map((_, row) =>
      weights.map((__, column) => (row === column ? penalty * examples.length : 0)),
    );
    for (const { values, isTrue } of examples) {
      const logit = values.reduce((sum, value, at) => sum + value * (weights[at] as number), 0);
      const share = 1 / (1 + Math.exp(-logit));
      for (let row = 0; row < size; row++) {
        const value = values[row] as number;
        gradient[row] = (gradient[row] as number) + value * (share - (isTrue ? 1 : 0));
        const line = curvature[row] as number[];
        for (let column = 0; column < size; column++)
          line[column] = (line[column] as number) + value * (values[column] as number) * share * (1 - share);
      }
    }
    const change = solve(curvature, gradient);
    weights = weights.map((weight, at) => weight - (change[at] as number));
    if (change.every((value) => Math.abs(value) < SETTLED)) break;
  }
  return weights.map((weight) => Math.round(weight * 10 ** DIGITS) / 10 ** DIGITS);
}

/** Solves a symmetric positive definite system by Gauss's elimination; both arguments are used up. */
function solve(matrix: number[][], right: number[]): number[] {
  const size = right.length;
  for (let pivot = 0; pivot < size; pivot++) {
    const line = matrix[pivot] as number[];
    for (let row = pivot + 1; row < size; row++) {
      const other = matrix[row] as number[];
      const factor = (other[pivot] as number) / (line[pivot] as number);
      for (let column = pivot; column < size; column++)
        other[column] = (other[column] as number) - factor * (line[column] as number);
      right[row] = (right[row] as number) - factor * (right[pivot] as number);
    }
  }
  const solution = new Array<number>(size).fill(0);
  for (let row = size - 1; row >= 0; row--) {
    const line = matrix[row] as number[];
    let rest = right[row] as number;
    for (let column = row + 1; column < size; column++)
      rest -= (line[column] as number) * (solution[column] as number);
    solution[row] = rest / (line[row] as number);
  }
  return solution;
}
