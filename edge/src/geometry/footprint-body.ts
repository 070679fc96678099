import type { Point } from './box.ts';
import type { LearnedScale } from './picture-scale.ts';

/** A usual size with the spread within its class: [mean, m; standard deviation as a share of it]. */
type Size = readonly [metres: number, spread: number];

export interface BodySize {
  /** From the rear ground contact to the foremost point of the body, seen from straight above. */
  readonly length: Size;
  readonly width: Size;
  /** Ground to top, with riders. */
  readonly height: Size;
  /** Which share of the length adds to the height of the box, seen from above: bonnets are low, riders sit in the middle. */
  readonly depthShare: number;
  /** Which share of the width stands on the ground: 1 for four wheels, 0 for two in a row. */
  readonly groundShare: number;
}

export interface BodyView {
  readonly depressionDeg: number;
  /** Unit vector of travel in the picture. */
  readonly heading: Point;
  /** Standard error of an edge of the box, px. */
  readonly edgePx: number;
  /** Scale on the ground where it is known apart from the box. */
  readonly scale?: LearnedScale;
}

export interface FittedBody {
  /** Length of the body along its heading in the picture, px. */
  readonly reachPx: number;
  /** Standard error as a share of it; the angle of the view is not in it. */
  readonly reachErrorShare: number;
  /** How far the middle of the body stands above the lower edge of the box because it is seen from the side, px. */
  readonly sideDepthPx: number;
  readonly pxPerMetre: number;
}

/** Cuboids are not bodies: what the two equations leave out, as a share. */
const SHAPE_ERROR = 0.04;
/** Spread of the logarithm of a scale of which nothing is known. */
const UNKNOWN_SCALE = 2;

/**
 * Fits scale, length, width and height of a body to the width and height of its box: Bayesian estimate with the usual
 * sizes as prior, in logarithms, linearised twice (Gauss–Newton). Under the depression θ, with g the heading on the ground,
 *
 * ```
 *   box width  = s·(L·|gx| + W·|gy|)
 *   box height = s·(H·cosθ + sinθ·(k·L·|gy| + W'·|gx|))        s px/m, k depth share, W' width on the ground
 * ```
 *
 * Seen from the side the width of the box measures the length; seen from behind width and height give the scale.
 */
export function fitBody(size: BodySize, [boxWidth, boxHeight]: Point, view: BodyView): FittedBody {
  const sin = Math.sin((view.depressionDeg * Math.PI) / 180);
  const cos = Math.cos((view.depressionDeg * Math.PI) / 180);
  const along = Math.hypot(view.heading[0], view.heading[1] / sin);
  const [gx, gy] = [Math.abs(view.heading[0]) / along, Math.abs(view.heading[1]) / sin / along];
  const { length, width, height, depthShare, groundShare } = size;
  const priorScale =
    boxHeight / (height[0] * cos + sin * (depthShare * length[0] * gy + groundShare * width[0] * gx));
  const prior: Logs = [
    Math.log(view.scale?.pxPerMetre ?? priorScale),
    Math.log(length[0]),
    Math.log(width[0]),
    Math.log(height[0]),
  ];
  const variance: Logs = [
    (view.scale?.errorShare ?? UNKNOWN_SCALE) ** 2,
    length[1] ** 2,
    width[1] ** 2,
    height[1] ** 2,
  ];
  const noiseWidth = (view.edgePx / boxWidth) ** 2 + SHAPE_ERROR ** 2;
  const noiseHeight = (view.edgePx / boxHeight) ** 2 + SHAPE_ERROR ** 2;
  let state = prior;
  let reachVariance = 0;
  for (let pass = 0; pass < 2; pass++) {
    const [s, L, W, H] = [Math.exp(state[0]), Math.exp(state[1]), Math.exp(state[2]), Math.exp(state[3])];
    const across = L * gx + W * gy;
    const side = sin * depthShare * L * gy;
    const depth = sin * groundShare * W * gx;
    const up = H * cos + side + depth;
    const update = updateLogs(prior, variance, state, {
      width: {
        jacobian: [1, (L * gx) / across, (W * gy) / across, 0],
        residual: Math.log(boxWidth / (s * across)),
        noise: noiseWidth,
      },
      height: {
        jacobian: [1, side / up, depth / up, (H * cos) / up],
        residual: Math.log(boxHeight / (s * up)),
        noise: noiseHeight,
      },
    });
    state = update.state;
    reachVariance = update.reachVariance;
  }
  const [s, L, W] = [Math.exp(state[0]), Math.exp(state[1]), Math.exp(state[2])];
  return {
    reachPx: (s * L) / along,
    reachErrorShare: Math.sqrt(reachVariance),
    pxPerMetre: s,
    sideDepthPx: (s * groundShare * W * gx * sin) / 2,
  };
}

/** Of scale, length, width and height. */
type Logs = readonly [number, number, number, number];

interface Measurement {
  readonly jacobian: Logs;
  /** Measured minus predicted at the point of linearisation. */
  readonly residual: number;
  /** Variance of the measurement. */
  readonly noise: number;
}

/** Kalman update of an uncorrelated prior with two measurements that were linearised at `at`; with it the variance of ln(s·L). */
function updateLogs(
  prior: Logs,
  variance: Logs,
  at: Logs,
  measured: { readonly width: Measurement; readonly height: Measurement },
): { state: Logs; reachVariance: number } {
  const { jacobian: a } = measured.width;
  const { jacobian: b } = measured.height;
  const dot = (u: Logs, v: Logs): number =>
    u[0] * v[0] * variance[0] +
    u[1] * v[1] * variance[1] +
    u[2] * v[2] * variance[2] +
    u[3] * v[3] * variance[3];
  const shift = (j: Logs): number =>
    j[0] * (at[0] - prior[0]) +
    j[1] * (at[1] - prior[1]) +
    j[2] * (at[2] - prior[2]) +
    j[3] * (at[3] - prior[3]);
  const aa = dot(a, a) + measured.width.noise;
  const bb = dot(b, b) + measured.height.noise;
  const ab = dot(a, b);
  const determinant = aa * bb - ab * ab;
  const va = measured.width.residual + shift(a);
  const vb = measured.height.residual + shift(b);
  const wa = (bb * va - ab * vb) / determinant;
  const wb = (aa * vb - ab * va) / determinant;
  const next = (i: 0 | 1 | 2 | 3): number => prior[i] + variance[i] * (a[i] * wa + b[i] * wb);
  const [ra, rb] = [a[0] * variance[0] + a[1] * variance[1], b[0] * variance[0] + b[1] * variance[1]];
  const explained = (bb * ra * ra - 2 * ab * ra * rb + aa * rb * rb) / determinant;
  return {
    state: [next(0), next(1), next(2), next(3)],
    reachVariance: Math.max(0, variance[0] + variance[1] - explained),
  };
}
