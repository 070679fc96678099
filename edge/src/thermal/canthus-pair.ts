import type { AreaSum } from './area-sum.ts';
import type { FaceOutline } from './face-outline.ts';
import { computeQuantile } from './order-statistics.ts';
import type { CanthusHint } from './visible-pairing.ts';

export interface CanthusPair {
  readonly leftX: number;
  readonly leftY: number;
  readonly rightX: number;
  readonly rightY: number;
  /** How much the weaker spot is warmer than what surrounds it, °C. */
  readonly contrastC: number;
}

/*
 * In head widths W: the inner corners of the eyes lie 0.08–0.19 W beside the middle of the face, at one height but for the lean of the head,
 * and are spots of some 0.06 W (anthropometric intercanthal width of 30–36 mm on faces of 130–150 mm; U).
 */
const OFFSET = { from: 0.08, to: 0.19 };
const MIDDLE_WITHIN = 0.34;
const MAX_LEAN = 0.07;
const SPOT = 0.035;
const RING = 0.11;
/** Below the upper end of the face: a low hairline, or a bald head. */
const EYES = { from: 0.18, to: 0.85 };
/** A spot stands out of its surroundings by at least this, °C. */
const MIN_CONTRAST_C = 0.16;
/** And out of at least six of its eight neighbours, at this distance, by this. */
const NEIGHBOURS = 0.085;
const MIN_STANDING_C = 0.05;
const MAX_PEAKS = 60;

interface Peak {
  readonly x: number;
  readonly y: number;
  readonly contrast: number;
  readonly celsius: number;
}

/**
 * The inner canthi as the warmest pair of small spots on both sides of the nose; undefined where no such pair stands out
 * (glasses, closed or turned face, too few pixels). The frame's values come as area sums.
 */
export function findCanthi(sums: AreaSum, face: FaceOutline): CanthusPair | undefined {
  const warmC = computeWarmLevel(sums, face);
  const peaks = findPeaks(sums, face).filter(({ celsius }) => celsius >= warmC);
  let best: { pair: CanthusPair; score: number } | undefined;
  for (const left of peaks) {
    for (const right of peaks) {
      const score = scorePair(sums, face, { left, right });
      if (score === undefined || (best !== undefined && score <= best.score)) continue;
      const contrastC = Math.min(left.contrast, right.contrast);
      best = { score, pair: { leftX: left.x, leftY: left.y, rightX: right.x, rightY: right.y, contrastC } };
    }
  }
  return best?.pair;
}

/** How far from its hint a canthus may be, in head widths: error of the homography and of the landmarks. */
const HINT_REACH = 0.07;

/** The warmest spots near the places that a visible camera names; undefined where they do not stand out as canthi do. */
export function locateCanthi(sums: AreaSum, face: FaceOutline, hint: CanthusHint): CanthusPair | undefined {
  const spot = Math.max(1, Math.round(SPOT * face.width));
  const ring = Math.max(spot + 2, Math.round(RING * face.width));
  const warmC = computeWarmLevel(sums, face);
  const find = ([hx, hy]: readonly [number, number]): Peak => {
    const reach = Math.ceil(HINT_REACH * face.width);
    let best: Peak = { x: hx, y: hy, contrast: 0, celsius: Number.NEGATIVE_INFINITY };
    for (let y = Math.round(hy) - reach; y <= Math.round(hy) + reach; y++) {
      for (let x = Math.round(hx) - reach; x <= Math.round(hx) + reach; x++) {
        const celsius = sums.meanAround(x, y, spot);
        if (celsius > best.celsius) best = { x, y, celsius, contrast: celsius - sums.meanAround(x, y, ring) };
      }
    }
    return best;
  };
  const left = find(hint.left);
  const right = find(hint.right);
  const contrastC = Math.min(left.contrast, right.contrast);
  if (contrastC < MIN_CONTRAST_C / 2 || Math.min(left.celsius, right.celsius) < warmC) return undefined;
  return { leftX: left.x, leftY: left.y, rightX: right.x, rightY: right.y, contrastC };
}

/** The canthi are among the warmest places of a face: three quarters of it are not warmer, °C. */
function computeWarmLevel(sums: AreaSum, face: FaceOutline): number {
  const step = Math.max(1, Math.round(0.05 * face.width));
  const values: number[] = [];
  for (let y = face.top + step; y < face.bottom; y += step)
    for (let x = face.centreX - 0.36 * face.width; x <= face.centreX + 0.36 * face.width; x += step)
      values.push(sums.meanAround(x, y, 1));
  return computeQuantile(values, 0.75) ?? Number.POSITIVE_INFINITY;
}

/** Local maxima of spot minus surroundings, strongest first. */
function findPeaks(sums: AreaSum, face: FaceOutline): Peak[] {
  const spot = Math.max(1, Math.round(SPOT * face.width));
  const ring = Math.max(spot + 2, Math.round(RING * face.width));
  const y0 = Math.round(face.top + EYES.from * face.width);
  const y1 = Math.round(Math.min(face.bottom, face.top + EYES.to * face.width));
  const reach = Math.round((OFFSET.to + MIDDLE_WITHIN) * face.width);
  const x0 = Math.round(face.centreX - reach);
  const columns = 2 * reach + 1;
  const rows = Math.max(0, y1 - y0 + 1);
  const response = new Float32Array(columns * rows);
  for (let row = 0, i = 0; row < rows; row++)
    for (let column = 0; column < columns; column++, i++)
      response[i] =
        sums.meanAround(x0 + column, y0 + row, spot) - sums.meanAround(x0 + column, y0 + row, ring);
  const peaks: Peak[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const contrast = response[row * columns + column] ?? 0;
      if (contrast < MIN_CONTRAST_C || !isPeak(response, { row, column, rows, columns, reach: spot }))
        continue;
      const x = x0 + column;
      const y = y0 + row;
      const standing = measureStanding(sums, { x, y, spot, distance: NEIGHBOURS * face.width });
      if (standing >= MIN_STANDING_C)
        peaks.push({
          x,
          y,
          contrast: Math.min(contrast, 2 * standing),
          celsius: sums.meanAround(x, y, spot),
        });
    }
  }
  return peaks.sort((a, b) => b.contrast - a.contrast).slice(0, MAX_PEAKS);
}

/**
 * By how much a spot is warmer than the third warmest of its eight neighbours. The edge of a mask or of glasses goes on to both
 * sides and stands out of nothing; of a canthus only the rims of the lids go on. °C.
 */
function measureStanding(
  sums: AreaSum,
  {
    x,
    y,
    spot,
    distance,
  }: { readonly x: number; readonly y: number; readonly spot: number; readonly distance: number },
): number {
  const around = Array.from({ length: 8 }, (_, index) => {
    const angle = (index * Math.PI) / 4;
    return sums.meanAround(x + distance * Math.cos(angle), y + distance * Math.sin(angle), spot);
  }).sort((a, b) => b - a);
  return sums.meanAround(x, y, spot) - (around[2] ?? Number.POSITIVE_INFINITY);
}

interface Place {
  readonly row: number;
  readonly column: number;
  readonly rows: number;
  readonly columns: number;
  readonly reach: number;
}

/** A place at the border of what was searched is no peak: the values rise beyond it. */
function isPeak(response: Float32Array, { row, column, rows, columns, reach }: Place): boolean {
  if (row === 0 || column === 0 || row === rows - 1 || column === columns - 1) return false;
  const own = response[row * columns + column] ?? 0;
  for (let y = Math.max(0, row - reach); y <= Math.min(rows - 1, row + reach); y++)
    for (let x = Math.max(0, column - reach); x <= Math.min(columns - 1, column + reach); x++)
      if ((response[y * columns + x] ?? 0) > own) return false;
  return true;
}

/** How much a pair looks like canthi: both stand out, alike, at one height, and the nose between and below is cooler. */
function scorePair(
  sums: AreaSum,
  face: FaceOutline,
  { left, right }: { readonly left: Peak; readonly right: Peak },
): number | undefined {
  const w = face.width;
  const apart = right.x - left.x;
  if (apart < 2 * OFFSET.from * w || apart > 2 * OFFSET.to * w) return undefined;
  if (Math.abs(right.y - left.y) > MAX_LEAN * w + 0.12 * apart) return undefined;
  const middle = (left.x + right.x) / 2;
  const aside = Math.abs(middle - face.centreX) / w;
  if (aside > MIDDLE_WITHIN) return undefined;
  const y = (left.y + right.y) / 2;
  const bridge = sums.meanOf(middle - 0.03 * w, y - 0.02 * w, middle + 0.03 * w, y + 0.08 * w);
  const nose = sums.meanOf(middle - 0.07 * w, y + 0.15 * w, middle + 0.07 * w, y + 0.38 * w);
  const warm = Math.min(left.celsius, right.celsius);
  if (warm < bridge || warm < nose) return undefined;
  const weaker = Math.min(left.contrast, right.contrast);
  return (
    weaker +
    0.25 * Math.max(left.contrast, right.contrast) +
    0.15 * Math.min(3, warm - nose) -
    0.5 * Math.abs(left.celsius - right.celsius) -
    2 * aside
  );
}
