import type { Point } from '../geometry/box.ts';
import type { StillPicture } from './background.ts';
import { MIN_PAINT_CONTRAST, measureContrast, PAINT_WIDTHS } from './paint.ts';

/** Samples along the line, px of the analysed picture. */
const STEP_PX = 2;
/** A line strays from the straight one by at most this share of the picture's height: a bend of the lens, an angle a little off. */
const REACH_SHARE = 0.035;
/** Each pixel that the path moves aside between two samples must be paid for by so much contrast. */
const BEND_COST = 20;
/** A sample tells at most so much: a glaring spot beside the line must not draw the path to it. */
const MAX_GAIN = 3 * MIN_PAINT_CONTRAST;
/** Paint is followed over a gap of this share of the picture's width … */
const MAX_GAP_SHARE = 0.02;
/** … while this share of what was followed is paint … */
const MIN_PAINTED_SHARE = 0.6;
/** … that stands out about as much as the line found does: worn paint less, kerbs and poles more. */
const MIN_LIKE_SHARE = 0.4;
const MAX_LIKE_SHARE = 2.5;
/** Corners of the line are left out where it moves by less, px of the analysed picture. */
const TOLERANCE_PX = 1.5;

interface Sample {
  readonly point: Point;
  /** Undefined outside the picture. */
  readonly contrast: number | undefined;
}

/**
 * Follows the paint of a line and beyond both its ends: it was looked for straight, and only as wide as the way, but a stop line
 * reaches from kerb to kerb, and the lens bends it a little. Of all paths near the straight line the one with the most contrast
 * and the fewest bends is taken (dynamic programming); it ends where the paint does.
 * @param ends of the straight line, source pixels
 * @param direction unit vector of those who cross it
 * @returns the corners of the line, from the side of the first end on, source pixels
 */
export function traceLine(picture: StillPicture, ends: readonly [Point, Point], direction: Point): Point[] {
  const [a, b] = ends;
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
  const stepPx = STEP_PX * picture.scale;
  if (length < 2 * stepPx) return [a, b];
  const along: Point = [(b[0] - a[0]) / length, (b[1] - a[1]) / length];
  const reach = Math.round(REACH_SHARE * picture.height);
  const beyond = Math.ceil(Math.hypot(picture.width, picture.height) / STEP_PX);
  const last = Math.round(length / stepPx);
  const columns: Sample[][] = [];
  for (let k = -beyond; k <= last + beyond; k++) {
    const column = Array.from({ length: 2 * reach + 1 }, (_, row): Sample => {
      const aside = (row - reach) * picture.scale;
      const point: Point = [
        a[0] + k * stepPx * along[0] + aside * direction[0],
        a[1] + k * stepPx * along[1] + aside * direction[1],
      ];
      return { point, contrast: widestContrast(picture, point, direction) };
    });
    columns.push(column);
  }
  const path = findPath(columns);
  const core = [beyond, beyond + last] as const;
  const maxGap = (MAX_GAP_SHARE * picture.width) / STEP_PX;
  // a narrow way shows little of its line: what the paint is like is known once it was followed
  const [from, to] = findEnds(path, core, maxGap, findEnds(path, core, maxGap, core));
  return simplify(
    path.slice(from, to + 1).map(({ point }) => point),
    TOLERANCE_PX * picture.scale,
  );
}

function widestContrast(picture: StillPicture, point: Point, direction: Point): number | undefined {
  let best: number | undefined;
  for (const width of PAINT_WIDTHS) {
    const contrast = measureContrast(picture, point, width, direction);
    if (contrast !== undefined && contrast > (best ?? Number.NEGATIVE_INFINITY)) best = contrast;
  }
  return best;
}

/** One sample of each column: the most gain, less the cost of moving aside. */
function findPath(columns: readonly (readonly Sample[])[]): Sample[] {
  const rows = columns[0]?.length ?? 0;
  let gains = new Float64Array(rows);
  const origins: Int16Array[] = [];
  for (const column of columns) {
    const next = new Float64Array(rows);
    const origin = new Int16Array(rows);
    for (let row = 0; row < rows; row++) {
      let best = row;
      for (const from of [row - 1, row + 1]) {
        if (from < 0 || from >= rows) continue;
        const now = (gains[best] ?? 0) - (best === row ? 0 : BEND_COST);
        if ((gains[from] ?? 0) - BEND_COST > now) best = from;
      }
      const contrast = column[row]?.contrast ?? 0;
      origin[row] = best;
      next[row] =
        (gains[best] ?? 0) -
        (best === row ? 0 : BEND_COST) +
        Math.min(MAX_GAIN, Math.max(-MIN_PAINT_CONTRAST, contrast));
    }
    gains = next;
    origins.push(origin);
  }
  let row = gains.indexOf(Math.max(...gains));
  const path: Sample[] = [];
  for (let k = columns.length - 1; k >= 0; k--) {
    const sample = columns[k]?.[row];
    if (sample !== undefined) path.push(sample);
    row = origins[k]?.[row] ?? row;
  }
  return path.reverse();
}

/** Where the paint of the path ends on both sides of its core; what is paint is told by the part that is known to be. */
function findEnds(
  path: readonly Sample[],
  [first, last]: readonly [number, number],
  maxGap: number,
  [knownFrom, knownTo]: readonly [number, number],
): [number, number] {
  const known = path
    .slice(knownFrom, knownTo + 1)
    .map(({ contrast }) => contrast ?? 0)
    .sort((x, y) => x - y);
  const usual = Math.max(MIN_PAINT_CONTRAST, known[known.length >> 1] ?? 0);
  const least = Math.max(MIN_PAINT_CONTRAST, MIN_LIKE_SHARE * usual);
  const follow = (from: number, side: 1 | -1): number => {
    let end = from;
    let painted = 0;
    for (let k = from + side; Math.abs(k - end) <= maxGap; k += side) {
      const contrast = path[k]?.contrast;
      if (contrast === undefined) break;
      if (contrast < least || contrast > MAX_LIKE_SHARE * usual) continue;
      painted += 1;
      if (painted >= MIN_PAINTED_SHARE * Math.abs(k - from)) end = k;
    }
    return end;
  };
  return [follow(first, -1), follow(last, 1)];
}

/** Leaves out corners that lie within the tolerance of the line without them (Douglas and Peucker, 1973). */
function simplify(points: readonly Point[], tolerance: number): Point[] {
  const [a, b] = [points[0], points.at(-1)];
  if (a === undefined || b === undefined || points.length < 3) return [...points];
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]) || 1;
  let [farthest, distance] = [0, 0];
  points.forEach(([x, y], index) => {
    const off = Math.abs((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / length;
    if (off > distance) [farthest, distance] = [index, off];
  });
  if (distance <= tolerance) return [a, b];
  return [
    ...simplify(points.slice(0, farthest + 1), tolerance).slice(0, -1),
    ...simplify(points.slice(farthest), tolerance),
  ];
}
