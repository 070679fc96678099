import type { Box, Point } from '../geometry/box.ts';
import { takeQuantile } from './quantile.ts';

/** A part of the picture in which road users are small. Source pixels. */
export interface CloseUpCandidate {
  readonly box: Box;
  /** So many times enlarged they have the size that a detector is sure of. */
  readonly enlarge: number;
  /** Share of all sights of road users that were small, 0–1. */
  readonly share: number;
  /** Median height of those, px. */
  readonly heightPx: number;
  /** What looking at it costs: its enlarged pixels for each of the whole picture that was looked at. */
  readonly cost: number;
}

/** Lower boxes than this are small, px of the picture that was looked at; a detector is sure of those that are higher. */
const SMALL_PX = 32;
/** Enlarged, the median one is so high, px. */
const WANTED_PX = 44;
/** It is worth a look where at least this share of all sights is small … */
const MIN_SHARE = 0.15;
/** … of at least so many. */
const MIN_SIGHTS = 100;
/** Of the small sights this share on each side is left to outliers. */
const TRIM = 0.03;
/** A part that needs more than this is the whole picture again, several times. */
const MAX_COST = 2;

/**
 * Where a closer look would find more: the part of the picture in which road users were small, if many were.
 * @param sights where road users stood, and how high their boxes were, source pixels
 * @param scale source pixels of one pixel of the picture that was looked at
 */
export function findCloseUp(
  sights: readonly { readonly ground: Point; readonly height: number }[],
  picture: { readonly width: number; readonly height: number },
  scale = 1,
): CloseUpCandidate | undefined {
  const small = sights.filter(({ height }) => height < SMALL_PX * scale);
  const share = small.length / Math.max(1, sights.length);
  if (sights.length < MIN_SIGHTS || share < MIN_SHARE) return undefined;
  const sort = (pick: (sight: (typeof small)[number]) => number): number[] =>
    small.map(pick).sort((a, b) => a - b);
  const heightPx = takeQuantile(
    sort(({ height }) => height),
    0.5,
  );
  const [xs, ys] = [sort(({ ground }) => ground[0]), sort(({ ground }) => ground[1])];
  // ground points are the bottom middles of boxes: above them a box, around them half a width, and room for those that were not found
  const box: Box = [
    Math.max(0, takeQuantile(xs, TRIM) - heightPx),
    Math.max(0, takeQuantile(ys, TRIM) - 2 * heightPx),
    Math.min(picture.width, takeQuantile(xs, 1 - TRIM) + heightPx),
    Math.min(picture.height, takeQuantile(ys, 1 - TRIM) + heightPx),
  ];
  const enlarge = Math.round(4 * Math.min(3, Math.max(1.25 / scale, WANTED_PX / heightPx))) / 4;
  const cost =
    ((box[2] - box[0]) * (box[3] - box[1]) * (enlarge * scale) ** 2) / (picture.width * picture.height);
  return cost > MAX_COST ? undefined : { box, enlarge, share, heightPx, cost };
}
