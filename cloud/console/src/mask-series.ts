import { computeWilson, type WilsonInterval } from '@ngatu/contract';
import { fetchCameras, fetchSeries } from './api-client.ts';
import type { ChartGap } from './chart.tsx';
import { listSilence, type SensorPeriod } from './sensor-series.ts';
import { alignLine, listTimes } from './traffic-data.ts';

/** A camera that counted masks. */
export interface MaskCameraName {
  readonly site: string;
  readonly node: string;
  readonly camera: string;
}

export const nameMaskCamera = ({ site, node, camera }: MaskCameraName): string => `${site}/${node}/${camera}`;

type Values = readonly (number | null)[];

/** Counts of one camera over a period; shares are of those who could be judged. */
export interface MaskCourse {
  readonly times: readonly number[];
  /** A step, per cent. */
  readonly share: Values;
  readonly low: Values;
  readonly high: Values;
  readonly gaps: readonly ChartGap[];
  readonly total: { readonly with: number; readonly without: number; readonly uncertain: number };
  /** Of the whole period; absent where nobody could be judged. */
  readonly totalShare?: WilsonInterval;
  /** Part of the windows that reported in which pictures were looked at, 0–1. */
  readonly watched?: number;
}

/** Undefined of nobody. Counts are added up and the share made anew: shares have no mean. */
export function computeShare(hits: number, total: number): WilsonInterval | undefined {
  return total <= 0 ? undefined : computeWilson(hits, total);
}

const writePeriod = ({ fromMs, toMs }: SensorPeriod) => ({
  from: new Date(fromMs).toISOString(),
  to: new Date(toMs).toISOString(),
});

/** Cameras that reported windows of masks in the period. @throws ApiFailure */
export async function fetchMaskCameras(
  period: SensorPeriod,
  signal: AbortSignal,
): Promise<readonly MaskCameraName[]> {
  const { fromMs, toMs } = period;
  const whole = { ...writePeriod(period), stepMs: toMs - fromMs };
  const lines = await fetchSeries({ ...whole, metric: 'maskWatchedShare', aggregate: 'max' }, signal);
  const names = new Set(lines.flatMap(({ camera, points }) => (points.length > 0 ? [camera] : [])));
  if (names.size === 0) return [];
  const { cameras } = await fetchCameras({ fromMs, toMs, buckets: 1, signal });
  return cameras
    .filter(({ camera }) => names.has(camera))
    .map(({ site, node, camera }) => ({ site, node, camera }));
}

/** What one camera counted. @throws ApiFailure */
export async function fetchMaskCourse(
  camera: MaskCameraName,
  period: SensorPeriod,
  signal: AbortSignal,
): Promise<MaskCourse> {
  const { stepMs } = period;
  const place = { site: camera.site, node: camera.node, camera: camera.camera };
  const ask = async (metric: string, aggregate: 'sum' | 'mean') => {
    const lines = await fetchSeries({ ...place, ...writePeriod(period), stepMs, metric, aggregate }, signal);
    return alignLine(lines[0]?.points ?? [], period);
  };
  const [wearing, bare, uncertain, watched] = await Promise.all([
    ask('maskWith', 'sum'),
    ask('maskWithout', 'sum'),
    ask('maskUncertain', 'sum'),
    ask('maskWatchedShare', 'mean'),
  ]);
  return buildMaskCourse({ with: wearing, without: bare, uncertain, watched }, period);
}

/** The figures of a camera from its counts a step. */
export function buildMaskCourse(
  counts: Readonly<Record<'with' | 'without' | 'uncertain' | 'watched', Values>>,
  period: SensorPeriod,
): MaskCourse {
  const shares = counts.with.map((hits, step) => {
    const bare = counts.without[step] ?? null;
    return hits === null && bare === null ? undefined : computeShare(hits ?? 0, (hits ?? 0) + (bare ?? 0));
  });
  const percent = (pick: (share: WilsonInterval) => number): Values =>
    shares.map((share) => (share === undefined ? null : 100 * pick(share)));
  const sum = (values: Values): number => values.reduce<number>((all, value) => all + (value ?? 0), 0);
  const total = { with: sum(counts.with), without: sum(counts.without), uncertain: sum(counts.uncertain) };
  const totalShare = computeShare(total.with, total.with + total.without);
  const looked = counts.watched.filter((value) => value !== null);
  const share = percent(({ value }) => value);
  return {
    ...{ times: listTimes(period), share, total, gaps: listSilence(share, period) },
    ...{ low: percent(({ low }) => low), high: percent(({ high }) => high) },
    ...(totalShare === undefined ? {} : { totalShare }),
    ...(looked.length === 0 ? {} : { watched: sum(looked) / looked.length }),
  };
}
