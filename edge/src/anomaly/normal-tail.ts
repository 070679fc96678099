/**
 * −log10 of the chance that a normal value lies at least `deviations` standard deviations above its mean (Zelen & Severo in Abramowitz
 * & Stegun 26.2.17; from 5 deviations on the first term of the asymptotic series 26.2.12, wrong by less than 4 %).
 */
export function computeNormalRarity(deviations: number): number {
  const z = Math.abs(deviations);
  if (z >= 5) return (z * z) / 2 / Math.LN10 + Math.log10(z * Math.sqrt(2 * Math.PI));
  const t = 1 / (1 + 0.231_641_9 * z);
  const series =
    t *
    (0.319_381_53 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
  return -Math.log10((Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series);
}
