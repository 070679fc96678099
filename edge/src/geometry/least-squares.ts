import { computeEigen, invertPositive, type Matrix, solvePositive } from './symmetric-matrix.ts';

/** One measured quantity of one or two dimensions: what it misses the model by, and the covariance of that miss. */
export interface Residual {
  readonly miss: readonly number[];
  /** `[xx]`, or `[xx, xy, yy]`. */
  readonly covariance: readonly number[];
}

export interface LeastSquaresFit {
  readonly parameters: Float64Array;
  /** `n × n`, from the Jacobian at the minimum and the stated covariances. */
  readonly covariance: Matrix;
  /** Sum of the squared whitened misses. */
  readonly chiSquare: number;
  /** Squared whitened miss of each residual. */
  readonly squares: readonly number[];
}

const MAX_STEPS = 100;
const DERIVATIVE_STEP = 1e-6;
/** Smallest over largest eigenvalue of the scaled information matrix below which a parameter is not determined. */
const MIN_INFORMATION_SHARE = 1e-13;

/**
 * Levenberg–Marquardt on whitened residuals. The covariance of a miss may depend on the parameters (an error in the
 * picture counts for more metres far away): it is held during a step and taken anew after it. `residualsAt` returns
 * undefined where the model makes no sense. Returns undefined where the start makes none or the parameters are not
 * determined by the residuals.
 */
export function fitLeastSquares(
  start: Float64Array,
  residualsAt: (parameters: Float64Array) => readonly Residual[] | undefined,
): LeastSquaresFit | undefined {
  const n = start.length;
  let parameters = start;
  let damping = 1e-3;
  for (let step = 0; step < MAX_STEPS; step++) {
    const linear = linearise(parameters, residualsAt);
    if (linear === undefined) return undefined;
    const cost = linear.squares.reduce((sum, square) => sum + square, 0);
    let moved: number | undefined;
    while (moved === undefined && damping < 1e12) {
      const damped = Float64Array.from(linear.information);
      for (let i = 0; i < n; i++) damped[i * n + i] = (damped[i * n + i] ?? 0) * (1 + damping);
      const move = solvePositive(damped, linear.gradient, n);
      const next = move === undefined ? undefined : parameters.map((value, i) => value - (move[i] ?? 0));
      const nextCost = next === undefined ? undefined : computeCost(residualsAt(next), linear.residuals);
      if (next === undefined || move === undefined || nextCost === undefined || !(nextCost <= cost + 1e-15)) {
        damping *= 10;
        continue;
      }
      parameters = next;
      damping = Math.max(1e-12, damping / 10);
      moved = Math.hypot(...move) / (1e-9 + Math.hypot(...parameters));
    }
    if (moved === undefined || moved < 1e-8) break;
  }
  return describeFit(parameters, linearise(parameters, residualsAt));
}

function describeFit(
  parameters: Float64Array,
  linear: Linearisation | undefined,
): LeastSquaresFit | undefined {
  const n = parameters.length;
  if (linear === undefined) return undefined;
  const scaled = scaleToUnitDiagonal(linear.information, n);
  const values = computeEigen(scaled, n).map(({ value }) => value);
  if (!((values.at(-1) ?? 0) > MIN_INFORMATION_SHARE * (values[0] ?? 0))) return undefined;
  const covariance = invertPositive(linear.information, n);
  if (covariance === undefined) return undefined;
  const chiSquare = linear.squares.reduce((sum, square) => sum + square, 0);
  return { parameters, covariance, chiSquare, squares: linear.squares };
}

interface Linearisation {
  readonly residuals: readonly Residual[];
  readonly information: Matrix;
  readonly gradient: Float64Array;
  readonly squares: readonly number[];
}

function linearise(
  parameters: Float64Array,
  residualsAt: (parameters: Float64Array) => readonly Residual[] | undefined,
): Linearisation | undefined {
  const n = parameters.length;
  const residuals = residualsAt(parameters);
  if (residuals === undefined) return undefined;
  const columns: { plus: readonly Residual[]; minus: readonly Residual[] }[] = [];
  for (let k = 0; k < n; k++) {
    const plus = residualsAt(moveOne(parameters, k, DERIVATIVE_STEP));
    const minus = residualsAt(moveOne(parameters, k, -DERIVATIVE_STEP));
    if (plus === undefined || minus === undefined) return undefined;
    columns.push({ plus, minus });
  }
  const information = new Float64Array(n * n);
  const gradient = new Float64Array(n);
  const squares: number[] = [];
  residuals.forEach((residual, index) => {
    const white = whiten(residual.miss, residual.covariance);
    squares.push(white.reduce((sum, value) => sum + value * value, 0));
    const rows = columns.map(({ plus, minus }) => {
      const slope = residual.miss.map(
        (_, d) => ((plus[index]?.miss[d] ?? 0) - (minus[index]?.miss[d] ?? 0)) / (2 * DERIVATIVE_STEP),
      );
      return whiten(slope, residual.covariance);
    });
    rows.forEach((row, i) => {
      gradient[i] = (gradient[i] ?? 0) + dot(row, white);
      rows.forEach((other, j) => {
        information[i * n + j] = (information[i * n + j] ?? 0) + dot(row, other);
      });
    });
  });
  return { residuals, information, gradient, squares };
}

/** Cost of other misses under the covariances that are held. */
function computeCost(
  residuals: readonly Residual[] | undefined,
  held: readonly Residual[],
): number | undefined {
  if (residuals === undefined) return undefined;
  return residuals.reduce((sum, { miss }, index) => {
    const white = whiten(miss, held[index]?.covariance ?? []);
    return sum + white.reduce((square, value) => square + value * value, 0);
  }, 0);
}

/** `L⁻¹·miss` for the lower Cholesky factor L of the covariance. */
function whiten(miss: readonly number[], covariance: readonly number[]): number[] {
  const [xx = 1, xy = 0, yy = 1] = covariance;
  const lxx = Math.sqrt(xx);
  const first = (miss[0] ?? 0) / lxx;
  if (miss.length === 1) return [first];
  const lyx = xy / lxx;
  const lyy = Math.sqrt(yy - lyx * lyx);
  return [first, ((miss[1] ?? 0) - lyx * first) / lyy];
}

function scaleToUnitDiagonal(matrix: Matrix, n: number): Matrix {
  return matrix.map((value, index) => {
    const i = Math.floor(index / n);
    const j = index % n;
    return value / Math.sqrt((matrix[i * n + i] ?? 0) * (matrix[j * n + j] ?? 0));
  });
}

function moveOne(parameters: Float64Array, index: number, by: number): Float64Array {
  const moved = Float64Array.from(parameters);
  moved[index] = (moved[index] ?? 0) + by;
  return moved;
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}
