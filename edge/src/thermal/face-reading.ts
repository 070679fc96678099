import type { ScreeningRefusal } from '@ngatu/contract';
import { AreaSum } from './area-sum.ts';
import { type CanthusPair, findCanthi, locateCanthi } from './canthus-pair.ts';
import { type FaceOutline, joinFaceParts, traceFace } from './face-outline.ts';
import { computeQuantile } from './order-statistics.ts';
import type { ThermalFrame } from './thermal-frame.ts';
import type { CanthusHint } from './visible-pairing.ts';
import { findWarmRegions, type PixelRegion, type WarmRegion } from './warm-region.ts';

export interface FaceReadingOptions {
  /** What is not looked at: the blackbody with its housing, px. */
  readonly without: readonly PixelRegion[];
  /** A face narrower than this is too far away, px. */
  readonly minFaceWidthPx: number;
  /** Where a visible camera beside the thermal one saw the eyes. */
  readonly hint?: CanthusHint;
}

/** What one frame shows of the one face in it. Temperatures as in the frame, uncorrected for skin and air. */
export interface FaceReading {
  readonly face: FaceOutline;
  /** Absent where the inner canthi do not stand out. */
  readonly canthi?: CanthusPair;
  /** The warmer canthus, °C. */
  readonly canthusC?: number;
  /** Warmest spot of the face without neck and ears, °C. */
  readonly faceMaximumC: number;
  /** Place of the face for the judgement of motion: middle of the canthi, else of the outline, px. */
  readonly anchorX: number;
  readonly anchorY: number;
}

export interface RefusedFrame {
  readonly refusal: ScreeningRefusal;
}

/** Skin is warmer than this in a room within the limits, °C. */
const SKIN_FROM_C = 30;
/** Nobody lives with skin above this: a cup, a lamp, an exhaust, °C. */
const HOT_FROM_C = 41.5;
/** Nose, cheeks and forehead lie within this below the warmest skin, °C. */
const SKIN_DEPTH_C = 4.2;
/** Anybody's face is warmer than this, °C. */
const ANYBODY_FROM_C = 31.5;
/** A wall warmer than this hides the outline of a face, °C. */
const MAX_BACKGROUND_C = 29;
const ABOVE_BACKGROUND_C = 2.5;
/** Smallest region that is looked at, as a share of the picture. */
const MIN_REGION_SHARE = 0.0008;
const HOT_SHARE = 0.00005;

/** Reads a frame: one face as the protocol asks for, or why not. */
export function readFace(frame: ThermalFrame, options: FaceReadingOptions): FaceReading | RefusedFrame {
  const levels = measureLevels(frame, options.without);
  if (levels.hotPixels > Math.max(4, HOT_SHARE * frame.celsius.length)) return { refusal: 'hot-object' };
  if (levels.backgroundC > MAX_BACKGROUND_C) return { refusal: 'warm-background' };
  if (levels.skinPeakC === undefined) return { refusal: 'no-person' };
  const lowestC = levels.backgroundC + ABOVE_BACKGROUND_C;
  const find = (fromC: number): WarmRegion[] => {
    const { width, height } = frame;
    const minArea = Math.max(12, MIN_REGION_SHARE * frame.celsius.length);
    return findWarmRegions(frame.celsius, { width, height, fromC, minArea, without: options.without });
  };
  const fromC = Math.max(lowestC, levels.skinPeakC - SKIN_DEPTH_C);
  const found = pickFace(frame, joinFaceParts(find(fromC)));
  if ('refusal' in found) return found;
  // beside somebody with fever a healthy person is cold
  if (fromC > ANYBODY_FROM_C && hasCompanion(found, find(Math.max(lowestC, ANYBODY_FROM_C))))
    return { refusal: 'several-people' };
  if (found.width < options.minFaceWidthPx) return { refusal: 'too-far' };
  return measureFace(frame, found, { backgroundC: levels.backgroundC, hint: options.hint });
}

interface Levels {
  readonly backgroundC: number;
  readonly skinPeakC?: number;
  readonly hotPixels: number;
}

function isWithout(regions: readonly PixelRegion[], x: number, y: number): boolean {
  return regions.some((r) => x >= r.x && x < r.x + r.width && y >= r.y && y < r.y + r.height);
}

/** Background: the middle of the strips along the upper edge and the upper halves of the sides, where no body is. */
function measureLevels(frame: ThermalFrame, without: readonly PixelRegion[]): Levels {
  const { width, height, celsius } = frame;
  const strip = Math.max(2, Math.round(0.04 * width));
  const border: number[] = [];
  const skin: number[] = [];
  let hotPixels = 0;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const value = celsius[i] ?? Number.NaN;
      const isBorder = y < strip || (y < height / 2 && (x < strip || x >= width - strip));
      if (!(value >= SKIN_FROM_C) && !isBorder) continue;
      if (isWithout(without, x, y)) continue;
      if (isBorder) border.push(value);
      if (value > HOT_FROM_C) hotPixels++;
      else if (value >= SKIN_FROM_C) skin.push(value);
    }
  }
  const skinPeakC = computeQuantile(skin, 0.995);
  return {
    backgroundC: computeQuantile(border, 0.5) ?? Number.POSITIVE_INFINITY,
    hotPixels,
    ...(skinPeakC === undefined || skin.length < MIN_REGION_SHARE * celsius.length ? {} : { skinPeakC }),
  };
}

/** A second warm region counts where it has this share of the face's area, or its outline this share of its width. */
const COMPANION_AREA = 0.05;
const COMPANION_WIDTH = 0.3;
/** What lies wholly below the eyes and within the width of the face is the neck below a mask or a beard. */
const NECK_FROM = 0.5;
const NECK_REACH = 0.6;
/** A warm region that is no face and this large beside the picture is somebody all the same. */
const BODY_SHARE = 0.02;

function pickFace(frame: ThermalFrame, regions: readonly WarmRegion[]): FaceOutline | RefusedFrame {
  const traced = regions.map((region) => ({ region, face: traceFace(region) }));
  const main = traced.find(({ face }) => face !== undefined);
  const [largest] = traced;
  if (main?.face === undefined || largest === undefined) {
    if (largest === undefined || largest.region.area < BODY_SHARE * frame.celsius.length)
      return { refusal: 'no-person' };
    if (touchesEdge(frame, largest.region)) return { refusal: 'out-of-picture' };
    return { refusal: isWide(largest.region) ? 'several-people' : 'face-covered' };
  }
  const { face, region } = main;
  const others = traced.filter((other) => other !== main).map((other) => other.region);
  if (hasCompanion(face, others)) return { refusal: 'several-people' };
  if (touchesEdge(frame, region, face)) return { refusal: 'out-of-picture' };
  return face;
}

/** True where a region beside the face is somebody else, or a hand. The face itself and its neck may be among them. */
function hasCompanion(face: FaceOutline, regions: readonly WarmRegion[]): boolean {
  const area = face.left.reduce((sum, x, row) => sum + (face.right[row] ?? x) - x + 1, 0);
  return regions.some((region) => {
    const { low, high } = findSpan(region);
    if (low <= face.centreX && high >= face.centreX && region.top < face.top + 0.5 * face.width) return false;
    const eyes = face.top + NECK_FROM * (face.bottom - face.top);
    const within =
      low > face.centreX - NECK_REACH * face.width && high < face.centreX + NECK_REACH * face.width;
    if (within && region.top > eyes) return false;
    const other = traceFace(region);
    const alike = other !== undefined && other.width > COMPANION_WIDTH * face.width;
    return region.area > COMPANION_AREA * area && (region.top < face.bottom || alike);
  });
}

function findSpan(region: WarmRegion): { readonly low: number; readonly high: number } {
  return {
    low: region.left.reduce((least, x) => Math.min(least, x), Number.POSITIVE_INFINITY),
    high: region.right.reduce((most, x) => Math.max(most, x), 0),
  };
}

function isWide(region: WarmRegion): boolean {
  const { low, high } = findSpan(region);
  return high - low > 1.1 * region.left.length;
}

/** True where the region, down to the chin, reaches the edge of the picture. */
function touchesEdge(frame: ThermalFrame, region: WarmRegion, face?: FaceOutline): boolean {
  const bottom = face?.bottom ?? region.top + region.left.length;
  if (region.top <= 1 || (bottom >= frame.height - 1 && face?.hasNeck !== true)) return true;
  for (let row = 0; row < bottom - region.top; row++)
    if ((region.left[row] ?? 2) <= 1 || (region.right[row] ?? 0) >= frame.width - 2) return true;
  return false;
}

/** Glass and cloth are colder than the face by at least this, °C. */
const COVER_DEPTH_C = 4.5;
/** Share of the band of the eyes that may be that cold: brows and the shadow of the nose. */
const MAX_COVERED_EYES = 0.06;
/** In head widths: the forehead to be seen above the canthi; how far their middle may lie beside the face's. */
const MIN_FOREHEAD = 0.3;
const MAX_ASIDE = 0.105;
/** Likeness of both halves of a face, as a correlation. */
const MIN_SYMMETRY = 0.85;

function measureFace(
  frame: ThermalFrame,
  face: FaceOutline,
  { backgroundC, hint }: { readonly backgroundC: number; readonly hint: CanthusHint | undefined },
): FaceReading | RefusedFrame {
  const sums = new AreaSum(frame.celsius, frame, backgroundC);
  if (computeCoveredEyes(frame, face) > MAX_COVERED_EYES) return { refusal: 'eyes-covered' };
  const located = hint === undefined ? undefined : locateCanthi(sums, face, hint);
  const canthi = located ?? findCanthi(sums, face);
  const axis = canthi === undefined ? face.centreX : (canthi.leftX + canthi.rightX) / 2;
  const anchorY = canthi === undefined ? (face.top + face.bottom) / 2 : (canthi.leftY + canthi.rightY) / 2;
  if (canthi !== undefined && Math.abs(axis - centreAt(face, anchorY)) > MAX_ASIDE * face.width)
    return { refusal: 'turned-away' };
  if (canthi === undefined && computeSymmetry(sums, face, axis) < MIN_SYMMETRY)
    return { refusal: 'turned-away' };
  if (canthi !== undefined && anchorY - face.top < MIN_FOREHEAD * face.width)
    return { refusal: 'forehead-covered' };
  const half = Math.max(1, Math.round(0.006 * face.width));
  const faceMaximumC = findMaximum(sums, face, half);
  if (canthi === undefined) return { face, faceMaximumC, anchorX: axis, anchorY };
  const reach = Math.max(2, Math.round(0.045 * face.width));
  const canthusC = Math.max(
    peakAround(sums, { x: canthi.leftX, y: canthi.leftY, reach, half }),
    peakAround(sums, { x: canthi.rightX, y: canthi.rightY, reach, half }),
  );
  return { face, canthi, canthusC, faceMaximumC, anchorX: axis, anchorY };
}

/** Middle of the outline in the rows round `y`, px. */
function centreAt(face: FaceOutline, y: number): number {
  const reach = Math.round(0.12 * face.width);
  const row = Math.round(y) - face.top;
  let sum = 0;
  let count = 0;
  for (let near = Math.max(0, row - reach); near <= Math.min(face.left.length - 1, row + reach); near++) {
    sum += ((face.left[near] ?? 0) + (face.right[near] ?? 0)) / 2;
    count++;
  }
  return count === 0 ? face.centreX : sum / count;
}

/** Rows in which the eyes may lie, below the upper end of the face in head widths; from the second on the nose may be cold. */
const EYE_ROWS = { from: 0.22, nose: 0.5, to: 0.8 };
const EYE_REACH = 0.36;

/** Share of the rows of the eyes, without the rim of the face, that is far colder than the face. */
function computeCoveredEyes(frame: ThermalFrame, face: FaceOutline): number {
  const { celsius, width } = frame;
  const values: number[] = [];
  const end = Math.min(face.bottom - face.top, Math.round(EYE_ROWS.to * face.width));
  for (let row = Math.round(EYE_ROWS.from * face.width); row < end; row++) {
    // glasses cut the outline itself, so that the width of the head counts, not that of the row
    const from = Math.max(0, Math.round(face.centreX - EYE_REACH * face.width));
    const to = Math.min(width - 1, Math.round(face.centreX + EYE_REACH * face.width));
    for (let x = from; x <= to; x++) {
      // the nose may be as cold as a lens: it lies in the middle of the lower rows
      if (row > EYE_ROWS.nose * face.width && Math.abs(x - face.centreX) < 0.13 * face.width) continue;
      const value = celsius[(face.top + row) * width + x];
      if (value !== undefined && !Number.isNaN(value)) values.push(value);
    }
  }
  const upper = computeQuantile(values, 0.75);
  if (upper === undefined) return 1;
  return values.filter((value) => value < upper - COVER_DEPTH_C).length / values.length;
}

/** Correlation of the left with the mirrored right half about an axis, −1 to 1. */
export function computeSymmetry(sums: AreaSum, face: FaceOutline, axis: number): number {
  const half = Math.max(1, Math.round(0.02 * face.width));
  const step = Math.max(1, Math.round(0.04 * face.width));
  const height = face.bottom - face.top;
  const pairs: [number, number][] = [];
  for (let y = face.top + 0.15 * height; y < face.bottom - 0.15 * height; y += step)
    for (let d = 0.06 * face.width; d < 0.4 * face.width; d += step)
      pairs.push([sums.meanAround(axis - d, y, half), sums.meanAround(axis + d, y, half)]);
  return correlate(pairs);
}

function correlate(pairs: readonly (readonly [number, number])[]): number {
  const n = pairs.length;
  const ma = pairs.reduce((sum, [a]) => sum + a, 0) / n;
  const mb = pairs.reduce((sum, [, b]) => sum + b, 0) / n;
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (const [a, b] of pairs) {
    ab += (a - ma) * (b - mb);
    aa += (a - ma) ** 2;
    bb += (b - mb) ** 2;
  }
  return aa * bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}

function peakAround(
  sums: AreaSum,
  {
    x,
    y,
    reach,
    half,
  }: { readonly x: number; readonly y: number; readonly reach: number; readonly half: number },
): number {
  let best = Number.NEGATIVE_INFINITY;
  for (let dy = -reach; dy <= reach; dy++)
    for (let dx = -reach; dx <= reach; dx++) best = Math.max(best, sums.meanAround(x + dx, y + dy, half));
  return best;
}

/** Warmest square of the face without a rim of ears and hair, and without the rows of jaw and neck. */
function findMaximum(sums: AreaSum, face: FaceOutline, half: number): number {
  const height = face.bottom - face.top;
  let best = Number.NEGATIVE_INFINITY;
  for (let row = Math.round(0.06 * height); row < Math.round(0.86 * height); row++) {
    const rim = 0.08 * face.width;
    const to = (face.right[row] ?? 0) - rim;
    for (let x = Math.ceil((face.left[row] ?? 0) + rim); x <= to; x++)
      best = Math.max(best, sums.meanAround(x, face.top + row, half));
  }
  return best;
}
