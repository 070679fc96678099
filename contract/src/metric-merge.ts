/** How several values of one metric become one for a longer stretch of time. */
export type MetricMerge = 'sum' | 'max' | 'mean';

const SUMMED = new Set([
  'bytesSent',
  'framesDropped',
  'lineCount',
  'lineCrossings',
  'messagesSent',
  'outboxDropped',
  'signalMessages',
  'trafficCount',
  'trafficFiguresDropped',
  'turningCount',
]);

/** Counts are summed, maxima and high quantiles keep their greatest value, everything else is averaged. */
export function computeMetricMerge(metric: string): MetricMerge {
  if (SUMMED.has(metric)) return 'sum';
  return /Max|P9\d$/.test(metric) ? 'max' : 'mean';
}
