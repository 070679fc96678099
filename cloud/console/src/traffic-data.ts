import type { CameraOverview, SeriesAnswer } from '../../src/api/api-schema.ts';
import { fetchSeries } from './api-client.ts';
import type { ChartGap, ChartLine } from './chart.tsx';

type Lines = SeriesAnswer['lines'];

/** Whose figures of when; the steps divide the period. */
export interface TrafficRequest {
  readonly camera: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
  /** Count on this tripwire; the first one where it is absent or not there. */
  readonly tripwire?: string;
}

export interface TrafficFigures {
  readonly times: readonly number[];
  readonly tripwires: readonly string[];
  /** Whose counts are shown. */
  readonly tripwire: string | undefined;
  readonly counts: readonly ChartLine[];
  readonly flow: readonly ChartLine[];
  readonly speed: readonly ChartLine[];
  readonly occupancy: readonly ChartLine[];
  readonly queue: readonly ChartLine[];
  readonly turnings: readonly { readonly entry: string; readonly exits: Readonly<Record<string, number>> }[];
}

/** What was counted on a line lies in two metrics: of a traffic zone, and of a line of its own. */
const COUNTS = ['trafficCount', 'lineCrossings'] as const;

/** Middles of the steps, seconds since 1970. */
export function listTimes({
  fromMs,
  toMs,
  stepMs,
}: Pick<TrafficRequest, 'fromMs' | 'toMs' | 'stepMs'>): number[] {
  return Array.from(
    { length: Math.ceil((toMs - fromMs) / stepMs) },
    (_, step) => (fromMs + step * stepMs) / 1_000,
  );
}

/** A value a step, null where the store has none. */
export function alignLine(
  points: Lines[number]['points'],
  { fromMs, toMs, stepMs }: Pick<TrafficRequest, 'fromMs' | 'toMs' | 'stepMs'>,
): (number | null)[] {
  const values: (number | null)[] = Array.from({ length: Math.ceil((toMs - fromMs) / stepMs) }, () => null);
  for (const { at, value } of points) {
    const step = Math.floor((Date.parse(at) - fromMs) / stepMs);
    if (step >= 0 && step < values.length) values[step] = value;
  }
  return values;
}

/** Stretches of which less than half was analysed; next to each other they are one. */
export function listGaps(timeline: CameraOverview['timeline']): ChartGap[] {
  const gaps: ChartGap[] = [];
  for (const { from, to, analysedMs, degradedMs, blindMs, unreportedMs } of timeline) {
    if (analysedMs + degradedMs >= blindMs + unreportedMs) continue;
    const gap = { from: Date.parse(from) / 1_000, to: Date.parse(to) / 1_000 };
    const last = gaps.at(-1);
    if (last !== undefined && gap.from <= last.to) gaps[gaps.length - 1] = { from: last.from, to: gap.to };
    else gaps.push(gap);
  }
  return gaps;
}

/** Asks for all figures of one camera. @throws ApiFailure */
export async function fetchTraffic(request: TrafficRequest, signal: AbortSignal): Promise<TrafficFigures> {
  const { camera, fromMs, toMs, stepMs } = request;
  const period = { camera, from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
  const whole = { ...period, stepMs: toMs - fromMs };
  const ask = (metric: string, aggregate: 'sum' | 'mean' | 'max', groupBy: string, tag: string[] = []) =>
    fetchSeries({ ...period, stepMs, metric, aggregate, groupBy, tag }, signal);
  const draw = (lines: Lines, name: (group: string) => string = (group) => group): ChartLine[] =>
    lines.map(({ group = '', points }) => ({ name: name(group), values: alignLine(points, request) }));

  const [passed, crossed, flow, speed, occupancy, queueMax, queueMean, entries] = await Promise.all([
    ...COUNTS.map((metric) =>
      fetchSeries({ ...whole, metric, aggregate: 'sum', groupBy: 'tripwire' }, signal),
    ),
    ask('flowVehPerHour', 'mean', 'zone'),
    ask('meanSpeedKmh', 'mean', 'zone'),
    ask('occupancyTimeShare', 'mean', 'zone'),
    ask('queueMaxVehicles', 'max', 'zone'),
    ask('queueMeanVehicles', 'mean', 'zone'),
    fetchSeries({ ...whole, metric: 'turningCount', aggregate: 'sum', groupBy: 'entry' }, signal),
  ]);
  const namesOf = (lines: Lines | undefined) =>
    (lines ?? []).map(({ group }) => group).filter((group) => group !== undefined);
  const ofZones = namesOf(passed);
  const tripwires = [...new Set([...ofZones, ...namesOf(crossed)])].sort();
  const tripwire = tripwires.find((name) => name === request.tripwire) ?? tripwires[0];
  const metric = COUNTS[tripwire !== undefined && ofZones.includes(tripwire) ? 0 : 1];
  const counts = tripwire === undefined ? [] : await ask(metric, 'sum', 'label', [`tripwire:${tripwire}`]);
  const turnings = await Promise.all(
    namesOf(entries).map(async (entry) => {
      const tag = [`entry:${entry}`];
      const lines = await fetchSeries(
        { ...whole, metric: 'turningCount', aggregate: 'sum', groupBy: 'exit', tag },
        signal,
      );
      const exits = lines.map(({ group = '', points }) => [
        group,
        points.reduce((sum, { value }) => sum + value, 0),
      ]);
      return { entry, exits: Object.fromEntries(exits) as Record<string, number> };
    }),
  );
  const asPercent = ({ name, values }: ChartLine): ChartLine => ({
    name,
    values: values.map((value) => (value === null ? null : value * 100)),
  });
  return {
    times: listTimes(request),
    tripwires,
    tripwire,
    counts: draw(counts),
    flow: draw(flow ?? []),
    speed: draw(speed ?? []),
    occupancy: draw(occupancy ?? []).map(asPercent),
    queue: [
      ...draw(queueMax ?? [], (zone) => `${zone}|max`),
      ...draw(queueMean ?? [], (zone) => `${zone}|mean`),
    ],
    turnings,
  };
}
