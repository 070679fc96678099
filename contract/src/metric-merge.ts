import { SENSOR_QUANTITIES } from './sensor-quantity.ts';

/**
 * How several values of one metric become one for a longer stretch of time. `level`: decibels, by the energy behind them; `angle`: degrees,
 * by the mean vector.
 */
export type MetricMerge = 'sum' | 'max' | 'min' | 'mean' | 'level' | 'angle';

const SUMMED = new Set([
  'bytesSent',
  'framesDropped',
  'framesJudged',
  'lineCount',
  'lineCrossings',
  'maskDoubts',
  'maskUncertain',
  'maskWith',
  'maskWithout',
  'messagesSent',
  'outboxDropped',
  'sensorFaults',
  'sensorMeasurementsDropped',
  'sensorReadings',
  'signalMessages',
  'trafficCount',
  'trafficFiguresDropped',
  'turningCount',
]);

/**
 * Counts are summed, maxima and high quantiles keep their greatest value, minima their least; readings of sensors go by their quantity;
 * everything else is averaged.
 */
export function computeMetricMerge(metric: string): MetricMerge {
  if (SUMMED.has(metric)) return 'sum';
  if (/Max|P9\d$/.test(metric)) return 'max';
  if (/Min$/.test(metric)) return 'min';
  const manner = Object.hasOwn(SENSOR_QUANTITIES, metric) ? SENSOR_QUANTITIES[metric]?.manner : undefined;
  if (manner === 'sum' || manner === 'level' || manner === 'angle') return manner;
  return 'mean';
}

/**
 * Several values of one metric as one, in the manner of `computeMetricMerge`. `weights` are how much each stands for (readings, or time);
 * all the same where absent. A sum, a maximum and a minimum know no weights.
 * @throws RangeError where there is none
 */
export function mergeMetricValues(
  manner: MetricMerge,
  values: readonly number[],
  weights?: readonly number[],
): number {
  const first = values[0];
  if (first === undefined) throw new RangeError('no values to merge');
  if (manner === 'max') return values.reduce((most, value) => Math.max(most, value), first);
  if (manner === 'min') return values.reduce((least, value) => Math.min(least, value), first);
  if (manner === 'sum') return values.reduce((total, value) => total + value, 0);
  let weight = 0;
  let total = 0;
  let across = 0;
  for (const [index, value] of values.entries()) {
    const share = weights?.[index] ?? 1;
    weight += share;
    if (manner === 'angle') {
      const radians = (value * Math.PI) / 180;
      total += share * Math.cos(radians);
      across += share * Math.sin(radians);
    } else total += share * (manner === 'level' ? 10 ** (value / 10) : value);
  }
  if (manner === 'angle') return ((Math.atan2(across, total) * 180) / Math.PI + 360) % 360;
  const mean = total / weight;
  return manner === 'level' ? 10 * Math.log10(mean) : mean;
}
