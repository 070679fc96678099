import { computeWilson } from '@ngatu/contract';

/** A share with its 95 % interval. */
export interface Proportion {
  readonly hits: number;
  readonly total: number;
  /** Absent where there was nothing to count. */
  readonly value?: number;
  readonly low?: number;
  readonly high?: number;
}

/** Wilson score interval (E. B. Wilson, JASA 22, 1927), which holds for few cases too. */
export function computeProportion(hits: number, total: number): Proportion {
  if (total === 0) return { hits, total };
  return { hits, total, ...computeWilson(hits, total) };
}

/** `0.75 [0.30–0.95] (3/4)`; a dash where nothing was counted. */
export function formatProportion({ hits, total, value, low, high }: Proportion): string {
  if (value === undefined || low === undefined || high === undefined) return `– (0/${total})`;
  return `${value.toFixed(3)} [${low.toFixed(2)}–${high.toFixed(2)}] (${hits}/${total})`;
}
