import {
  CloseUpDetector,
  type Detector,
  type Frame,
  fuseRiders,
  type RoadPart,
  readPictureFile,
} from '@ngatu/edge';
import {
  type AveragePrecision,
  computeAveragePrecision,
  type PictureFindings,
  type PixelBox,
} from './average-precision.ts';
import { type JudgedLabel, toJudgedLabel } from './detector-classes.ts';
import type { UnlabelledPlaces } from './unlabelled-objects.ts';
import { loadYoloFolder, type YoloFolder, type YoloPicture } from './yolo-folder.ts';

export interface DetectorEvaluationOptions {
  /** YOLO folder: `images/`, `labels/`, and `data.yaml` or `classes.txt` with the names of the classes. */
  readonly dataDir: string;
  readonly detector: Detector;
  /** What the model can find, in the words of its manifest: classes of the folder that are not among them are not judged. */
  readonly labels: ReadonlySet<string>;
  /** Pictures are scaled down to this width where they are wider, px; their own width where it is left out. */
  readonly maxWidth?: number;
  /** The whole picture is looked at besides so many times enlarged, as a close-up of a scene; only once where it is left out. */
  readonly enlarge?: number;
  /** Compare what the network found, not the road users that were made of it (two-wheelers with their riders). */
  readonly raw: boolean;
  /** Names of the pictures that were taken at night; told by their brightness where it is left out. */
  readonly nightNames?: ReadonlySet<string>;
  /** Names of the pictures that are judged; all where it is left out. */
  readonly only?: ReadonlySet<string>;
  /** Objects that nobody labelled: what is found there counts neither way. */
  readonly unlabelled?: UnlabelledPlaces;
  readonly onPicture?: (done: number, total: number) => void;
}

export interface ClassQuality {
  readonly name: string;
  readonly label: JudgedLabel;
  readonly truths: number;
  readonly ap50?: number;
  readonly ap50to95?: number;
  /** AP50 of truth by its size: below 32², to 96², above, px² of the picture that the detector saw (COCO). */
  readonly bySize: Readonly<Record<'small' | 'medium' | 'large', AveragePrecision>>;
  readonly byLight: Readonly<Record<'day' | 'night', AveragePrecision>>;
  readonly best?: AveragePrecision['best'];
  readonly precise?: AveragePrecision['precise'];
}

export interface DetectorMetrics {
  readonly model: { readonly name: string; readonly sha256: string };
  readonly maxWidth?: number;
  readonly enlarge?: number;
  readonly raw: boolean;
  readonly pictures: Readonly<Record<'day' | 'night', number>>;
  /** Places that count neither way. */
  readonly leftOut: number;
  readonly classes: readonly ClassQuality[];
  /** Classes of the folder that the detector does not know, with the number of their objects. */
  readonly unknownClasses: readonly { readonly name: string; readonly truths: number }[];
  /** One inference with its pre- and postprocessing, ms. */
  readonly latencyMs: { readonly p50: number; readonly p95: number };
}

/** A picture whose median luma lies below this was taken at night, 0–255. */
const NIGHT_LUMA = 70;
const SMALL_PX2 = 32 ** 2;
const LARGE_PX2 = 96 ** 2;
const IOUS = Array.from({ length: 10 }, (_, k) => 0.5 + 0.05 * k);

interface SeenPicture {
  readonly isNight: boolean;
  readonly found: readonly {
    readonly label: JudgedLabel;
    readonly confidence: number;
    readonly box: PixelBox;
  }[];
  readonly truth: readonly { readonly label: JudgedLabel; readonly box: PixelBox }[];
  /** What is found there of `unlabelled` counts neither way, px of the picture. */
  readonly leftOut: readonly { readonly label: JudgedLabel; readonly box: PixelBox }[];
  /** Analysed pixels per source pixel. */
  readonly scale: number;
}

/**
 * Measures a detector on a YOLO folder: road users after riders were joined with their two-wheeler, lamps and plates as they were
 * found. Classes are matched by name; without names all objects are taken for motorbikes with riders where there is one class.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID, PICTURE_UNREADABLE, MODEL_INVALID
 */
export async function evaluateDetector(
  options: DetectorEvaluationOptions,
  signal: AbortSignal,
): Promise<DetectorMetrics> {
  const folder = await loadYoloFolder(options.dataDir, options.only);
  const detector = lookCloser(options);
  const seen: SeenPicture[] = [];
  const durations: number[] = [];
  const unknown = new Map<string, number>();
  for (const [index, picture] of folder.pictures.entries()) {
    signal.throwIfAborted();
    const truth: { label: JudgedLabel; box: PixelBox }[] = [];
    for (const { index: kind, box } of picture.objects) {
      const label = tellLabel(folder, kind);
      if (label !== undefined && options.labels.has(label)) truth.push({ label, box });
      else {
        const name = folder.names[kind] ?? `class ${kind}`;
        unknown.set(name, (unknown.get(name) ?? 0) + 1);
      }
    }
    const { sight, durationMs } = await look(picture, truth, { ...options, detector });
    seen.push(sight);
    durations.push(durationMs);
    options.onPicture?.(index + 1, folder.pictures.length);
  }
  const labels = [...new Set(seen.flatMap(({ truth }) => truth.map(({ label }) => label)))];
  durations.sort((a, b) => a - b);
  const nights = seen.filter((picture) => picture.isNight).length;
  return {
    model: options.detector.model,
    ...(options.maxWidth === undefined ? {} : { maxWidth: options.maxWidth }),
    ...(options.enlarge === undefined ? {} : { enlarge: options.enlarge }),
    raw: options.raw,
    pictures: { day: seen.length - nights, night: nights },
    leftOut: seen.reduce((sum, { leftOut }) => sum + leftOut.length, 0),
    classes: labels.sort().map((label) => measureClass(label, seen)),
    unknownClasses: [...unknown].map(([name, truths]) => ({ name, truths })),
    latencyMs: { p50: quantile(durations, 0.5), p95: quantile(durations, 0.95) },
  };
}

/** A close-up of the whole picture, whatever its size. */
function lookCloser({ detector, enlarge }: DetectorEvaluationOptions): Detector {
  if (enlarge === undefined) return detector;
  const box: [number, number, number, number] = [0, 0, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  return new CloseUpDetector(detector, { closeUps: [{ box, enlarge }] });
}

function tellLabel(folder: YoloFolder, index: number): JudgedLabel | undefined {
  const name = folder.names[index];
  if (name !== undefined) return toJudgedLabel(name);
  return folder.names.length === 0 && index === 0 ? 'motorbike' : undefined;
}

/** `truth` comes in shares 0–1 of the picture. */
async function look(
  picture: YoloPicture,
  truth: readonly { label: JudgedLabel; box: PixelBox }[],
  { detector, maxWidth, raw, nightNames, unlabelled }: DetectorEvaluationOptions,
): Promise<{ sight: SeenPicture; durationMs: number }> {
  const frame = await readPictureFile(picture.file, maxWidth);
  const parts: RoadPart[] = [];
  const startedAt = performance.now();
  const detections = await detector.detect(frame, parts);
  const durationMs = performance.now() - startedAt;
  const { sourceWidth: w, sourceHeight: h } = frame;
  const leftOut =
    unlabelled === undefined
      ? []
      : (unlabelled.byPicture.get(picture.name) ?? []).map((box) => ({ label: unlabelled.label, box }));
  const sight = {
    leftOut,
    isNight: nightNames?.has(picture.name) ?? isDark(frame),
    found: [...(raw ? detections : fuseRiders(detections)), ...parts],
    truth: truth.map(({ label, box }) => ({
      label,
      box: [box[0] * w, box[1] * h, box[2] * w, box[3] * h] as const,
    })),
    scale: frame.width / w,
  };
  return { sight, durationMs };
}

function measureClass(label: JudgedLabel, seen: readonly SeenPicture[]): ClassQuality {
  const all = seen.map((picture) => select(picture, label, () => true));
  const at50 = computeAveragePrecision(all, 0.5);
  const values = IOUS.map((iou) => computeAveragePrecision(all, iou).value ?? 0);
  const bySize = (low: number, high: number): AveragePrecision =>
    computeAveragePrecision(
      seen.map((picture) => select(picture, label, (areaPx2) => areaPx2 >= low && areaPx2 < high)),
      0.5,
    );
  const byLight = (night: boolean): AveragePrecision =>
    computeAveragePrecision(
      seen.filter(({ isNight }) => isNight === night).map((picture) => select(picture, label, () => true)),
      0.5,
    );
  return {
    name: label,
    label,
    truths: at50.truths,
    ...(at50.value === undefined
      ? {}
      : { ap50: at50.value, ap50to95: values.reduce((sum, value) => sum + value, 0) / values.length }),
    bySize: {
      small: bySize(0, SMALL_PX2),
      medium: bySize(SMALL_PX2, LARGE_PX2),
      large: bySize(LARGE_PX2, Number.POSITIVE_INFINITY),
    },
    byLight: { day: byLight(false), night: byLight(true) },
    ...(at50.best === undefined ? {} : { best: at50.best }),
    ...(at50.precise === undefined ? {} : { precise: at50.precise }),
  };
}

/** One class of a picture; truth of another size is ignored, and so are findings of another size that match nothing. */
function select(
  { found, truth, scale, leftOut }: SeenPicture,
  label: JudgedLabel,
  isWanted: (areaPx2: number) => boolean,
): PictureFindings {
  const isOfSize = ([x1, y1, x2, y2]: PixelBox): boolean => isWanted((x2 - x1) * (y2 - y1) * scale ** 2);
  const mine = truth.filter((object) => object.label === label);
  return {
    found: found.filter(
      (finding) =>
        finding.label === label &&
        (isOfSize(finding.box) || mine.some(({ box }) => isOfSize(box) && overlaps(box, finding.box))),
    ),
    truth: mine.map(({ box }) => ({ box, ignored: !isOfSize(box) })),
    leftOut: leftOut.filter((place) => place.label === label).map(({ box }) => box),
  };
}

function overlaps(a: PixelBox, b: PixelBox): boolean {
  return Math.min(a[2], b[2]) > Math.max(a[0], b[0]) && Math.min(a[3], b[3]) > Math.max(a[1], b[1]);
}

function isDark({ pixels }: Frame): boolean {
  const histogram = new Uint32Array(256);
  let count = 0;
  for (let i = 0; i + 2 < pixels.length; i += 3 * 7) {
    const luma = 0.114 * (pixels[i] ?? 0) + 0.587 * (pixels[i + 1] ?? 0) + 0.299 * (pixels[i + 2] ?? 0);
    const bin = Math.min(255, Math.round(luma));
    histogram[bin] = (histogram[bin] ?? 0) + 1;
    count += 1;
  }
  let below = 0;
  for (let luma = 0; luma < NIGHT_LUMA; luma++) below += histogram[luma] ?? 0;
  return below > count / 2;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
