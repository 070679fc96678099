import { computeIou } from '@ngatu/edge';
import { isAtPlace } from './unlabelled-objects.ts';

/** xyxy, px. */
export type PixelBox = readonly [x1: number, y1: number, x2: number, y2: number];

/** What is compared in one picture, of one class. */
export interface PictureFindings {
  readonly found: readonly { readonly box: PixelBox; readonly confidence: number }[];
  readonly truth: readonly { readonly box: PixelBox; readonly ignored?: boolean }[];
  /** What is found at these and takes no truth is left out. */
  readonly leftOut?: readonly PixelBox[];
}

export interface AveragePrecision {
  /** Area under the precision–recall curve, 0–1; absent without truth. */
  readonly value?: number;
  readonly truths: number;
  /** At the threshold where the harmonic mean of both is best. */
  readonly best?: OperatingPoint;
  /** Where the most is found while at least `PRECISE` of what is found is right; absent where no threshold gives that. */
  readonly precise?: OperatingPoint;
}

/** What a threshold gives. */
export interface OperatingPoint {
  readonly threshold: number;
  readonly precision: number;
  readonly recall: number;
}

/** Precision at which the recall of plates is asked. */
const PRECISE = 0.95;

const RECALL_POINTS = 101;

/**
 * Average precision as COCO computes it: findings by falling confidence take the free truth with the largest IoU of at
 * least `minIou`; precision is made monotone and read at 101 recalls (Lin et al., ECCV 2014; cocoapi `COCOeval`). Truth that is
 * ignored may take a finding, and neither counts then.
 */
export function computeAveragePrecision(
  pictures: readonly PictureFindings[],
  minIou: number,
): AveragePrecision {
  const truths = pictures.reduce(
    (sum, { truth }) => sum + truth.filter(({ ignored }) => ignored !== true).length,
    0,
  );
  const verdicts = pictures.flatMap((picture) => judge(picture, minIou));
  if (truths === 0) return { truths };
  verdicts.sort((a, b) => b.confidence - a.confidence);
  const precisions: number[] = [];
  const recalls: number[] = [];
  let hits = 0;
  let best: OperatingPoint | undefined;
  let precise: OperatingPoint | undefined;
  verdicts.forEach(({ isHit, confidence }, index) => {
    if (isHit) hits += 1;
    const precision = hits / (index + 1);
    const recall = hits / truths;
    precisions.push(precision);
    recalls.push(recall);
    // findings of one confidence stand or fall together
    if (verdicts[index + 1]?.confidence === confidence) return;
    const point = { threshold: confidence, precision, recall };
    if (
      harmonicMean(precision, recall) > (best === undefined ? 0 : harmonicMean(best.precision, best.recall))
    )
      best = point;
    if (precision >= PRECISE) precise = point;
  });
  for (let i = precisions.length - 2; i >= 0; i--)
    precisions[i] = Math.max(precisions[i] ?? 0, precisions[i + 1] ?? 0);
  let sum = 0;
  let at = 0;
  for (let point = 0; point < RECALL_POINTS; point++) {
    while (at < recalls.length && (recalls[at] ?? 0) < point / (RECALL_POINTS - 1) - 1e-12) at += 1;
    sum += precisions[at] ?? 0;
  }
  return {
    value: sum / RECALL_POINTS,
    truths,
    ...(best === undefined ? {} : { best }),
    ...(precise === undefined ? {} : { precise }),
  };
}

function harmonicMean(a: number, b: number): number {
  return a + b === 0 ? 0 : (2 * a * b) / (a + b);
}

/** Findings of one picture as hits and false ones; those on ignored truth are left out. */
function judge(
  { found, truth, leftOut = [] }: PictureFindings,
  minIou: number,
): { confidence: number; isHit: boolean }[] {
  const free = new Set(truth.keys());
  return [...found]
    .sort((a, b) => b.confidence - a.confidence)
    .flatMap(({ box, confidence }): { confidence: number; isHit: boolean }[] => {
      let taken: number | undefined;
      let bestIou = minIou;
      for (const index of free) {
        const candidate = truth[index];
        if (candidate === undefined) continue;
        const iou = computeIou(box, candidate.box);
        const isBetter =
          iou >= bestIou && (taken === undefined || iou > bestIou || truth[taken]?.ignored === true);
        // a counted truth goes before an ignored one
        if (
          !isBetter ||
          (candidate.ignored === true && taken !== undefined && truth[taken]?.ignored !== true)
        )
          continue;
        [taken, bestIou] = [index, iou];
      }
      if (taken === undefined) return isAtPlace(box, leftOut) ? [] : [{ confidence, isHit: false }];
      if (truth[taken]?.ignored === true) return [];
      free.delete(taken);
      return [{ confidence, isHit: true }];
    });
}
