import { NgatuError } from '@ngatu/contract';
import { DEFAULT_PLATE_CONFIDENCE, type PlateReader, readRgbPicture, votePlate } from '@ngatu/edge';
import { computeProportion, formatProportion, type Proportion } from './interval.ts';
import { loadPlateFolder } from './plate-folder.ts';

const LAYOUTS = ['one-line', 'two-line'] as const;
type Layout = (typeof LAYOUTS)[number];

export interface PlateEvaluationOptions {
  /** Folder with `images/` and `labels.csv`. */
  readonly dataDir: string;
  readonly reader: PlateReader;
  readonly readerNames: readonly string[];
  /** The day on which the plates were seen: formats are dated. */
  readonly on: Date;
  readonly onPicture?: (done: number, total: number) => void;
}

/** What was read in one picture; holds a real plate where the data does. */
export interface PlatePrediction {
  readonly picture: string;
  readonly truth: string;
  readonly truthLayout: Layout;
  readonly text?: string;
  readonly shown?: string;
  readonly layout: Layout;
  readonly confidence: number;
  readonly state: 'read' | 'ambiguous' | 'unreadable';
  readonly alternatives: readonly { readonly text: string; readonly confidence: number }[];
}

export interface PlateLayoutFigures {
  readonly layout: Layout | 'all';
  readonly plates: number;
  /** The likeliest text is the truth, whatever its confidence; a reading without a text is a miss. */
  readonly exact: Proportion;
  /** The number of lines was told rightly. */
  readonly layoutRight: Proportion;
  /** The truth is the likeliest text or one of the alternatives. */
  readonly among: Proportion;
}

export interface PlateCurvePoint {
  readonly minConfidence: number;
  readonly coverage: Proportion;
  readonly precision: Proportion;
}

export interface PlateMetrics {
  readonly readers: readonly string[];
  readonly plates: number;
  readonly layouts: readonly PlateLayoutFigures[];
  readonly characters: Proportion;
  /** At the default threshold, states `read` and `ambiguous`. */
  readonly atDefault: PlateCurvePoint;
  readonly curve: readonly PlateCurvePoint[];
  /** Mean squared difference between the confidence and what came true. */
  readonly brier: number;
  /** One crop, ms. */
  readonly latencyMs: { readonly p50: number; readonly p95: number };
}

export interface PlateEvaluation {
  readonly metrics: PlateMetrics;
  readonly predictions: readonly PlatePrediction[];
}

const CURVE = [0, 0.5, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999];

/**
 * Reads every crop of the folder as the product reads one look, and compares.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID, PICTURE_UNREADABLE, MODEL_INVALID
 */
export async function evaluatePlates(
  { dataDir, reader, readerNames, on, onPicture }: PlateEvaluationOptions,
  signal: AbortSignal,
): Promise<PlateEvaluation> {
  const plates = await loadPlateFolder(dataDir);
  const predictions: PlatePrediction[] = [];
  const times: number[] = [];
  for (const [index, { file, name, text, layout }] of plates.entries()) {
    signal.throwIfAborted();
    const picture = await readRgbPicture(file);
    const startedAt = performance.now();
    const look = await reader.read(picture, [0, 0, picture.width, picture.height]);
    const reading = votePlate([look], { on });
    times.push(performance.now() - startedAt);
    predictions.push({
      ...{ picture: name, truth: text, truthLayout: layout, layout: look.layout, state: reading.state },
      ...(reading.text === undefined ? {} : { text: reading.text }),
      ...(reading.shown === undefined ? {} : { shown: reading.shown }),
      ...{ confidence: reading.confidence ?? 0, alternatives: reading.alternatives },
    });
    onPicture?.(index + 1, plates.length);
  }
  return { metrics: scorePlates(predictions, readerNames, times), predictions };
}

/** @throws NgatuError TRUTH_INVALID where nothing was predicted */
export function scorePlates(
  predictions: readonly PlatePrediction[],
  readers: readonly string[],
  timesMs: readonly number[],
): PlateMetrics {
  if (predictions.length === 0) throw new NgatuError('TRUTH_INVALID', 'Cannot score plates: there is none');
  const isRight = ({ text, truth }: PlatePrediction): boolean => text === truth;
  const point = (minConfidence: number, covered: readonly PlatePrediction[]): PlateCurvePoint => ({
    minConfidence,
    coverage: computeProportion(covered.length, predictions.length),
    precision: computeProportion(covered.filter(isRight).length, covered.length),
  });
  const sorted = [...timesMs].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const characters = predictions.reduce((sum, { truth }) => sum + truth.length, 0);
  const wrong = predictions.reduce(
    (sum, { truth, text = '' }) => sum + Math.min(truth.length, computeEditDistance(truth, text)),
    0,
  );
  return {
    readers,
    plates: predictions.length,
    layouts: [...LAYOUTS, 'all' as const].map((layout) => {
      const those = predictions.filter(({ truthLayout }) => layout === 'all' || truthLayout === layout);
      const share = (test: (plate: PlatePrediction) => boolean): Proportion =>
        computeProportion(those.filter(test).length, those.length);
      return {
        ...{ layout, plates: those.length, exact: share(isRight) },
        layoutRight: share((plate) => plate.layout === plate.truthLayout),
        among: share(
          (plate) => isRight(plate) || plate.alternatives.some(({ text }) => text === plate.truth),
        ),
      };
    }),
    characters: computeProportion(characters - wrong, characters),
    atDefault: point(
      DEFAULT_PLATE_CONFIDENCE,
      predictions.filter(({ state }) => state !== 'unreadable'),
    ),
    curve: CURVE.map((least) =>
      point(
        least,
        predictions.filter(({ confidence }) => confidence >= least),
      ),
    ),
    brier:
      predictions.reduce((sum, plate) => sum + (plate.confidence - (isRight(plate) ? 1 : 0)) ** 2, 0) /
      predictions.length,
    latencyMs: { p50: at(0.5), p95: at(0.95) },
  };
}

/** Characters to insert, leave out or exchange (V. Levenshtein, 1966). */
function computeEditDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const exchanged = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, exchanged));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** A table for people. No plate stands in it. */
export function formatPlateTable(metrics: PlateMetrics): string {
  const { readers, plates, layouts, characters, atDefault, curve, brier, latencyMs } = metrics;
  const line = (point: PlateCurvePoint, mark: string): string =>
    `  ≥ ${point.minConfidence.toFixed(3)}  coverage ${formatProportion(point.coverage)}  precision ${formatProportion(point.precision)}${mark}`;
  return [
    `${plates} plates, read by ${readers.join(' + ')}`,
    '',
    'exact match at full coverage (95 % Wilson intervals)',
    ...layouts.map(
      ({ layout, exact, layoutRight, among }) =>
        `  ${layout.padEnd(9)} exact ${formatProportion(exact)}  truth among alternatives ${formatProportion(among)}  lines told ${formatProportion(layoutRight)}`,
    ),
    `  characters ${formatProportion(characters)}`,
    '',
    'coverage and precision by confidence',
    ...curve.map((point) =>
      line(point, point.minConfidence === atDefault.minConfidence ? '  (default)' : ''),
    ),
    line(atDefault, '  as the product decides: states read and ambiguous'),
    `  Brier score ${brier.toFixed(4)}`,
    '',
    `one look: p50 ${latencyMs.p50.toFixed(0)} ms, p95 ${latencyMs.p95.toFixed(0)} ms`,
  ].join('\n');
}
