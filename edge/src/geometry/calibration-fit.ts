import type { Calibration } from '@ngatu/contract';
import { type CalibratedHomography, type PictureSize, refuseCalibration } from './calibrated-homography.ts';
import { fitCameraToLengths } from './camera-model-fit.ts';
import { fitHomography, type GroundPair, type HomographyFit } from './homography-fit.ts';
import { computeEigen } from './symmetric-matrix.ts';

/** Points whose spread across their line is below this share of that along it do not span an area. */
const MIN_SPREAD_SHARE = 0.02;
/** A triangle of points smaller than this share of the largest one has no orientation worth a verdict. */
const MIN_TRIANGLE_SHARE = 0.02;
/** Above this χ² per degree of freedom the points contradict each other, rather than being marked a little worse than stated. */
const MAX_CHI_SQUARE_SHARE = 16;
/** χ² of one pair (two dimensions) that happens once in ten thousand. */
const OUTLIER_CHI_SQUARE = 18.42;
/** Normal quantile of one in ten thousand. */
const RARE_SIGMAS = 3.72;

/** Fits a calibration and refuses what does not determine one. @throws NgatuError CALIBRATION_INVALID */
export function calibrate(calibration: Calibration, picture?: PictureSize): CalibratedHomography {
  const { pairs, lengths } = calibration;
  if (pairs.length < 4) return fitCameraToLengths(calibration, picture);
  refuseFlat(pairs);
  const order = judgeOrder(pairs);
  if (order === 'mirrored') {
    throw refuseCalibration(
      'the ground coordinates are mirrored; x and y must be right-handed seen from above (x to the right, y away from the camera)',
    );
  }
  if (order === 'mixed') {
    refuseOutlier(calibration, undefined);
    throw refuseCalibration(describeDisorder(pairs));
  }
  const fit = fitHomography(pairs, lengths, calibration);
  if (fit === undefined || isContradictory(fit)) refuseOutlier(calibration, fit);
  if (fit === undefined) {
    throw refuseCalibration(
      'the pairs do not determine how the picture lies on the road; give four corners of an area, no three on one line',
    );
  }
  const share = fit.degreesOfFreedom === 0 ? 1 : fit.chiSquare / fit.degreesOfFreedom;
  if (share > MAX_CHI_SQUARE_SHARE && isContradictory(fit)) {
    throw refuseCalibration(
      `pairs and lengths contradict each other (they miss by ${Math.sqrt(share).toFixed(1)} times the stated errors); measure again, or state larger errors`,
    );
  }
  const covariance = fit.covariance.map((value) => value * Math.max(1, share));
  return { ...fit, method: 'pairs', covariance, lengthResidualPx: 0 };
}

function refuseFlat(pairs: readonly GroundPair[]): void {
  for (const [name, points] of [
    ['picture', pairs.map(({ image }) => image)],
    ['road', pairs.map(({ ground }) => ground)],
  ] as const) {
    const cx = points.reduce((sum, [x]) => sum + x, 0) / points.length;
    const cy = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
    const scatter = points.reduce(
      ([xx, xy, yy], [x, y]) => [xx + (x - cx) ** 2, xy + (x - cx) * (y - cy), yy + (y - cy) ** 2] as const,
      [0, 0, 0] as readonly [number, number, number],
    );
    const [large, small] = computeEigen(Float64Array.of(scatter[0], scatter[1], scatter[1], scatter[2]), 2);
    const share = Math.sqrt(Math.max(0, small?.value ?? 0) / (large?.value ?? 0));
    if (!(share >= MIN_SPREAD_SHARE)) throw refuseCalibration(`all pairs lie on one line of the ${name}`);
  }
}

/**
 * Points in front of a camera above the road keep their order: every triangle turns the other way in the picture (y down)
 * than on the ground (seen from above). `mirrored`: all turn the same way; `mixed`: some do.
 */
function judgeOrder(pairs: readonly GroundPair[]): 'kept' | 'mirrored' | 'mixed' {
  let turned = 0;
  let same = 0;
  const largest = { image: 0, ground: 0 };
  forEachTriangle(pairs, (image, ground) => {
    largest.image = Math.max(largest.image, Math.abs(image));
    largest.ground = Math.max(largest.ground, Math.abs(ground));
  });
  forEachTriangle(pairs, (image, ground) => {
    if (Math.abs(image) < MIN_TRIANGLE_SHARE * largest.image) return;
    if (Math.abs(ground) < MIN_TRIANGLE_SHARE * largest.ground) return;
    if (image * ground < 0) turned += 1;
    else same += 1;
  });
  if (same === 0) return 'kept';
  return turned === 0 ? 'mirrored' : 'mixed';
}

/** Names the pairs without any one of which the order holds. */
function describeDisorder(pairs: readonly GroundPair[]): string {
  const without = (pair: GroundPair): readonly GroundPair[] => pairs.filter((other) => other !== pair);
  const suspects = pairs.length < 5 ? [] : pairs.filter((pair) => judgeOrder(without(pair)) === 'kept');
  const names = suspects.map((pair) => `pair ${pairs.indexOf(pair) + 1} ${describePair(pair)}`);
  const hint = names.length === 0 ? 'two of them may be swapped' : `look at ${names.join(' or ')}`;
  return `the pairs stand in another order in the picture than on the road; ${hint}`;
}

function forEachTriangle(pairs: readonly GroundPair[], visit: (image: number, ground: number) => void): void {
  const area = (points: readonly (readonly [number, number])[]): number => {
    const [a, b, c] = points;
    if (a === undefined || b === undefined || c === undefined) return 0;
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
  };
  pairs.forEach((a, i) => {
    pairs.slice(i + 1).forEach((b, j) => {
      pairs.slice(i + j + 2).forEach((c) => {
        visit(area([a.image, b.image, c.image]), area([a.ground, b.ground, c.ground]));
      });
    });
  });
}

/** Names the pair without which all others agree. With five pairs any one of them could be the wrong one. */
function refuseOutlier(calibration: Calibration, fit: HomographyFit | undefined): void {
  const { pairs, lengths } = calibration;
  if (pairs.length < 6) return;
  let worst: { index: number; gain: number } | undefined;
  pairs.forEach((_, index) => {
    const others = pairs.filter((_other, at) => at !== index);
    const without = fitHomography(others, lengths, calibration);
    if (without === undefined || isContradictory(without)) return;
    const gain = (fit?.chiSquare ?? Number.POSITIVE_INFINITY) - without.chiSquare;
    if (gain > OUTLIER_CHI_SQUARE && gain > (worst?.gain ?? 0)) worst = { index, gain };
  });
  if (worst === undefined) return;
  throw refuseCalibration(
    `pair ${worst.index + 1} ${describePair(pairs[worst.index])} contradicts all the others, which agree with each other`,
  );
}

/** χ² that comes about less than once in ten thousand where the stated errors hold (Wilson & Hilferty 1931). */
function isContradictory({ chiSquare, degreesOfFreedom: n }: HomographyFit): boolean {
  if (n === 0) return false;
  const share = 2 / (9 * n);
  return chiSquare > n * (1 - share + RARE_SIGMAS * Math.sqrt(share)) ** 3;
}

function describePair(pair: GroundPair | undefined): string {
  if (pair === undefined) return '';
  return `(picture ${pair.image.join(', ')}; road ${pair.ground.join(', ')} m)`;
}
