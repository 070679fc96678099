import { NgatuError } from '@ngatu/contract';
import { computeUsualBody, estimateSpeed, GroundPlane } from '@ngatu/edge';
import { computeProportion, formatProportion, type Proportion } from './interval.ts';
import { drawSpeedCase, type SpeedCase } from './speed-simulation.ts';

export interface SpeedEvaluationOptions {
  readonly cases: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** How good the speeds of a group of passages are. */
export interface SpeedGroup {
  readonly group: string;
  /** True speeds inside the 95 % interval. */
  readonly coverage: Proportion;
  /** Lower bounds above the true speed: where a limit between the two would have been a wrong flag. */
  readonly aboveTruth: Proportion;
  readonly medianErrorKmh: number;
  readonly p95ErrorKmh: number;
  /** Half of the interval's width, median, km/h. */
  readonly boundKmh: number;
  /** Mean of the error as a share of the true speed. */
  readonly meanErrorShare: number;
}

export interface SpeedMetrics {
  readonly passages: number;
  /** Passages without a measurement: calibration refused, or no track. */
  readonly abstained: Proportion;
  readonly groups: readonly SpeedGroup[];
}

interface Measured extends SpeedCase {
  readonly errorKmh: number;
  readonly lowKmh: number;
  readonly highKmh: number;
}

const DISTANCES = [8, 15, 25, 40, 60] as const;
const ANGLES = [10, 20, 35, 60] as const;
const FRAME_RATES = [6, 10, 15, 30] as const;
const LABELS = ['motorbike', 'car', 'truck', 'bus'] as const;
/** Draws in a row that give no passage in sight before it is given up. */
const MAX_DRAWS = 10_000;

/** Measures simulated passages whose truth is exact, with calibrations that were fitted from jittered points. */
export function evaluateSpeed({ cases, random }: SpeedEvaluationOptions): SpeedMetrics {
  const measured: Measured[] = [];
  let abstained = 0;
  for (let count = 0; count < cases; count++) {
    const passage = drawInSight(random);
    const estimate = measure(passage);
    if (estimate === undefined) abstained += 1;
    else measured.push({ ...passage, ...estimate });
  }
  const between = (name: string, unit: string, limits: readonly number[], pick: (one: Measured) => number) =>
    limits.slice(1).map((high, index) => {
      const low = limits[index] ?? 0;
      const inside = measured.filter((one) => pick(one) >= low && pick(one) < high);
      return summarize(`${name} ${low}–${high} ${unit}`, inside);
    });
  return {
    passages: cases,
    abstained: computeProportion(abstained, cases),
    groups: [
      summarize('all', measured),
      ...between('distance', 'm', DISTANCES, ({ distanceM }) => distanceM),
      ...between('angle', '°', ANGLES, ({ depressionDeg }) => depressionDeg),
      ...FRAME_RATES.map((fps) =>
        summarize(
          `${fps} fps`,
          measured.filter((one) => one.fps === fps),
        ),
      ),
      ...LABELS.map((label) =>
        summarize(
          label,
          measured.filter((one) => one.label === label),
        ),
      ),
    ],
  };
}

/** A Markdown table, as it stands in the documentation. */
export function formatSpeedTable({ passages, abstained, groups }: SpeedMetrics): string {
  const rows = groups.map((group) => [
    group.group,
    formatProportion(group.coverage),
    formatProportion(group.aboveTruth),
    group.medianErrorKmh.toFixed(1),
    group.p95ErrorKmh.toFixed(1),
    `± ${group.boundKmh.toFixed(1)}`,
    `${(100 * group.meanErrorShare).toFixed(1)} %`,
  ]);
  return [
    `${passages} simulated passages, without a measurement: ${formatProportion(abstained)}`,
    '',
    '| passages | truth inside the 95 % interval | lower bound above truth | median error, km/h | 95 % below, km/h | interval, km/h | mean error |',
    '|---|---|---|---:|---:|---:|---:|',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ].join('\n');
}

function drawInSight(random: () => number): SpeedCase {
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    const passage = drawSpeedCase(random);
    if (passage !== undefined) return passage;
  }
  throw new RangeError(`no passage in sight in ${MAX_DRAWS} draws`);
}

function measure(passage: SpeedCase): Pick<Measured, 'errorKmh' | 'lowKmh' | 'highKmh'> | undefined {
  if (passage.label === 'person') return undefined;
  const plane = openPlane(passage);
  if (plane === undefined) return undefined;
  const samples = passage.sights.map(({ timeMs, box }) => ({
    timeMs,
    point: [(box[0] + box[2]) / 2, box[3]] as const,
    boxHeight: box[3] - box[1],
  }));
  const body = { ...computeUsualBody(passage.label), depressionDeg: passage.depressionDeg };
  const estimate = estimateSpeed(plane, samples, body);
  if (estimate === undefined) return undefined;
  const { speedKmh, lowKmh, highKmh } = estimate;
  return { errorKmh: speedKmh - passage.trueKmh, lowKmh, highKmh };
}

/** Marked points that jitter into a contradiction are refused, as an operator's would be. */
function openPlane({ calibration }: SpeedCase): GroundPlane | undefined {
  try {
    return GroundPlane.fromCalibration(calibration);
  } catch (error) {
    if (error instanceof NgatuError && error.code === 'CALIBRATION_INVALID') return undefined;
    throw error;
  }
}

function summarize(group: string, passages: readonly Measured[]): SpeedGroup {
  const errors = passages.map(({ errorKmh }) => Math.abs(errorKmh));
  const inside = passages.filter(({ trueKmh, lowKmh, highKmh }) => lowKmh <= trueKmh && trueKmh <= highKmh);
  const above = passages.filter(({ trueKmh, lowKmh }) => lowKmh > trueKmh);
  const shares = passages.map(({ errorKmh, trueKmh }) => errorKmh / trueKmh);
  return {
    group,
    coverage: computeProportion(inside.length, passages.length),
    aboveTruth: computeProportion(above.length, passages.length),
    medianErrorKmh: computeQuantile(errors, 0.5),
    p95ErrorKmh: computeQuantile(errors, 0.95),
    boundKmh: computeQuantile(
      passages.map(({ lowKmh, highKmh }) => (highKmh - lowKmh) / 2),
      0.5,
    ),
    meanErrorShare: shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length),
  };
}

function computeQuantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
