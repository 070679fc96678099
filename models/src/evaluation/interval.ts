import type { Proportion } from '@ngatu/contract';

export { computeProportion, type Proportion } from '@ngatu/contract';

/** `0.75 [0.30–0.95] (3/4)`; a dash where nothing was counted. */
export function formatProportion({ hits, total, value, low, high }: Proportion): string {
  if (value === undefined || low === undefined || high === undefined) return `– (0/${total})`;
  return `${value.toFixed(3)} [${low.toFixed(2)}–${high.toFixed(2)}] (${hits}/${total})`;
}
