/** A measured value at a time. */
export interface Sample {
  readonly minutes: number;
  readonly value: number;
}

/** A line through samples. */
export interface Slope {
  /** Change of the value a minute. */
  readonly perMinute: number;
  /** Half of the 95 % interval of `perMinute`. */
  readonly marginPerMinute: number;
  readonly samples: number;
  /** As many independent samples would tell as much. */
  readonly effectiveSamples: number;
}

/** Fewer cannot tell a line from noise. */
const LEAST_SAMPLES = 10;
/** However much neighbours resemble each other: two points for the line and one to judge it by. */
const LEAST_EFFECTIVE = 3;
/** 97.5 % quantile of the normal distribution. */
const Z = 1.959964;

/**
 * Fits a line by least squares. Memory wanders: one sample resembles the next, and the textbook interval would be far too
 * narrow. The number of samples is therefore reduced by the lag-1 autocorrelation of the residuals, n (1 − r) / (1 + r)
 * (Santer et al. 2000, J. Geophys. Res. 105, eq. 6). Samples must be evenly spaced and in order.
 * @throws RangeError below 10 samples, or where all are of one time
 */
export function fitSlope(samples: readonly Sample[]): Slope {
  const n = samples.length;
  if (n < LEAST_SAMPLES)
    throw new RangeError(`${n} samples are too few for a line: ${LEAST_SAMPLES} are needed`);
  const meanTime = samples.reduce((sum, { minutes }) => sum + minutes, 0) / n;
  const meanValue = samples.reduce((sum, { value }) => sum + value, 0) / n;
  let spread = 0;
  let covariance = 0;
  for (const { minutes, value } of samples) {
    spread += (minutes - meanTime) ** 2;
    covariance += (minutes - meanTime) * (value - meanValue);
  }
  if (spread === 0) throw new RangeError('samples of one time make no line');
  const perMinute = covariance / spread;
  const residuals = samples.map(({ minutes, value }) => value - meanValue - perMinute * (minutes - meanTime));
  const squares = residuals.reduce((sum, residual) => sum + residual ** 2, 0);
  const effectiveSamples = countEffective(residuals, squares);
  const freedom = effectiveSamples - 2;
  const standardError = Math.sqrt(squares / freedom / spread);
  return {
    perMinute,
    marginPerMinute: computeStudentQuantile(freedom) * standardError,
    samples: n,
    effectiveSamples,
  };
}

function countEffective(residuals: readonly number[], squares: number): number {
  if (squares === 0) return residuals.length;
  const lagged = residuals
    .slice(1)
    .reduce((sum, residual, index) => sum + residual * (residuals[index] ?? 0), 0);
  const correlation = Math.min(0.999, Math.max(0, lagged / squares));
  return Math.max(LEAST_EFFECTIVE, (residuals.length * (1 - correlation)) / (1 + correlation));
}

/** 97.5 % quantile of Student's t (Abramowitz & Stegun 26.7.5); exact at one degree of freedom, below 1 % off from 3 on. */
export function computeStudentQuantile(freedom: number): number {
  if (freedom <= 1) return 12.706;
  if (freedom < 3) return 4.303;
  const g1 = (Z ** 3 + Z) / 4;
  const g2 = (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / 96;
  const g3 = (3 * Z ** 7 + 19 * Z ** 5 + 17 * Z ** 3 - 15 * Z) / 384;
  const g4 = (79 * Z ** 9 + 776 * Z ** 7 + 1482 * Z ** 5 - 1920 * Z ** 3 - 945 * Z) / 92_160;
  return Z + g1 / freedom + g2 / freedom ** 2 + g3 / freedom ** 3 + g4 / freedom ** 4;
}
