import { NgatuError } from '@ngatu/contract';
import {
  computeIou,
  DEFAULT_PLATE_DETECTOR_CONFIDENCE,
  type PlateDetector,
  readRgbPicture,
} from '@ngatu/edge';
import type { PixelBox } from './average-precision.ts';
import { computeProportion, formatProportion, type Proportion } from './interval.ts';
import { formatLeftOut, isAtPlace, refuseOtherLabel, type UnlabelledPlaces } from './unlabelled-objects.ts';
import { loadYoloFolder, type YoloFolder } from './yolo-folder.ts';

export interface PlateDetectorEvaluationOptions {
  /** YOLO folder: `images/`, `labels/`, and `data.yaml` or `classes.txt` where it has more than one class. */
  readonly dataDir: string;
  /** Opened with no least confidence: the curve wants all findings. */
  readonly detector: PlateDetector;
  readonly name: string;
  /** Names of the pictures that are judged; all where it is left out. */
  readonly only?: ReadonlySet<string>;
  /** Plates that nobody labelled: what is found there counts neither way. */
  readonly unlabelled?: UnlabelledPlaces;
}

export interface PlatePicture {
  readonly picture: string;
  readonly truths: readonly PixelBox[];
  readonly found: readonly { readonly confidence: number; readonly box: PixelBox }[];
  /** What is found at these and is no truth counts neither way. */
  readonly leftOut?: readonly PixelBox[];
  /** Those of them that are plates for certain. */
  readonly seen?: readonly PixelBox[];
}

export interface DetectorPoint {
  readonly minConfidence: number;
  readonly recall: Proportion;
  readonly precision: Proportion;
  /** Of the plates that nobody labelled and somebody saw for certain, those that are found. */
  readonly unlabelled: Proportion;
}

export interface PlateDetectorMetrics {
  readonly detector: string;
  readonly pictures: number;
  readonly plates: number;
  /** Places that count neither way. */
  readonly leftOut: number;
  readonly atDefault: DetectorPoint;
  readonly curve: readonly DetectorPoint[];
  /** At the default threshold, by the shorter side of the labelled box, px. */
  readonly recallBySide: readonly { readonly below: number; readonly recall: Proportion }[];
  readonly latencyMs: { readonly p50: number; readonly p95: number };
}

const MIN_IOU = 0.5;
const CURVE = [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
const SIDES = [10, 16, 24, Number.POSITIVE_INFINITY];
const PLATE_NAME = /plate|licen[cs]e|lisence|bien|biển/i;

/**
 * Looks for plates in every picture as a whole and in full resolution, and compares at IoU 0.5.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID, PICTURE_UNREADABLE, MODEL_INVALID
 */
export async function evaluatePlateDetector(
  { dataDir, detector, name, only, unlabelled }: PlateDetectorEvaluationOptions,
  signal: AbortSignal,
): Promise<{ metrics: PlateDetectorMetrics; pictures: readonly PlatePicture[] }> {
  const folder = await loadYoloFolder(dataDir, only);
  const classes = choosePlateClasses(folder, dataDir);
  if (unlabelled !== undefined) refuseOtherLabel(unlabelled, 'plate');
  const pictures: PlatePicture[] = [];
  const times: number[] = [];
  for (const { file, name: picture, objects } of folder.pictures) {
    signal.throwIfAborted();
    const pixels = await readRgbPicture(file);
    const startedAt = performance.now();
    const found = await detector.find(pixels, [0, 0, pixels.width, pixels.height]);
    times.push(performance.now() - startedAt);
    const truths = objects
      .filter(({ index }) => classes.has(index))
      .map(({ box: [x1, y1, x2, y2] }): PixelBox => {
        return [x1 * pixels.width, y1 * pixels.height, x2 * pixels.width, y2 * pixels.height];
      });
    const leftOut = unlabelled?.byPicture.get(picture) ?? [];
    pictures.push({ picture, truths, found, leftOut, seen: unlabelled?.seen.get(picture) ?? [] });
  }
  return { metrics: scorePlateDetector(pictures, name, times), pictures };
}

function choosePlateClasses({ names, pictures }: YoloFolder, dir: string): ReadonlySet<number> {
  const used = new Set(pictures.flatMap(({ objects }) => objects.map(({ index }) => index)));
  if (used.size === 0) throw new NgatuError('TRUTH_INVALID', `Cannot evaluate ${dir}: no plate is labelled`);
  const named = [...used].filter((index) => PLATE_NAME.test(names[index] ?? ''));
  if (named.length > 0) return new Set(named);
  if (used.size === 1 && names.length <= 1) return used;
  throw new NgatuError('TRUTH_INVALID', `Cannot evaluate ${dir}: none of its classes is named as a plate`);
}

/** @throws NgatuError TRUTH_INVALID where no plate is labelled */
export function scorePlateDetector(
  pictures: readonly PlatePicture[],
  detector: string,
  timesMs: readonly number[],
): PlateDetectorMetrics {
  const plates = pictures.reduce((sum, { truths }) => sum + truths.length, 0);
  if (plates === 0)
    throw new NgatuError('TRUTH_INVALID', 'Cannot score plate detectors: no plate is labelled');
  const seen = pictures.reduce((sum, picture) => sum + (picture.seen?.length ?? 0), 0);
  const point = (minConfidence: number): DetectorPoint => {
    const matches = pictures.map((picture) => match(picture, minConfidence));
    const hits = matches.reduce((sum, { hit }) => sum + hit.size, 0);
    const found = matches.reduce((sum, { count }) => sum + count, 0);
    return {
      minConfidence,
      recall: computeProportion(hits, plates),
      precision: computeProportion(hits, found),
      unlabelled: computeProportion(
        matches.reduce((sum, match) => sum + match.seen, 0),
        seen,
      ),
    };
  };
  const sorted = [...timesMs].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return {
    ...{ detector, pictures: pictures.length, plates },
    leftOut: pictures.reduce((sum, { leftOut = [] }) => sum + leftOut.length, 0),
    atDefault: point(DEFAULT_PLATE_DETECTOR_CONFIDENCE),
    curve: CURVE.map(point),
    recallBySide: SIDES.map((below, index) => {
      const isOfSide = ([x1, y1, x2, y2]: PixelBox): boolean => {
        const side = Math.min(x2 - x1, y2 - y1);
        return side < below && side >= (SIDES[index - 1] ?? 0);
      };
      let [hits, total] = [0, 0];
      for (const picture of pictures) {
        const { hit } = match(picture, DEFAULT_PLATE_DETECTOR_CONFIDENCE);
        for (const [truth, box] of picture.truths.entries()) {
          if (!isOfSide(box)) continue;
          total += 1;
          if (hit.has(truth)) hits += 1;
        }
      }
      return { below, recall: computeProportion(hits, total) };
    }),
    latencyMs: { p50: at(0.5), p95: at(0.95) },
  };
}

/** The surest finding takes the label that it covers best; each label is taken once. */
function match(
  { truths, found, leftOut = [], seen = [] }: PlatePicture,
  least: number,
): { hit: Set<number>; count: number; seen: number } {
  const hit = new Set<number>();
  let count = 0;
  const counted = found.filter(({ confidence }) => confidence >= least);
  for (const { box } of [...counted].sort((a, b) => b.confidence - a.confidence)) {
    let best = -1;
    let most = MIN_IOU;
    for (const [index, truth] of truths.entries()) {
      const iou = computeIou(box, truth);
      if (!hit.has(index) && iou >= most) [best, most] = [index, iou];
    }
    if (best >= 0) hit.add(best);
    if (best >= 0 || !isAtPlace(box, leftOut)) count += 1;
  }
  const isSeen = (place: PixelBox): boolean => counted.some(({ box }) => computeIou(box, place) >= MIN_IOU);
  return { hit, count, seen: seen.filter(isSeen).length };
}

export function formatPlateDetectorTable(metrics: PlateDetectorMetrics): string {
  const { detector, pictures, plates, leftOut, atDefault, curve, recallBySide, latencyMs } = metrics;
  const line = ({ minConfidence, recall, precision, unlabelled }: DetectorPoint, mark: string): string =>
    `  ≥ ${minConfidence.toFixed(2)}  recall ${formatProportion(recall)}  precision ${formatProportion(precision)}` +
    `${unlabelled.total > 0 ? `  of the unlabelled ${formatProportion(unlabelled)}` : ''}${mark}`;
  return [
    `${detector}: ${plates} plates in ${pictures} pictures, IoU 0.5 (95 % Wilson intervals)`,
    ...formatLeftOut(leftOut),
    ...curve.map((point) =>
      line(point, point.minConfidence === atDefault.minConfidence ? '  (default)' : ''),
    ),
    'recall at the default by the shorter side of the labelled box',
    ...recallBySide.map(
      ({ below, recall }) =>
        `  ${Number.isFinite(below) ? `below ${below} px` : 'larger'}`.padEnd(16) + formatProportion(recall),
    ),
    `one picture: p50 ${latencyMs.p50.toFixed(0)} ms, p95 ${latencyMs.p95.toFixed(0)} ms`,
  ].join('\n');
}
