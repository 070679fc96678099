import { joinRegions, type WarmRegion } from './warm-region.ts';

/** The face in a warm region: from the hairline to the chin, without the neck. Rows count from `top`. px. */
export interface FaceOutline {
  readonly top: number;
  /** First row that is no longer face. */
  readonly bottom: number;
  /** Width of the head where it is widest. */
  readonly width: number;
  /** One entry a row of the face, indentations filled; `right` lies inside. */
  readonly left: Float64Array;
  readonly right: Float64Array;
  /** Middle of the face, px. */
  readonly centreX: number;
  /** True where the neck was told from the jaw by its width. */
  readonly hasNeck: boolean;
}

/*
 * Proportions in head widths W. From the hairline to the chin a face is 1.1–1.5 W high, with the whole bald head 1.7 W; the neck is
 * narrower than 0.75 W (read off the pictures of the thermal-faces set and of anthropometric drawings; U).
 */
const WIDEST_WITHIN = 1.1;
const CHIN_FROM = 0.85;
const CHIN_TO = 1.75;
const NECK_WIDTH = 0.76;
const DEFAULT_HEIGHT = 1.35;
/** Indentations of the outline up to this high are glasses or hair, not the neck. */
const CLOSE_WITHIN = 0.3;
const MAX_GAP = 0.35;
const MIN_OVERLAP = 0.6;
/** What a face's outline may look like, from hairline to chin, or to the mask, over width. */
const ASPECT = { low: 0.55, high: 1.95 };
/** Share of the box that the region must fill. */
const MIN_FILL = 0.4;

/** Joins what lies one above the other like the two parts of a face behind glasses. Largest first. */
export function joinFaceParts(regions: readonly WarmRegion[]): WarmRegion[] {
  const left = [...regions];
  const joined: WarmRegion[] = [];
  for (let region = left.shift(); region !== undefined; region = left.shift()) {
    let whole = region;
    for (let other = findPart(whole, left); other >= 0; other = findPart(whole, left))
      whole = joinRegions(whole, left.splice(other, 1)[0] ?? whole);
    joined.push(whole);
  }
  return joined.sort((a, b) => b.area - a.area);
}

function spanOf(region: WarmRegion): { low: number; high: number; width: number } {
  const low = region.left.reduce((least, x) => Math.min(least, x), Number.POSITIVE_INFINITY);
  const high = region.right.reduce((most, x) => Math.max(most, x), 0);
  return { low, high, width: high - low + 1 };
}

function findPart(whole: WarmRegion, others: readonly WarmRegion[]): number {
  const own = spanOf(whole);
  return others.findIndex((other) => {
    const span = spanOf(other);
    const overlap = Math.min(own.high, span.high) - Math.max(own.low, span.low);
    const gap = Math.max(
      other.top - (whole.top + whole.left.length),
      whole.top - (other.top + other.left.length),
    );
    const wide = Math.max(own.width, span.width);
    const alike = Math.min(own.width, span.width) > 0.45 * wide;
    return (
      alike &&
      overlap > MIN_OVERLAP * Math.min(own.width, span.width) &&
      gap < MAX_GAP * Math.min(own.width, span.width)
    );
  });
}

/** The face of a warm region; undefined where its shape is none of a head seen upright. */
export function traceFace(region: WarmRegion): FaceOutline | undefined {
  const extent = findHeadWidth(region);
  if (extent < 8) return undefined;
  const { left, right } = closeOutline(region, Math.round(CLOSE_WITHIN * extent));
  const widths = left.map((x, row) => (right[row] ?? x) - x + 1);
  const first = findFirstRow(widths, extent);
  const { chin, hasNeck } = findChin(widths, first, extent);
  const height = chin - first;
  const faceLeft = left.slice(first, chin);
  const faceRight = right.slice(first, chin);
  const aspect = height / extent;
  const fill =
    widths.slice(first, chin).reduce((sum, value) => sum + Math.min(value, extent * 1.2), 0) /
    (height * extent);
  if (!(aspect >= ASPECT.low && aspect <= ASPECT.high) || fill < MIN_FILL) return undefined;
  return {
    top: region.top + first,
    bottom: region.top + chin,
    width: extent,
    left: faceLeft,
    right: faceRight,
    centreX: computeCentre(faceLeft, faceRight),
    hasNeck,
  };
}

/** The head's width: it grows from the top of the region; what is wider far below is shoulders. */
function findHeadWidth(region: WarmRegion): number {
  let width = 0;
  const widths: number[] = [];
  for (const [row, x] of region.left.entries()) {
    const own = (region.right[row] ?? x) - x + 1;
    if (row > WIDEST_WITHIN * Math.max(width, 8)) break;
    widths.push(own);
    width = Math.max(width, own);
  }
  // a strand of hair or an ear in a few rows does not make a head wider
  const sorted = [...widths].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.92)] ?? 0;
}

/** Fills indentations of either side that are lower than `rows`: morphological closing of the outline. */
function closeOutline(region: WarmRegion, rows: number): { left: Float64Array; right: Float64Array } {
  const left = Float64Array.from(region.left);
  const right = Float64Array.from(region.right);
  const close = (line: Float64Array, sign: 1 | -1): Float64Array => {
    const outward = line.map((x) => x * sign);
    const dilated = slide(outward, rows, Math.max);
    return slide(dilated, rows, Math.min).map((x) => x * sign);
  };
  return { left: close(left, -1), right: close(right, 1) };
}

function slide(line: Float64Array, window: number, pick: (a: number, b: number) => number): Float64Array {
  const half = Math.floor(window / 2);
  return line.map((_, row) => {
    let best = line[row] ?? 0;
    for (let near = Math.max(0, row - half); near <= Math.min(line.length - 1, row + half); near++)
      best = pick(best, line[near] ?? best);
    return best;
  });
}

/** Strands of hair above the forehead are narrower than half of the head. */
function findFirstRow(widths: Float64Array, extent: number): number {
  const first = widths.findIndex((width) => width >= 0.45 * extent);
  return Math.max(0, first);
}

function findChin(widths: Float64Array, first: number, extent: number): { chin: number; hasNeck: boolean } {
  const from = first + Math.round(CHIN_FROM * extent);
  const to = Math.min(widths.length, first + Math.round(CHIN_TO * extent));
  for (let row = from; row < to; row++)
    if ((widths[row] ?? 0) < NECK_WIDTH * extent) return { chin: row, hasNeck: true };
  return { chin: Math.min(widths.length, first + Math.round(DEFAULT_HEIGHT * extent)), hasNeck: false };
}

/** Mean of the rows' middles, without the rows at both ends. */
function computeCentre(left: Float64Array, right: Float64Array): number {
  const from = Math.floor(left.length * 0.2);
  const to = Math.max(from + 1, Math.floor(left.length * 0.8));
  let sum = 0;
  for (let row = from; row < to; row++) sum += ((left[row] ?? 0) + (right[row] ?? 0)) / 2;
  return sum / (to - from);
}
