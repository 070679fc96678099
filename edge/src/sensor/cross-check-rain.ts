import type { CrossCheckFinding, Readiness, ReadinessItemName } from '@ngatu/contract';

/** Items of readiness that rain and a dirty lens spoil alike. */
const SPOILT: readonly ReadinessItemName[] = ['focus', 'exposure', 'obstruction'];
/** Rain of this much veils a picture, mm/h. */
const VEILING_RAIN = 2.5;
/** The lens dries so long after the rain, ms. */
const DRYING_MS = 15 * 60_000;

/** Rain as it was measured. */
export interface RainSample {
  readonly atMs: number;
  readonly mmPerHour: number;
}

/**
 * Why a picture is poor. Undefined where nobody knows: no rain was measured within the drying time, or it rained a little.
 * `rain`: the most of that time, mm/h.
 */
export function explainPicture(
  readiness: Pick<Readiness, 'items'>,
  rain: readonly RainSample[],
  nowMs: number,
):
  | { readonly finding: Extract<CrossCheckFinding, 'rain' | 'not-rain' | 'fine'>; readonly rain: number }
  | undefined {
  const recent = rain.filter(({ atMs }) => atMs > nowMs - DRYING_MS && atMs <= nowMs);
  if (recent.length === 0) return undefined;
  const most = recent.reduce((highest, { mmPerHour }) => Math.max(highest, mmPerHour), 0);
  const isPoor = readiness.items.some(({ item, state }) => SPOILT.includes(item) && state === 'failing');
  if (!isPoor) return { finding: 'fine', rain: most };
  if (most >= VEILING_RAIN) return { finding: 'rain', rain: most };
  return most === 0 ? { finding: 'not-rain', rain: 0 } : undefined;
}
