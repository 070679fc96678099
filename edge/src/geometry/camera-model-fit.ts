import type { Calibration } from '@ngatu/contract';
import type { Point } from './box.ts';
import { type CalibratedHomography, type PictureSize, refuseCalibration } from './calibrated-homography.ts';
import { computeNormalisation, type Homography, mapPoint, multiply } from './homography.ts';
import { type KnownLength, missOfLength } from './homography-fit.ts';
import { fitLeastSquares, type LeastSquaresFit, type Residual } from './least-squares.ts';

/**
 * What is taken for granted where lengths alone are known: square pixels, the optical axis in the middle of the picture,
 * no distortion, a flat road. What is only expected, with a standard error: how the camera hangs and how far it zooms.
 */
const EXPECTED = {
  rollDeg: 0,
  rollErrorDeg: 3,
  depressionDeg: 25,
  depressionErrorDeg: 20,
  /** Focal length over picture width (0.9: 58° wide), and the error of its logarithm (covers 24° to 105°). */
  focalShare: 0.9,
  focalLogError: 0.5,
  heightM: 7,
  heightLogError: 0.8,
};

/** With a relative error of the scale above this, anywhere between the lengths and in any direction, nothing is determined. */
const MAX_SCALE_ERROR = 0.15;
/** χ² per known length above which the lengths contradict each other. */
const MAX_CHI_SQUARE_SHARE = 16;
const DEG = Math.PI / 180;

/** Parameters: ln focal length (px), depression, roll (radians), ln height (m). */
type CameraParameters = Float64Array;

/**
 * Fits height, depression, roll and focal length of a camera to known lengths. Pairs, where there are fewer than four, give
 * the lengths between them. Ground: origin below the camera, x to the right, y away from it.
 * @throws NgatuError CALIBRATION_INVALID where the lengths do not determine the scale, or contradict each other
 */
export function fitCameraToLengths(calibration: Calibration, picture?: PictureSize): CalibratedHomography {
  const lengths = collectLengths(calibration);
  if (lengths.length < 2) {
    throw refuseCalibration('at least four pairs, or two known lengths in different directions, are needed');
  }
  if (picture === undefined) throw refuseCalibration('known lengths need the size of the picture');
  const { imageErrorPx, groundErrorM } = calibration;
  const residualsAt = (parameters: CameraParameters): readonly Residual[] | undefined => {
    const h = computeCamera(parameters, picture);
    const misses = lengths.map((length) => missOfLength(h, length, imageErrorPx, groundErrorM));
    if (misses.some((miss) => miss === undefined)) return undefined;
    return [...misses.filter((miss) => miss !== undefined), ...computeExpectations(parameters, picture)];
  };
  const fit = chooseStart(lengths, picture)
    .map((start) => fitLeastSquares(start, residualsAt))
    .filter((candidate) => candidate !== undefined)
    .sort((one, other) => one.chiSquare - other.chiSquare)[0];
  if (fit === undefined)
    throw refuseCalibration('no camera above a flat road sees the known lengths like this');
  const chiSquare = fit.squares.slice(0, lengths.length).reduce((sum, square) => sum + square, 0);
  const share = chiSquare / lengths.length;
  if (share > MAX_CHI_SQUARE_SHARE) {
    const worst = fit.squares
      .slice(0, lengths.length)
      .indexOf(Math.max(...fit.squares.slice(0, lengths.length)));
    throw refuseCalibration(
      `the known lengths contradict each other or the assumptions (square pixels, flat road); length ${worst + 1} misses most`,
    );
  }
  const inflated = { ...fit, covariance: fit.covariance.map((value) => value * Math.max(1, share)) };
  refuseUndetermined(inflated, lengths, picture);
  const h = computeCamera(fit.parameters, picture);
  const shifts = lengths.map((length) => computeShiftPx(h, length));
  return {
    ...toNormalised(inflated, lengths, picture),
    method: 'lengths',
    chiSquare,
    degreesOfFreedom: Math.max(0, lengths.length - fit.parameters.length),
    lengthResidualPx: Math.sqrt(shifts.reduce((sum, shift) => sum + shift * shift, 0) / shifts.length),
  };
}

function collectLengths({ pairs, lengths }: Calibration): KnownLength[] {
  const between = pairs.flatMap((a, index) =>
    pairs.slice(index + 1).map((b) => ({
      from: a.image,
      to: b.image,
      metres: Math.hypot(a.ground[0] - b.ground[0], a.ground[1] - b.ground[1]),
    })),
  );
  return [...lengths, ...between];
}

/** Pixels → metres of a camera at a height that looks down by its depression along y. */
function computeCamera(parameters: CameraParameters, { width, height }: PictureSize): Homography {
  const [logFocal = 0, depression = 0, roll = 0, logHeight = 0] = parameters;
  const f = Math.exp(logFocal);
  const h = Math.exp(logHeight);
  const [sin, cos] = [Math.sin(depression), Math.cos(depression)];
  const toRay: Homography = [
    Math.cos(roll) / f,
    -Math.sin(roll) / f,
    (-Math.cos(roll) * width + Math.sin(roll) * height) / (2 * f),
    Math.sin(roll) / f,
    Math.cos(roll) / f,
    (-Math.sin(roll) * width - Math.cos(roll) * height) / (2 * f),
    0,
    0,
    1,
  ];
  return multiply([h, 0, 0, 0, -h * sin, h * cos, 0, cos, sin], toRay);
}

function computeExpectations(parameters: CameraParameters, { width }: PictureSize): Residual[] {
  const [logFocal = 0, depression = 0, roll = 0, logHeight = 0] = parameters;
  const expect = (miss: number, error: number): Residual => ({ miss: [miss], covariance: [error * error] });
  return [
    expect(Math.log(EXPECTED.focalShare * width) - logFocal, EXPECTED.focalLogError),
    expect(EXPECTED.depressionDeg * DEG - depression, EXPECTED.depressionErrorDeg * DEG),
    expect(EXPECTED.rollDeg * DEG - roll, EXPECTED.rollErrorDeg * DEG),
    expect(Math.log(EXPECTED.heightM) - logHeight, EXPECTED.heightLogError),
  ];
}

function chooseStart(lengths: readonly KnownLength[], picture: PictureSize): CameraParameters[] {
  return [8, 15, 25, 40, 60].flatMap((depressionDeg) =>
    [0.6, 0.9, 1.6].flatMap((share) => {
      const parameters = Float64Array.of(Math.log(share * picture.width), depressionDeg * DEG, 0, 0);
      const h = computeCamera(parameters, picture);
      const ratios = lengths.map(({ from, to, metres }) => {
        const [a, b] = [mapPoint(h, from), mapPoint(h, to)];
        return a.w > 0 && b.w > 0 ? metres / Math.hypot(a.x - b.x, a.y - b.y) : Number.NaN;
      });
      const mean = ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length;
      if (!Number.isFinite(mean)) return [];
      parameters[3] = mean;
      return [parameters];
    }),
  );
}

/** The length of a step of one pixel, in eight directions at every end, must be known well enough to speak of a scale. */
function refuseUndetermined(
  fit: LeastSquaresFit,
  lengths: readonly KnownLength[],
  picture: PictureSize,
): void {
  for (const { from, to } of lengths) {
    for (const point of [from, to]) {
      for (let k = 0; k < 8; k++) {
        const angle = (k * Math.PI) / 8;
        const stepAt = (parameters: CameraParameters): number => {
          const h = computeCamera(parameters, picture);
          const a = mapPoint(h, point);
          const b = mapPoint(h, [point[0] + Math.cos(angle), point[1] + Math.sin(angle)]);
          return Math.log(Math.hypot(a.x - b.x, a.y - b.y));
        };
        const slope = differentiate(fit.parameters, (parameters) => [stepAt(parameters)]).map(
          ([value]) => value ?? 0,
        );
        const error = Math.sqrt(computeQuadratic(slope, slope, fit.covariance));
        if (error > MAX_SCALE_ERROR) {
          throw refuseCalibration(
            `the known lengths leave the scale under-determined (± ${Math.round(error * 100)} % at picture ${point.join(', ')}); add lengths in other directions or places, best one along and one across the road, near and far, or four pairs`,
          );
        }
      }
    }
  }
}

/** Carries the four parameters and their covariance over to the eight entries in normalised coordinates. */
function toNormalised(
  fit: LeastSquaresFit,
  lengths: readonly KnownLength[],
  picture: PictureSize,
): Pick<CalibratedHomography, 'homography' | 'covariance' | 'image' | 'ground'> {
  const ends = lengths.flatMap(({ from, to }) => [from, to]);
  const h = computeCamera(fit.parameters, picture);
  const image = computeNormalisation(ends);
  const ground = computeNormalisation(
    ends.map((point): Point => {
      const { x, y } = mapPoint(h, point);
      return [x, y];
    }),
  );
  const entriesAt = (parameters: CameraParameters): number[] => {
    const fromNormalised: Homography = [
      1 / image.scale,
      0,
      image.centre[0],
      0,
      1 / image.scale,
      image.centre[1],
      0,
      0,
      1,
    ];
    const { scale, centre } = ground;
    const toGround: Homography = [scale, 0, -scale * centre[0], 0, scale, -scale * centre[1], 0, 0, 1];
    const product = multiply(toGround, multiply(computeCamera(parameters, picture), fromNormalised));
    return product.map((entry) => entry / product[8]);
  };
  const slopes = differentiate(fit.parameters, entriesAt);
  const covariance = new Float64Array(64);
  for (let i = 0; i < 8; i++) {
    for (let j = 0; j < 8; j++) {
      const a = slopes.map((column) => column[i] ?? 0);
      const b = slopes.map((column) => column[j] ?? 0);
      covariance[i * 8 + j] = computeQuadratic(a, b, fit.covariance);
    }
  }
  return { homography: entriesAt(fit.parameters) as unknown as Homography, covariance, image, ground };
}

function computeShiftPx(h: Homography, length: KnownLength): number {
  const oneMetrePerPixel = missOfLength(h, length, 1, 0);
  if (oneMetrePerPixel === undefined) return Number.POSITIVE_INFINITY;
  return Math.abs(oneMetrePerPixel.miss[0] ?? 0) / Math.sqrt(oneMetrePerPixel.covariance[0] ?? 1);
}

/** Central differences of a vector by each parameter: one column of derivatives a parameter. */
function differentiate(
  parameters: Float64Array,
  valuesAt: (parameters: Float64Array) => number[],
): number[][] {
  const step = 1e-5;
  return Array.from(parameters, (_, index) => {
    const plus = valuesAt(parameters.map((value, at) => (at === index ? value + step : value)));
    const minus = valuesAt(parameters.map((value, at) => (at === index ? value - step : value)));
    return plus.map((value, at) => (value - (minus[at] ?? 0)) / (2 * step));
  });
}

function computeQuadratic(a: readonly number[], b: readonly number[], covariance: Float64Array): number {
  const n = a.length;
  return a.reduce(
    (sum, left, i) =>
      sum + b.reduce((inner, right, j) => inner + left * right * (covariance[i * n + j] ?? 0), 0),
    0,
  );
}
