import { AnomalyEpisode, openTfjsEngine, SeriesDetector } from '@ngatu/edge';
import { rateByThreshold, rateByWindow } from './anomaly-baseline.ts';
import { generateSeries } from './anomaly-generation.ts';
import { computeProportion, formatProportion, type Proportion } from './interval.ts';
import { type LabelledSeries, loadNabFolder } from './nab-folder.ts';
import { type NabOutcome, optimizeNabThreshold, scoreNab } from './nab-score.ts';

/** Every detector begins from this seed: its figures can be repeated. */
const SEED = 1;
/** Learning takes its steps in bundles, as on a node. */
const STEPS_TOGETHER = 3;

/**
 * Thresholds chosen in advance, by one rule for all: on the generated series of seeds 2000 to 2029 the highest threshold whose score lies
 * within one standard error (bootstrap over the series) of the best one's (Breiman et al. 1984), as a false alarm costs an operator more
 * than NAB says. The unit is each detector's own: evidence, powers of ten, standard deviations.
 */
const CHOSEN_THRESHOLDS: Readonly<Record<string, number>> = {
  learned: 6.1,
  'windowed Gaussian': 8.9,
  'plain threshold': 9.3,
  'windowed Gaussian, by episode': 2.8,
  'plain threshold, by episode': 7.8,
};

export interface AnomalyMetrics {
  readonly detector: string;
  readonly series: number;
  readonly rows: number;
  /** With the threshold chosen in advance. */
  readonly chosen: NabOutcome & { readonly threshold: number; readonly found: Proportion };
  /** With the threshold that is best on these very series: NAB's own practice. */
  readonly optimized: NabOutcome & { readonly threshold: number; readonly found: Proportion };
  /** Score of each series with the threshold chosen in advance. */
  readonly bySeries: readonly { readonly name: string; readonly score: number }[];
}

export interface AnomalyPrediction {
  readonly series: string;
  /** ms; with the detector's evidence, 0–14, where it speaks. */
  readonly spoken: readonly { readonly at: string; readonly value: number; readonly evidence: number }[];
}

export interface AnomalyEvaluation {
  readonly metrics: readonly AnomalyMetrics[];
  readonly predictions: readonly AnomalyPrediction[];
}

/**
 * Judges the anomaly detector of the node and two baselines on the series of a folder, by NAB's scoring (docs/evaluation.md).
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID; the signal's reason
 */
export async function evaluateAnomalies(folder: string, signal: AbortSignal): Promise<AnomalyEvaluation> {
  return evaluateSeries(await loadNabFolder(folder), signal);
}

/** The same on `count` generated series from `seed` on. */
export function evaluateGeneratedAnomalies(
  { count, seed }: { count: number; seed: number },
  signal: AbortSignal,
): Promise<AnomalyEvaluation> {
  return evaluateSeries(
    Array.from({ length: count }, (_, index) => generateSeries(seed + index)),
    signal,
  );
}

async function evaluateSeries(
  series: readonly LabelledSeries[],
  signal: AbortSignal,
): Promise<AnomalyEvaluation> {
  const learned: Float64Array[] = [];
  for (const each of series) learned.push(await rateByLearning(each, signal));
  const byWindow = series.map(({ values }) => rateByWindow(values));
  const byThreshold = series.map(({ values }) => rateByThreshold(values));
  const metrics = [
    measure('learned', series, learned),
    measure('windowed Gaussian', series, byWindow),
    measure('plain threshold', series, byThreshold),
    measure('windowed Gaussian, by episode', series, byWindow.map(keepBeginnings)),
    measure('plain threshold, by episode', series, byThreshold.map(keepBeginnings)),
  ];
  const predictions = series.map(({ name, atMs, values }, index): AnomalyPrediction => {
    const spoken = [...(learned[index] ?? [])].flatMap((evidence, row) => {
      const at = new Date(atMs[row] ?? 0).toISOString();
      return evidence > 0 ? [{ at, value: values[row] ?? 0, evidence }] : [];
    });
    return { series: name, spoken };
  });
  return { metrics, predictions };
}

/** Evidence of each row, by a detector that knows only the rows before it and learns as it goes, [rows]. */
async function rateByLearning({ atMs, values }: LabelledSeries, signal: AbortSignal): Promise<Float64Array> {
  const tf = await openTfjsEngine();
  const detector = new SeriesDetector(SEED);
  const episode = new AnomalyEpisode();
  const evidence = new Float64Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const judgement = detector.observe(atMs[row] ?? 0, values[row] ?? 0);
    if (judgement !== undefined) evidence[row] = episode.take(judgement.evidence);
    if (judgement?.regimeSinceMs !== undefined) episode.clear();
    if (detector.stepsWaiting < STEPS_TOGETHER) continue;
    while (detector.stepsWaiting > 0) detector.train(tf, () => true);
    if (row % 10 === 0) await new Promise(setImmediate);
    signal.throwIfAborted();
  }
  return evidence;
}

/** The rule by which the learned detector speaks once for an episode, for a baseline. */
function keepBeginnings(ratings: Float64Array): Float64Array {
  const episode = new AnomalyEpisode();
  return ratings.map((rating) => episode.take(rating));
}

function measure(
  detector: string,
  series: readonly LabelledSeries[],
  ratings: readonly Float64Array[],
): AnomalyMetrics {
  const scored = series.map(({ windows }, index) => ({ windows, scores: ratings[index] ?? [] }));
  const judge = (threshold: number): AnomalyMetrics['chosen'] => {
    const outcome = scoreNab(scored, threshold);
    return { ...outcome, threshold, found: computeProportion(outcome.windowsFound, outcome.windows) };
  };
  const chosen = judge(CHOSEN_THRESHOLDS[detector] ?? 0);
  return {
    detector,
    series: series.length,
    rows: series.reduce((sum, { values }) => sum + values.length, 0),
    chosen,
    optimized: judge(optimizeNabThreshold(scored).threshold),
    bySeries: series.map(({ name }, index) => ({
      name,
      score: scoreNab(scored.slice(index, index + 1), chosen.threshold).score,
    })),
  };
}

export function formatAnomalyTable({ metrics }: AnomalyEvaluation): string {
  const head = ['detector', 'threshold', 'NAB score', 'windows found [95 %]', 'false rows'];
  const cells = (
    detector: string,
    { threshold, score, found, falseRows }: AnomalyMetrics['chosen'],
  ): string[] => [
    detector,
    threshold.toFixed(2),
    score.toFixed(1),
    formatProportion(found),
    String(falseRows),
  ];
  const chosen = metrics.map(({ detector, chosen: outcome }) => cells(detector, outcome));
  const optimized = metrics.map(({ detector, optimized: outcome }) => cells(detector, outcome));
  const [first] = metrics;
  return [
    `${first?.series ?? 0} series, ${first?.rows ?? 0} rows; NAB standard profile, 0 = silence, 100 = perfect`,
    '',
    'Thresholds chosen in advance on generated series',
    ...formatRows([head, ...chosen]),
    '',
    'Thresholds optimised on these series (as NAB does)',
    ...formatRows([head, ...optimized]),
  ].join('\n');
}

function formatRows(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
