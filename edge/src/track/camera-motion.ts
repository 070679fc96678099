import type { Point } from '../geometry/box.ts';

/** Fewer road users say nothing about the camera. */
const MIN_WITNESSES = 5;
/** The common motion is believed where it is more than this many times the median deviation from it. */
const MIN_AGREEMENT = 2;

/**
 * What the whole picture moved by beyond what was predicted, px: the median of the residuals (found − predicted) of the
 * road users, axis by axis, 0 on an axis on which they do not agree. A camera on a pole sways, one on a vehicle turns.
 */
export function computeCameraMotion(residuals: readonly Point[]): Point {
  if (residuals.length < MIN_WITNESSES) return [0, 0];
  return [computeCommon(residuals.map(([x]) => x)), computeCommon(residuals.map(([, y]) => y))];
}

function computeCommon(values: readonly number[]): number {
  const common = computeMedian(values);
  const deviation = computeMedian(values.map((value) => Math.abs(value - common)));
  return Math.abs(common) > MIN_AGREEMENT * deviation ? common : 0;
}

function computeMedian(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
