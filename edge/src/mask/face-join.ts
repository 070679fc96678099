import { type Box, computeArea, computeIntersection, computeIou } from '../geometry/box.ts';
import type { FaceFinding } from './face-decoder.ts';

/** What the two finders said about a face when they looked at the whole picture. */
export interface FinderReadings {
  /** Confidence of the first and of the second one, 0–1; 0 where it did not find the face. */
  readonly first: number;
  readonly second: number;
  /** Log-odds for a mask by the second one; absent where it did not find the face. */
  readonly maskLogit?: number;
}

/** A face that one of two finders found, or both. */
export interface JoinedFinding extends FaceFinding {
  readonly readings: FinderReadings;
}

/** Findings that overlap more are one face (IoU). */
const ONE_FACE_IOU = 0.4;
/** So is one that lies in another with so much of itself: half a face. */
const INSIDE_SHARE = 0.75;
/** What the other finder found belongs to the face from this overlap on (IoU): the two draw their boxes differently. */
const SAME_FACE_IOU = 0.35;
/** The box of the first finder is taken where both are about as sure. */
const SECOND_SHARE = 0.95;

/** Joins what two finders found in one picture; the more confident box stays. */
export function joinFindings(first: readonly FaceFinding[], second: readonly FaceFinding[]): JoinedFinding[] {
  const ranked = [
    ...first.map((finding) => ({ finding, rank: finding.confidence })),
    ...second.map((finding) => ({ finding, rank: finding.confidence * SECOND_SHARE })),
  ].sort((a, b) => b.rank - a.rank);
  const kept: FaceFinding[] = [];
  for (const { finding } of ranked) {
    if (kept.every(({ box }) => !isOneFace(box, finding.box))) kept.push(finding);
  }
  return kept
    .map(({ box }) => joinAt(box, findBest(box, first), findBest(box, second)))
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

function joinAt(box: Box, first: FaceFinding | undefined, second: FaceFinding | undefined): JoinedFinding {
  const maskLogit = second?.maskLogit;
  return {
    box,
    confidence: Math.max(first?.confidence ?? 0, second?.confidence ?? 0),
    ...(first?.landmarks === undefined ? {} : { landmarks: first.landmarks }),
    readings: {
      first: first?.confidence ?? 0,
      second: second?.confidence ?? 0,
      ...(maskLogit === undefined ? {} : { maskLogit }),
    },
  };
}
