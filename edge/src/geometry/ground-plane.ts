import type { Calibration } from '@ngatu/contract';
import type { Point } from './box.ts';
import type { CalibratedHomography, PictureSize } from './calibrated-homography.ts';
import { calibrate } from './calibration-fit.ts';
import { computeEllipse95, type Ellipse, type GroundCovariance } from './ellipse.ts';
import {
  computeEntryJacobian,
  computeMapJacobian,
  denormalise,
  type GroundPoint,
  type Homography,
  invertHomography,
  mapPoint,
  normalise,
} from './homography.ts';
import { computeEigen } from './symmetric-matrix.ts';

/** A place on the road with its error. */
export interface GroundPosition {
  readonly x: number;
  readonly y: number;
  /** Of the marked point and of the calibration together, m². */
  readonly covariance: GroundCovariance;
  readonly ellipse95: Ellipse;
}

/** How far a marked point and its place on the road lie apart. */
export interface PointResidual {
  readonly imagePx: number;
  readonly groundM: number;
}

/** The weight of a place must exceed its own error by this factor: nearer to the horizon its distance is anybody's guess. */
const HORIZON_SIGMAS = 5;

/**
 * The flat road as the camera sees it: picture ↔ ground with the error of both. Image points are source pixels, the
 * ground is metres. What it does not know: a road that is not flat, and a lens that bends straight lines.
 */
export class GroundPlane {
  /** Root mean square distance in the picture between the marked points and their places laid back, px; over pairs, or over the ends of lengths. */
  readonly residualPx: number;
  /** One per pair of the calibration, in order; empty where it was fitted from lengths. */
  readonly residuals: readonly PointResidual[];
  /** `pairs`: the ground's own coordinates; `lengths`: origin below the camera, y away from it, under the assumptions of `docs/calibration.md`. */
  readonly method: 'pairs' | 'lengths';
  readonly #fit: CalibratedHomography;
  readonly #inverse: Homography;
  readonly #variants: readonly Homography[];

  private constructor(fit: CalibratedHomography, calibration: Calibration) {
    this.#fit = fit;
    this.method = fit.method;
    this.#inverse = invertHomography(fit.homography);
    this.#variants = computeVariants(fit);
    this.residuals = fit.method === 'lengths' ? [] : calibration.pairs.map((pair) => this.#residualOf(pair));
    this.residualPx =
      fit.method === 'lengths'
        ? fit.lengthResidualPx
        : rootMeanSquare(this.residuals.map(({ imagePx }) => imagePx));
  }

  /**
   * @param picture size of the source picture; needed where fewer than four pairs are given.
   * @throws NgatuError CALIBRATION_INVALID with the offending pair or the reason by name
   */
  static fromCalibration(calibration: Calibration, picture?: PictureSize): GroundPlane {
    return new GroundPlane(calibrate(calibration, picture), calibration);
  }

  /** χ² of the fit and its degrees of freedom; 0 of freedom leaves the residual without meaning. */
  get fit(): { readonly chiSquare: number; readonly degreesOfFreedom: number } {
    return this.#fit;
  }

  /** Place on the road of an image point; undefined at and above the horizon. */
  toGround(point: Point): GroundPoint | undefined {
    return this.#mapBy(this.#fit.homography, point);
  }

  /** Image point of a place on the road; undefined behind the camera. */
  toImage(place: GroundPoint): Point | undefined {
    const { x, y, w } = mapPoint(this.#inverse, normalise(this.#fit.ground, place));
    return w > 0 ? denormalise(this.#fit.image, [x, y]) : undefined;
  }

  /**
   * Place of an image point with its error.
   * @param pixelError standard error of the point, px; one for both axes or one each.
   * @returns undefined at and above the horizon, and so near below it that the error does not exclude it
   */
  locate(point: Point, pixelError: number | readonly [x: number, y: number]): GroundPosition | undefined {
    const { homography, image, ground } = this.#fit;
    const [ex, ey] = typeof pixelError === 'number' ? [pixelError, pixelError] : pixelError;
    const normalised = normalise(image, point);
    const mapped = mapPoint(homography, normalised);
    const weightError = this.#weightError(normalised, [ex * image.scale, ey * image.scale]);
    if (!(mapped.w > HORIZON_SIGMAS * weightError)) return undefined;
    const [xx, xy, yx, yy] = computeMapJacobian(homography, normalised);
    const vx = (ex * image.scale) ** 2;
    const vy = (ey * image.scale) ** 2;
    const own = this.#calibrationCovariance(normalised);
    const scale = 1 / ground.scale ** 2;
    const covariance = {
      xx: scale * (xx * xx * vx + xy * xy * vy + own.xx),
      xy: scale * (xx * yx * vx + xy * yy * vy + own.xy),
      yy: scale * (yx * yx * vx + yy * yy * vy + own.yy),
    };
    const [x, y] = denormalise(ground, [mapped.x, mapped.y]);
    return { x, y, covariance, ellipse95: computeEllipse95(covariance) };
  }

  /** Metres on the road a pixel stands for, in the direction in which it is least and in which it is most; undefined above the horizon. */
  scaleAt(point: Point): { readonly minMetresPerPx: number; readonly maxMetresPerPx: number } | undefined {
    const { homography, image, ground } = this.#fit;
    const normalised = normalise(image, point);
    if (!(mapPoint(homography, normalised).w > 0)) return undefined;
    const [xx, xy, yx, yy] = computeMapJacobian(homography, normalised);
    const factor = image.scale / ground.scale;
    const sum = xx * xx + xy * xy + yx * yx + yy * yy;
    const determinant = Math.abs(xx * yy - xy * yx);
    const spread = Math.sqrt(Math.max(0, sum * sum - 4 * determinant * determinant));
    const max = Math.sqrt((sum + spread) / 2);
    return { minMetresPerPx: (factor * determinant) / max, maxMetresPerPx: factor * max };
  }

  /** Height of the horizon in the picture at a column, px; undefined where the camera looks straight down. */
  horizonAt(x: number): number | undefined {
    const { homography, image } = this.#fit;
    const [nx] = normalise(image, [x, 0]);
    if (Math.abs(homography[7]) < 1e-12) return undefined;
    return denormalise(image, [0, -(homography[8] + homography[6] * nx) / homography[7]])[1];
  }

  /**
   * The calibration's own error as eight other calibrations, each one standard error away along an independent axis.
   * Whatever is computed from many places (a speed) is computed again with each; the squared differences add up to the
   * variance that the calibration brings. The error is the same for all places: it does not average out along a track.
   */
  get variants(): readonly ((point: Point) => GroundPoint | undefined)[] {
    return this.#variants.map((homography) => (point: Point) => this.#mapBy(homography, point));
  }

  #mapBy(homography: Homography, point: Point): GroundPoint | undefined {
    const { x, y, w } = mapPoint(homography, normalise(this.#fit.image, point));
    return w > 0 ? denormalise(this.#fit.ground, [x, y]) : undefined;
  }

  #calibrationCovariance(normalised: Point): GroundCovariance {
    const { homography, covariance } = this.#fit;
    const rows = computeEntryJacobian(homography, normalised);
    return {
      xx: computeBilinear(rows.x, covariance, rows.x),
      xy: computeBilinear(rows.x, covariance, rows.y),
      yy: computeBilinear(rows.y, covariance, rows.y),
    };
  }

  #weightError(normalised: Point, [ex, ey]: Point): number {
    const { homography, covariance } = this.#fit;
    const row = Float64Array.of(0, 0, 0, 0, 0, 0, normalised[0], normalised[1]);
    const own = computeBilinear(row, covariance, row);
    return Math.sqrt(own + (homography[6] * ex) ** 2 + (homography[7] * ey) ** 2);
  }

  #residualOf({ image, ground }: Calibration['pairs'][number]): PointResidual {
    const laidBack = this.toImage(ground);
    const place = this.toGround(image);
    return {
      imagePx:
        laidBack === undefined
          ? Number.POSITIVE_INFINITY
          : Math.hypot(laidBack[0] - image[0], laidBack[1] - image[1]),
      groundM:
        place === undefined
          ? Number.POSITIVE_INFINITY
          : Math.hypot(place[0] - ground[0], place[1] - ground[1]),
    };
  }
}

function computeVariants({ homography, covariance }: CalibratedHomography): Homography[] {
  return computeEigen(covariance, 8).map(({ value, vector }) => {
    const step = Math.sqrt(Math.max(0, value));
    return homography.map((entry, index) => entry + step * (vector[index] ?? 0)) as unknown as Homography;
  });
}

function computeBilinear(a: Float64Array, matrix: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < 8; i++) {
    for (let j = 0; j < 8; j++) sum += (a[i] ?? 0) * (matrix[i * 8 + j] ?? 0) * (b[j] ?? 0);
  }
  return sum;
}

function rootMeanSquare(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / Math.max(1, values.length));
}
