import type { MaskVerdict } from '@ngatu/contract';
import { computeIou } from '@ngatu/edge';
import { computeProportion, type Proportion } from './interval.ts';
import type { LabelledFace, MaskLabel } from './mask-folder.ts';

/** What was said about one face of a picture. */
export interface FacePrediction {
  readonly box: readonly [number, number, number, number];
  readonly confidence: number;
  readonly verdict: MaskVerdict;
}

/** A face is found where a finding covers its box so (IoU): labels of small faces are a few pixels off. */
export const FOUND_IOU = 0.4;

/** Sizes in which faces are told apart: shorter side of the labelled box, px; of a finding that is no face, its own. */
export const FACE_SIZES = [
  { name: 'all', from: 0, to: Number.POSITIVE_INFINITY },
  { name: '< 16 px', from: 0, to: 16 },
  { name: '16–32 px', from: 16, to: 32 },
  { name: '≥ 32 px', from: 32, to: Number.POSITIVE_INFINITY },
] as const;
export type FaceSizeName = (typeof FACE_SIZES)[number]['name'];

/** Precision and recall with Wilson intervals; F1 is their harmonic mean. */
export interface MaskFigures {
  readonly precision: Proportion;
  readonly recall: Proportion;
  /** Absent where there was neither a face nor a finding. */
  readonly f1?: number;
}

export interface MaskSizeFigures {
  readonly size: FaceSizeName;
  /** Whether it is a face at all; faces of every label count. */
  readonly face: MaskFigures;
  readonly with: MaskFigures;
  readonly without: MaskFigures;
  /** Of the found faces with a verdict and a label of the two, those whose verdict is right. */
  readonly rightOfJudged: Proportion;
  /** Of the found faces with a label of the two, those that were left undecided. */
  readonly uncertain: Proportion;
}

interface Pair {
  readonly sizePx: number;
  /** Absent: a finding that is no labelled face. */
  readonly label?: MaskLabel;
  /** Absent: a face that was not found. */
  readonly verdict?: MaskVerdict;
}

const shortSide = ([x1, y1, x2, y2]: readonly [number, number, number, number]): number =>
  Math.min(x2 - x1, y2 - y1);

/** Gives each labelled face at most one finding, the most confident findings first, each to the face that it covers best. */
export function pairFaces(truth: readonly LabelledFace[], found: readonly FacePrediction[]): Pair[] {
  const open = new Set(truth);
  const pairs: Pair[] = [];
  for (const { box, verdict } of [...found].sort((a, b) => b.confidence - a.confidence)) {
    let best: LabelledFace | undefined;
    let most = FOUND_IOU;
    for (const face of open) {
      const iou = computeIou(face.box, box);
      if (iou < most) continue;
      most = iou;
      best = face;
    }
    if (best === undefined) pairs.push({ sizePx: shortSide(box), verdict });
    else {
      open.delete(best);
      pairs.push({ sizePx: shortSide(best.box), label: best.label, verdict });
    }
  }
  for (const { box, label } of open) pairs.push({ sizePx: shortSide(box), label });
  return pairs;
}

/**
 * Per-face figures. A face labelled with or without counts as right only with that very verdict: `uncertain` is a miss. A finding that
 * is no face, or a face of the other label, is an error of precision of its verdict. Faces with an ignored label count in `face` alone, what is left out
 * nowhere.
 */
export function scorePairs(pairs: readonly Pair[]): MaskSizeFigures[] {
  const counted = pairs.filter(({ label }) => label !== 'left-out');
  return FACE_SIZES.map(({ name, from, to }) => {
    const own = counted.filter(({ sizePx }) => sizePx >= from && sizePx < to);
    const found = own.filter(({ label, verdict }) => label !== undefined && verdict !== undefined);
    const told = found.filter(({ label }) => label !== 'ignored');
    const judged = told.filter(({ verdict }) => verdict !== 'uncertain');
    return {
      size: name,
      face: computeFigures({
        hits: found.length,
        said: own.filter(({ verdict }) => verdict !== undefined).length,
        there: own.filter(({ label }) => label !== undefined).length,
      }),
      with: scoreLabel(own, 'with'),
      without: scoreLabel(own, 'without'),
      rightOfJudged: computeProportion(
        judged.filter(({ label, verdict }) => label === verdict).length,
        judged.length,
      ),
      uncertain: computeProportion(told.length - judged.length, told.length),
    };
  });
}

function scoreLabel(pairs: readonly Pair[], wanted: 'with' | 'without'): MaskFigures {
  const counted = pairs.filter(({ label }) => label !== 'ignored');
  return computeFigures({
    hits: counted.filter(({ label, verdict }) => label === wanted && verdict === wanted).length,
    said: counted.filter(({ verdict }) => verdict === wanted).length,
    there: counted.filter(({ label }) => label === wanted).length,
  });
}

function computeFigures({ hits, said, there }: { hits: number; said: number; there: number }): MaskFigures {
  return {
    precision: computeProportion(hits, said),
    recall: computeProportion(hits, there),
    ...(said + there === 0 ? {} : { f1: (2 * hits) / (said + there) }),
  };
}
