/** Value below which the share `quantile` (0–1) of the numbers lies, linear between neighbours; undefined for none. NaN is left out. */
export function computeQuantile(values: Iterable<number>, quantile: number): number | undefined {
  const sorted = Float64Array.from(values)
    .filter((value) => !Number.isNaN(value))
    .sort();
  const place = (sorted.length - 1) * quantile;
  const low = sorted[Math.floor(place)];
  const high = sorted[Math.ceil(place)];
  return low === undefined || high === undefined
    ? undefined
    : low + (high - low) * (place - Math.floor(place));
}

export function computeMedian(values: Iterable<number>): number | undefined {
  return computeQuantile(values, 0.5);
}

/** A Gaussian's standard deviation is this many median absolute deviations. */
const GAUSSIAN_MAD = 1.4826;

/** Standard deviation as the median absolute deviation gives it, which a few outliers do not move; undefined for none. */
export function computeRobustSpread(values: readonly number[]): number | undefined {
  const median = computeMedian(values);
  if (median === undefined) return undefined;
  return GAUSSIAN_MAD * (computeMedian(values.map((value) => Math.abs(value - median))) ?? 0);
}

export function computeMean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation of a sample; undefined for fewer than two. */
export function computeDeviation(values: readonly number[]): number | undefined {
  const mean = computeMean(values);
  if (mean === undefined || values.length < 2) return undefined;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
