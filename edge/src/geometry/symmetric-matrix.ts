/** Small dense matrices, row-major, `n * n`. Written for n ≤ 16: no blocking, no pivoting beyond what symmetry gives. */
export type Matrix = Float64Array;

/**
 * Solves `A·X = B` for a symmetric positive definite A (`n × n`) and `B` (`n × columns`) by Cholesky's factorisation.
 * Returns undefined where A is not positive definite to working precision.
 */
export function solvePositive(a: Matrix, b: Matrix, n: number): Matrix | undefined {
  const factor = factorPositive(a, n);
  if (factor === undefined) return undefined;
  const columns = b.length / n;
  const x = Float64Array.from(b);
  for (let c = 0; c < columns; c++) {
    for (let i = 0; i < n; i++) {
      let sum = at(x, i * columns + c);
      for (let k = 0; k < i; k++) sum -= at(factor, i * n + k) * at(x, k * columns + c);
      x[i * columns + c] = sum / at(factor, i * n + i);
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = at(x, i * columns + c);
      for (let k = i + 1; k < n; k++) sum -= at(factor, k * n + i) * at(x, k * columns + c);
      x[i * columns + c] = sum / at(factor, i * n + i);
    }
  }
  return x;
}

export function invertPositive(a: Matrix, n: number): Matrix | undefined {
  const identity = new Float64Array(n * n);
  for (let i = 0; i < n; i++) identity[i * n + i] = 1;
  return solvePositive(a, identity, n);
}

/** Lower factor L with `L·Lᵀ = A`; undefined where A is not positive definite. */
export function factorPositive(a: Matrix, n: number): Matrix | undefined {
  const factor = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = at(a, i * n + j);
      for (let k = 0; k < j; k++) sum -= at(factor, i * n + k) * at(factor, j * n + k);
      if (i !== j) factor[i * n + j] = sum / at(factor, j * n + j);
      else {
        if (!(sum > 1e-14 * Math.abs(at(a, i * n + i)))) return undefined;
        factor[i * n + i] = Math.sqrt(sum);
      }
    }
  }
  return factor;
}

/** Eigenvalues, largest first, and unit eigenvectors of a symmetric matrix, by Jacobi's rotations (Golub & Van Loan § 8.5). */
export function computeEigen(matrix: Matrix, n: number): { value: number; vector: Float64Array }[] {
  const a = Float64Array.from(matrix);
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    let diagonal = 0;
    for (let i = 0; i < n; i++) {
      diagonal += at(a, i * n + i) ** 2;
      for (let j = 0; j < i; j++) off += at(a, i * n + j) ** 2;
    }
    if (off <= 1e-30 * diagonal || off === 0) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, v, n, p, q);
  }
  const pairs = Array.from({ length: n }, (_, k) => ({
    value: at(a, k * n + k),
    vector: Float64Array.from({ length: n }, (_, i) => at(v, i * n + k)),
  }));
  return pairs.sort((one, other) => other.value - one.value);
}

function rotate(a: Matrix, v: Matrix, n: number, p: number, q: number): void {
  const apq = at(a, p * n + q);
  if (apq === 0) return;
  const theta = (at(a, q * n + q) - at(a, p * n + p)) / (2 * apq);
  const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  for (let k = 0; k < n; k++) {
    const kp = at(a, k * n + p);
    const kq = at(a, k * n + q);
    a[k * n + p] = c * kp - s * kq;
    a[k * n + q] = s * kp + c * kq;
  }
  for (let k = 0; k < n; k++) {
    const pk = at(a, p * n + k);
    const qk = at(a, q * n + k);
    a[p * n + k] = c * pk - s * qk;
    a[q * n + k] = s * pk + c * qk;
    const vp = at(v, k * n + p);
    const vq = at(v, k * n + q);
    v[k * n + p] = c * vp - s * vq;
    v[k * n + q] = s * vp + c * vq;
  }
}

function at(values: Float64Array, index: number): number {
  return values[index] ?? 0;
}
