const Z_95 = 1.959964;

/** A share of a count with its 95 % interval, 0–1 each. */
export interface WilsonInterval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Wilson's score interval (E. B. Wilson, JASA 22, 1927), which holds for few cases too. None of all reaches down to 0 exactly, all of all up to 1.
 * @param total above 0
 */
export function computeWilson(hits: number, total: number): WilsonInterval {
  const value = hits / total;
  const z2 = Z_95 ** 2;
  const centre = (value + z2 / (2 * total)) / (1 + z2 / total);
  const half = (Z_95 / (1 + z2 / total)) * Math.sqrt((value * (1 - value)) / total + z2 / (4 * total ** 2));
  return { value, low: hits === 0 ? 0 : centre - half, high: hits === total ? 1 : centre + half };
}

/** A share of a count with its 95 % interval. */
export interface Proportion extends Partial<WilsonInterval> {
  readonly hits: number;
  readonly total: number;
}

/** Without value and interval where there was nothing to count. */
export function computeProportion(hits: number, total: number): Proportion {
  return total === 0 ? { hits, total } : { hits, total, ...computeWilson(hits, total) };
}
