/** A share with its 95 % interval. */
export interface Proportion {
  readonly hits: number;
  readonly total: number;
  /** Absent where there was nothing to count. */
  readonly value?: number;
  readonly low?: number;
  readonly high?: number;
}

const Z_95 = 1.959964;

/** Wilson score interval (E. B. Wilson, JASA 22, 1927), which holds for few cases too. */
export function computeProportion(hits: number, total: number): Proportion {
  if (total === 0) return { hits, total };
  const share = hits / total;
  const z2 = Z_95 ** 2;
  const centre = (share + z2 / (2 * total)) / (1 + z2 / total);
  const half = (Z_95 / (1 + z2 / total)) * Math.sqrt((share * (1 - share)) / total + z2 / (4 * total ** 2));
  return { hits, total, value: share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/** `0.75 [0.30–0.95] (3/4)`; a dash where nothing was counted. */
export function formatProportion({ hits, total, value, low, high }: Proportion): string {
  if (value === undefined || low === undefined || high === undefined) return `– (0/${total})`;
  return `${value.toFixed(3)} [${low.toFixed(2)}–${high.toFixed(2)}] (${hits}/${total})`;
}
