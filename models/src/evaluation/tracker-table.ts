import type { MotMetrics } from './mot-metrics.ts';
import type { SequenceOutcome, TrackerMetrics } from './tracker-evaluation.ts';

const COLUMNS = ['MOTA', 'IDF1', 'HOTA', 'DetA', 'AssA'].map((name) => name.padStart(6)).join(' ');
const COUNTS = ['IDSW', 'Frag', 'FP', 'FN', 'boxes', 'ids'].map((name) => name.padStart(6)).join(' ');

/** The table that `ngatu eval tracker` prints; `byClass` adds rows below it. */
export function formatTrackerTable(
  metrics: TrackerMetrics,
  byClass: readonly SequenceOutcome[] = [],
): string {
  const names = [...metrics.sequences, ...byClass].map(({ name }) => name.length);
  const width = Math.max(8, ...names) + 2;
  const line = (name: string, values: MotMetrics, framesPerSecond?: number): string =>
    `${name.padEnd(width)}${formatShares(values)} ${formatCounts(values)}${framesPerSecond === undefined ? '' : String(framesPerSecond).padStart(10)}`;
  const isTimed = metrics.sequences.some(({ framesPerSecond }) => framesPerSecond !== undefined);
  return [
    `${'sequence'.padEnd(width)}${COLUMNS} ${COUNTS}${isTimed ? '  frames/s' : ''}`,
    ...metrics.sequences.map((sequence) => line(sequence.name, sequence, sequence.framesPerSecond)),
    ...(metrics.sequences.length > 1
      ? [`${'mean'.padEnd(width)}${formatShares(metrics.mean)}`, line('pooled', metrics.pooled)]
      : []),
    ...byClass.map(({ name, metrics: values }) => line(name, values)),
    ...metrics.sequences.flatMap(({ remarks }) => remarks),
  ].join('\n');
}

function formatShares({ mota, idf1, hota, deta, assa }: TrackerMetrics['mean']): string {
  return [mota, idf1, hota, deta, assa]
    .map((value) => (value === undefined ? '–' : value.toFixed(1)).padStart(6))
    .join(' ');
}

function formatCounts(metrics: MotMetrics): string {
  const { switches, fragments, falsePositives, misses, truth, truthIds } = metrics;
  return [switches, fragments, falsePositives, misses, truth, truthIds]
    .map((value) => String(value).padStart(6))
    .join(' ');
}
