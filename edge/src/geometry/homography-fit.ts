import type { Point } from './box.ts';
import {
  computeMapJacobian,
  computeNormalisation,
  type GroundPoint,
  type Homography,
  mapPoint,
  type Normalisation,
  normalise,
} from './homography.ts';
import { fitLeastSquares, type Residual } from './least-squares.ts';
import { computeEigen, type Matrix } from './symmetric-matrix.ts';

export interface GroundPair {
  readonly image: Point;
  readonly ground: GroundPoint;
}

export interface KnownLength {
  readonly from: Point;
  readonly to: Point;
  readonly metres: number;
}

/** Image → ground between normalised coordinates on both sides, ninth entry 1, with the covariance of the other eight. */
export interface HomographyFit {
  readonly homography: Homography;
  readonly covariance: Matrix;
  readonly image: Normalisation;
  readonly ground: Normalisation;
  /** χ² of the fit, and of each pair and length in order, under the stated errors. */
  readonly chiSquare: number;
  readonly squares: readonly number[];
  readonly degreesOfFreedom: number;
}

export interface MeasureErrors {
  readonly imageErrorPx: number;
  readonly groundErrorM: number;
}

/**
 * Maximum likelihood to first order (Sampson's error, Hartley & Zisserman § 4.2.6): the miss on the ground is whitened
 * with the error of the measured place and the error of the marked point carried to the ground, then minimised from a
 * normalised direct linear start. Undefined where the points do not determine a homography or lie on both sides of the
 * horizon.
 */
export function fitHomography(
  pairs: readonly GroundPair[],
  lengths: readonly KnownLength[],
  errors: MeasureErrors,
): HomographyFit | undefined {
  const image = computeNormalisation(pairs.map((pair) => pair.image));
  const ground = computeNormalisation(pairs.map((pair) => pair.ground));
  const normalised = pairs.map((pair) => ({
    image: normalise(image, pair.image),
    ground: normalise(ground, pair.ground),
  }));
  const start = computeDirectLinear(normalised);
  if (start === undefined) return undefined;
  const pixel = errors.imageErrorPx * image.scale;
  const metre = errors.groundErrorM * ground.scale;
  const spans = lengths.map(({ from, to, metres }) => ({
    from: normalise(image, from),
    to: normalise(image, to),
    metres: metres * ground.scale,
  }));
  const fit = fitLeastSquares(start, (parameters) => {
    const h = toHomography(parameters);
    const residuals = [
      ...normalised.map((pair) => missOfPair(h, pair, pixel, metre)),
      ...spans.map((span) => missOfLength(h, span, pixel, metre)),
    ];
    return residuals.every((residual) => residual !== undefined) ? residuals : undefined;
  });
  if (fit === undefined) return undefined;
  return {
    homography: toHomography(fit.parameters),
    covariance: fit.covariance,
    image,
    ground,
    chiSquare: fit.chiSquare,
    squares: fit.squares,
    degreesOfFreedom: 2 * pairs.length + lengths.length - 8,
  };
}

export function toHomography(parameters: Float64Array): Homography {
  return [...parameters, 1] as unknown as Homography;
}

function missOfPair(h: Homography, pair: GroundPair, pixel: number, metre: number): Residual | undefined {
  const mapped = mapPoint(h, pair.image);
  if (!(mapped.w > 0)) return undefined;
  const [xx, xy, yx, yy] = computeMapJacobian(h, pair.image);
  return {
    miss: [pair.ground[0] - mapped.x, pair.ground[1] - mapped.y],
    covariance: [
      metre ** 2 + pixel ** 2 * (xx * xx + xy * xy),
      pixel ** 2 * (xx * yx + xy * yy),
      metre ** 2 + pixel ** 2 * (yx * yx + yy * yy),
    ],
  };
}

/** A length and the error of its two ends along it. */
export function missOfLength(
  h: Homography,
  length: KnownLength,
  pixel: number,
  metre: number,
): Residual | undefined {
  const from = mapPoint(h, length.from);
  const to = mapPoint(h, length.to);
  if (!(from.w > 0 && to.w > 0)) return undefined;
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const found = Math.hypot(dx, dy);
  const ends = [length.from, length.to].reduce((sum, point) => {
    const [xx, xy, yx, yy] = computeMapJacobian(h, point);
    return sum + ((dx * xx + dy * yx) / found) ** 2 + ((dx * xy + dy * yy) / found) ** 2;
  }, 0);
  return { miss: [length.metres - found], covariance: [metre ** 2 + pixel ** 2 * ends] };
}

/** Null vector of the direct linear equations, scaled to a ninth entry of 1 (the weight of the centroid: never 0). */
function computeDirectLinear(pairs: readonly GroundPair[]): Float64Array | undefined {
  const normal = new Float64Array(81);
  for (const { image, ground } of pairs) {
    const [x, y] = image;
    const [gx, gy] = ground;
    const rows = [
      [x, y, 1, 0, 0, 0, -gx * x, -gx * y, -gx],
      [0, 0, 0, x, y, 1, -gy * x, -gy * y, -gy],
    ];
    for (const row of rows) {
      for (let i = 0; i < 9; i++) {
        for (let j = 0; j < 9; j++) {
          normal[i * 9 + j] = (normal[i * 9 + j] ?? 0) + (row[i] ?? 0) * (row[j] ?? 0);
        }
      }
    }
  }
  const eigen = computeEigen(normal, 9);
  // a second null vector: the points leave a whole family of homographies
  if ((eigen[7]?.value ?? 0) < 1e-9 * (eigen[0]?.value ?? 0)) return undefined;
  const vector = eigen[8]?.vector;
  const last = vector?.[8] ?? 0;
  if (vector === undefined || Math.abs(last) < 1e-9) return undefined;
  return vector.subarray(0, 8).map((value) => value / last);
}
