import { fillDefaults, SENSOR_QUANTITIES, SensorReading } from '@ngatu/contract';
import { computeReadingRule, ReadingCheck, type Sample } from '@ngatu/edge';
import { computeProportion, formatProportion } from '@ngatu/models';
import {
  type FaultedSeries,
  type InjectedFault,
  SENSOR_FAULTS,
  type SensorFaultKind,
  type SimulatedReading,
} from '@ngatu/simulators';
import { formatColumns } from './text-columns.ts';

/** How the faults of one kind were found. */
export interface FaultScore {
  readonly kind: SensorFaultKind;
  readonly injected: number;
  readonly found: number;
  /** From the first reading of a fault that was found to the first one that was not believed, ms, median; absent where none was found. */
  readonly delayMs?: number;
}

/** What the checks of the node made of one series. */
export interface SeriesScore {
  readonly name: string;
  readonly days: number;
  readonly faults: readonly FaultScore[];
  /** Readings that were not believed although nothing was wrong, in rows without a break. */
  readonly falseAlarms: number;
  /** Sound readings, and how many of them were not believed. */
  readonly soundReadings: number;
  readonly refusedReadings: number;
  /** Readings that a fault had changed, and how many of them were told as good. */
  readonly spoiltReadings: number;
  readonly believedSpoilt: number;
}

const DAY_MS = 86_400_000;
/** After a fault the checks may need so many readings to believe again. */
const RECOVERY_READINGS = 8;
const START_MS = Date.UTC(2026, 0, 5);

/** Runs a series with faults through the very checks that the agent runs, in simulated time. */
export function scoreSeries(series: FaultedSeries): SeriesScore {
  const alarms = judgeSeries(series);
  const owner = new Array<InjectedFault | undefined>(series.values.length).fill(undefined);
  const isAfter = new Array<boolean>(series.values.length).fill(false);
  for (const fault of series.faults) {
    owner.fill(fault, fault.from, fault.to);
    isAfter.fill(true, fault.to, fault.to + RECOVERY_READINGS);
  }
  const firstAlarm = new Map<InjectedFault, number>();
  let [falseAlarms, sound, refused, spoilt, believed] = [0, 0, 0, 0, 0];
  let wasFalse = false;
  for (const [index, isAlarm] of alarms.entries()) {
    const fault = owner[index];
    if (fault !== undefined && isAlarm && !firstAlarm.has(fault)) firstAlarm.set(fault, index);
    const isQuiet = fault === undefined && isAfter[index] !== true;
    if (isQuiet) {
      sound += 1;
      if (isAlarm) refused += 1;
      if (isAlarm && !wasFalse) falseAlarms += 1;
    }
    wasFalse = isQuiet && isAlarm;
    if (fault !== undefined && series.readings[index]?.value !== undefined) {
      spoilt += 1;
      if (!isAlarm) believed += 1;
    }
  }
  return {
    name: series.name,
    days: (series.values.length * series.intervalMs) / DAY_MS,
    faults: SENSOR_FAULTS.map((kind) => scoreKind(kind, series, firstAlarm)),
    falseAlarms,
    soundReadings: sound,
    refusedReadings: refused,
    spoiltReadings: spoilt,
    believedSpoilt: believed,
  };
}

function scoreKind(
  kind: SensorFaultKind,
  { faults, intervalMs }: FaultedSeries,
  firstAlarm: ReadonlyMap<InjectedFault, number>,
): FaultScore {
  const own = faults.filter((fault) => fault.kind === kind);
  const delays = own
    .flatMap((fault) => {
      const index = firstAlarm.get(fault);
      return index === undefined ? [] : [(index - fault.from) * intervalMs];
    })
    .sort((a, b) => a - b);
  const delayMs = delays[Math.floor(delays.length / 2)];
  return {
    kind,
    injected: own.length,
    found: delays.length,
    ...(delayMs === undefined ? {} : { delayMs }),
  };
}

/** Whether each reading of the series was not believed, or missed. */
function judgeSeries({ metric, intervalMs, readings }: FaultedSeries): boolean[] {
  const reading = fillDefaults(SensorReading, {
    metric,
    unit: SENSOR_QUANTITIES[metric]?.unit ?? '1',
    from: { kind: 'json' },
  }) as SensorReading;
  const rule = computeReadingRule(reading, { intervalMs, maxClockErrorMs: 30_000 });
  const check = new ReadingCheck(rule, START_MS);
  return readings.map((simulated, index) => {
    const atMs = START_MS + (index + 1) * intervalMs;
    const sample = toSample(simulated, atMs);
    const judged = sample === undefined ? undefined : check.judge(sample, atMs);
    return check.countMissed(atMs) > 0 || judged?.fault !== undefined;
  });
}

function toSample({ value, silence, clockErrorMs }: SimulatedReading, atMs: number): Sample | undefined {
  if (silence === 'gap') return undefined;
  if (silence === 'half-open') return { fault: 'unreachable', reason: 'no answer' };
  if (silence === 'exception') return { fault: 'exception', reason: 'code 4' };
  return { raw: value ?? Number.NaN, deviceAtMs: atMs + clockErrorMs };
}

/** The figures of several series as a table. */
export function formatSensorTrial(scores: readonly SeriesScore[]): string {
  const head = ['series', 'days', ...SENSOR_FAULTS, 'false alarms/day', 'sound refused'];
  const rows = scores.map((score) => [
    score.name,
    score.days.toFixed(1),
    ...score.faults.map(({ found, injected }) => (injected === 0 ? '–' : `${found}/${injected}`)),
    (score.falseAlarms / score.days).toFixed(2),
    `${((100 * score.refusedReadings) / Math.max(1, score.soundReadings)).toFixed(3)} %`,
  ]);
  const total = SENSOR_FAULTS.map((kind) => {
    const all = scores.flatMap(({ faults }) => faults.filter((fault) => fault.kind === kind));
    const [found, injected] = [sum(all.map((fault) => fault.found)), sum(all.map((fault) => fault.injected))];
    return injected === 0 ? '–' : `${found}/${injected}`;
  });
  const days = sum(scores.map((score) => score.days));
  const refused = sum(scores.map(({ refusedReadings }) => refusedReadings));
  const sound = sum(scores.map(({ soundReadings }) => soundReadings));
  rows.push([
    'all',
    days.toFixed(1),
    ...total,
    (sum(scores.map(({ falseAlarms }) => falseAlarms)) / days).toFixed(2),
    `${((100 * refused) / Math.max(1, sound)).toFixed(3)} %`,
  ]);
  const events = sum(scores.map(({ falseAlarms }) => falseAlarms));
  const kinds = SENSOR_FAULTS.map((kind) => {
    const all = scores.flatMap(({ faults }) => faults.filter((fault) => fault.kind === kind));
    const [found, injected] = [sum(all.map((fault) => fault.found)), sum(all.map((fault) => fault.injected))];
    return [kind, formatProportion(computeProportion(found, injected)), formatDelay(scores, kind)];
  });
  return [
    formatColumns([head, ...rows]),
    '',
    formatColumns([['fault', 'found, 95 % interval', 'median delay'], ...kinds]),
    '',
    `${events} false alarms in ${days.toFixed(1)} days of sensors`,
  ].join('\n');
}

function formatDelay(scores: readonly SeriesScore[], kind: SensorFaultKind): string {
  const delays = scores
    .flatMap(({ faults }) => faults.flatMap((fault) => (fault.kind === kind ? (fault.delayMs ?? []) : [])))
    .sort((a, b) => a - b);
  const middle = delays[Math.floor(delays.length / 2)];
  if (middle === undefined) return '–';
  return middle < 3_600_000 ? `${(middle / 60_000).toFixed(1)} min` : `${(middle / 3_600_000).toFixed(1)} h`;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
