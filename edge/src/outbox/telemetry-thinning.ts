import {
  type CameraInterval,
  computeMetricMerge,
  type Measurement,
  mergeMetricValues,
  type RuleBlindInterval,
  type Telemetry,
} from '@ngatu/contract';

/** Telemetry is thinned to windows of ten minutes, and where that is not enough to hours; then it is dropped, ms. */
export const THIN_WINDOWS_MS = [600_000, 3_600_000] as const;

/** Limits of one telemetry message, from its schema. */
const INTERVALS_MAX = 200;
const MEASUREMENTS_MAX = 500;

/** The instant that a message stands for, ms since 1970; undefined where it tells of none. */
export function findTelemetryTime({ intervals, measurements, readiness }: Telemetry): number | undefined {
  const at = intervals[0]?.from ?? measurements[0]?.at ?? readiness?.at;
  return at === undefined ? undefined : Date.parse(at);
}

/**
 * One camera's messages of one window as one message, or undefined where they do not fit into one. Exact: every millisecond of the ledger
 * with its state and reason, frames and counts. Coarser: gauges become their mean, maxima and quantiles their greatest value, readings of
 * sensors what their quantity asks for, those of different quality apart; of the readiness the newest stays.
 */
export function mergeTelemetry(messages: readonly Telemetry[]): Telemetry | undefined {
  const first = messages[0];
  if (first === undefined) return undefined;
  const { site, node, camera } = first;
  const intervals = mergeIntervals(messages.flatMap((message) => message.intervals));
  const ruleBlind = mergeRuleBlind(messages.flatMap((message) => message.ruleBlindIntervals ?? []));
  const measurements = mergeMeasurements(messages.flatMap((message) => message.measurements));
  const fits =
    intervals.length <= INTERVALS_MAX &&
    ruleBlind.length <= MEASUREMENTS_MAX &&
    measurements.length <= MEASUREMENTS_MAX;
  if (!fits) return undefined;
  const readiness = messages
    .flatMap((message) => (message.readiness === undefined ? [] : [message.readiness]))
    .reduce<Telemetry['readiness']>(
      (newest, next) => (newest !== undefined && newest.at > next.at ? newest : next),
      undefined,
    );
  return {
    schemaVersion: 1,
    site,
    node,
    ...(camera === undefined ? {} : { camera }),
    intervals,
    measurements,
    ...(readiness === undefined ? {} : { readiness }),
    ...(ruleBlind.length === 0 ? {} : { ruleBlindIntervals: ruleBlind }),
  };
}

function mergeIntervals(intervals: readonly CameraInterval[]): CameraInterval[] {
  const merged: CameraInterval[] = [];
  for (const next of [...intervals].sort((a, b) => (a.from < b.from ? -1 : 1))) {
    const last = merged.at(-1);
    const continues = last?.to === next.from && last.state === next.state && last.reason === next.reason;
    if (last === undefined || !continues) {
      merged.push(next);
      continue;
    }
    merged[merged.length - 1] = {
      ...last,
      to: next.to,
      framesDecoded: last.framesDecoded + next.framesDecoded,
      framesAnalysed: last.framesAnalysed + next.framesAnalysed,
      framesDropped: last.framesDropped + next.framesDropped,
    };
  }
  return merged;
}

function mergeRuleBlind(intervals: readonly RuleBlindInterval[]): RuleBlindInterval[] {
  const keyOf = ({ rule, items }: RuleBlindInterval): string => `${rule} ${items.join()}`;
  const merged: RuleBlindInterval[] = [];
  const lastOf = new Map<string, number>();
  for (const next of [...intervals].sort((a, b) => (a.from < b.from ? -1 : 1))) {
    const key = keyOf(next);
    const index = lastOf.get(key);
    const last = index === undefined ? undefined : merged[index];
    if (index !== undefined && last?.to === next.from) {
      merged[index] = { ...last, to: next.to };
      continue;
    }
    lastOf.set(key, merged.length);
    merged.push(next);
  }
  return merged;
}

function mergeMeasurements(measurements: readonly Measurement[]): Measurement[] {
  const groups = new Map<string, { first: Measurement; values: number[] }>();
  for (const measurement of measurements) {
    const tags = Object.entries(measurement.tags ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    const { metric, unit, quality } = measurement;
    const key = JSON.stringify([metric, unit, quality, tags]);
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, { first: measurement, values: [measurement.value] });
      continue;
    }
    group.values.push(measurement.value);
    if (measurement.at < group.first.at) group.first = measurement;
  }
  return [...groups.values()].map(({ first, values }) => ({
    ...first,
    value: mergeMetricValues(computeMetricMerge(first.metric), values),
  }));
}
