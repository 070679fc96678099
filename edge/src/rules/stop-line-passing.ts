import type { StopLineSight } from './stop-line-gauge.ts';

/** Between two sights around the line at most this long, ms: a longer gap may join two road users. */
export const MAX_GAP_MS = 700;

/** The instant at which an end of a road user passed the line, with its bounds; media time, ms. */
export interface Passing {
  /** The first sight with the end at or beyond the line. */
  readonly index: number;
  readonly atMs: number;
  /** Before this it was surely before the line, by its error. */
  readonly earliestMs: number;
  /** After this it was surely beyond. */
  readonly latestMs: number;
}

type End = 'front' | 'rear';

/**
 * When an end passed the line: between the last sight before it and the first beyond, in proportion. The bounds are the
 * instants at which it passed one standard error before and behind the line.
 * @param index the first sight with the end at or beyond the line; the one before it lies before the line
 */
export function computePassing(sights: readonly StopLineSight[], end: End, index: number): Passing {
  const atMs = interpolate(sights, index, (sight) => sight.position[end]);
  const error = (sight: StopLineSight): number =>
    sight.position[end === 'front' ? 'frontError' : 'rearError'];
  const early = (sight: StopLineSight): number => sight.position[end] + error(sight);
  const late = (sight: StopLineSight): number => sight.position[end] - error(sight);
  let from = index;
  while (from > 0 && early(sights[from - 1] as StopLineSight) >= 0) from -= 1;
  let to = index;
  while (to < sights.length - 1 && late(sights[to] as StopLineSight) < 0) to += 1;
  return {
    index,
    atMs,
    earliestMs: Math.min(atMs, from === 0 ? timeOf(sights, 0) : interpolate(sights, from, early)),
    latestMs: Math.max(atMs, interpolate(sights, to, late)),
  };
}

/** The last sight up to `until` in which the end came from before the line to or beyond it; undefined where it never did. */
export function findLastPassing(
  sights: readonly StopLineSight[],
  end: End,
  until: number,
): number | undefined {
  for (let i = Math.min(until, sights.length - 1); i > 0; i--) {
    const [before, here] = [sights[i - 1]?.position[end] ?? 0, sights[i]?.position[end] ?? 0];
    if (before < 0 && here >= 0) return i;
  }
  return undefined;
}

/** True where no two neighbouring sights lie further apart than a track may be trusted over. */
export function isUnbroken(sights: readonly StopLineSight[]): boolean {
  return sights.every((_, i) => i === 0 || timeOf(sights, i) - timeOf(sights, i - 1) <= MAX_GAP_MS);
}

export function timeOf(sights: readonly StopLineSight[], index: number): number {
  return sights[index]?.observation.frame.mediaTimeMs ?? 0;
}

/** Where a value of two neighbouring sights came through 0, ms; the later sight where it did not. */
function interpolate(
  sights: readonly StopLineSight[],
  index: number,
  value: (sight: StopLineSight) => number,
): number {
  const [before, here] = [sights[index - 1], sights[index]];
  const toMs = timeOf(sights, index);
  if (before === undefined || here === undefined) return toMs;
  const fromMs = timeOf(sights, index - 1);
  const [a, b] = [value(before), value(here)];
  if (a >= 0 || b <= a) return toMs;
  return fromMs + Math.min(1, -a / (b - a)) * (toMs - fromMs);
}
