import { type Box, computeArea, computeIntersection, computeIou } from '../geometry/box.ts';
import type { FaceFinding } from './face-decoder.ts';

/** What one of several finders said about a face when it looked at the whole picture. */
export interface FinderReading {
  /** 0–1; 0 where it did not find the face. */
  readonly confidence: number;
  /** Log-odds for a mask; absent where it did not find the face, or does not tell. */
  readonly maskLogit?: number;
}

/** A face that one of several finders found, or more of them; its box is that of the surest one, which moves least from picture to picture. */
export interface JoinedFinding extends FaceFinding {
  /** Mean of the boxes, each weighed by its confidence: nearest to the face. */
  readonly meanBox: Box;
  /** In the order of the finders. */
  readonly readings: readonly FinderReading[];
}

/** Findings that overlap more are one face (IoU). */
const ONE_FACE_IOU = 0.3;
/** So is one that lies in another with so much of itself: half a face. */
const INSIDE_SHARE = 0.6;
/** What another finder found belongs to the face from this overlap on (IoU): they draw their boxes differently. */
const SAME_FACE_IOU = 0.35;
/**
 * What a finder's confidence is worth: where two are about as sure, the first one's counts a little more, and the third is surer than it
 * is right: alone it is never sure enough that somebody new is there.
 */
const FINDER_WORTHS = [1, 0.95, 0.65];

const weigh = ({ confidence }: FaceFinding, finder: number): number =>
  confidence * (FINDER_WORTHS[finder] ?? 0);

/**
 * Joins what the finders found in one picture. The surest box of a face says which findings belong to it; their mean follows Weighted
 * Boxes Fusion (Solovyev et al., arXiv 1910.13302).
 * @param findings of at most three finders
 */
export function joinFindings(findings: readonly (readonly FaceFinding[])[]): JoinedFinding[] {
  const ranked = findings
    .flatMap((found, finder) => found.map((finding) => ({ finding, rank: weigh(finding, finder) })))
    .sort((a, b) => b.rank - a.rank);
  const kept: FaceFinding[] = [];
  for (const { finding } of ranked) {
    if (kept.every(({ box }) => !isOneFace(box, finding.box))) kept.push(finding);
  }
  return kept
    .map(({ box }) => ({ box, ...joinFound(findings.map((found) => findBest(box, found))) }))
    .sort((a, b) => b.confidence - a.confidence);
}

function isOneFace(one: Box, other: Box): boolean {
  if (computeIou(one, other) > ONE_FACE_IOU) return true;
  const smaller = Math.min(computeArea(one), computeArea(other));
  return computeIntersection(one, other) > INSIDE_SHARE * smaller;
}

function findBest(box: Box, findings: readonly FaceFinding[]): FaceFinding | undefined {
  let best: FaceFinding | undefined;
  let most = SAME_FACE_IOU;
  for (const finding of findings) {
    const iou = computeIou(finding.box, box);
    if (iou < most) continue;
    most = iou;
    best = finding;
  }
  return best;
}

/** @param found what each finder said of the face; at least one said something */
function joinFound(found: readonly (FaceFinding | undefined)[]): Omit<JoinedFinding, 'box'> {
  const confidences = found.map((finding, finder) => (finding === undefined ? 0 : weigh(finding, finder)));
  const landmarks = found.find((finding) => finding?.landmarks !== undefined)?.landmarks;
  return {
    meanBox: meanBox(found),
    confidence: Math.max(...confidences),
    ...(landmarks === undefined ? {} : { landmarks }),
    readings: found.map(describeReading),
  };
}

function meanBox(found: readonly (FaceFinding | undefined)[]): Box {
  const sum: [number, number, number, number] = [0, 0, 0, 0];
  let total = 0;
  for (const [finder, finding] of found.entries()) {
    if (finding === undefined) continue;
    const weight = weigh(finding, finder);
    total += weight;
    for (const [side, value] of finding.box.entries()) sum[side] = (sum[side] as number) + weight * value;
  }
  return sum.map((value) => value / total) as unknown as Box;
}

function describeReading(finding: FaceFinding | undefined): FinderReading {
  if (finding === undefined) return { confidence: 0 };
  const { confidence, maskLogit } = finding;
  return { confidence, ...(maskLogit === undefined ? {} : { maskLogit }) };
}
