import type { CameraPose, PictureBox, PicturePoint } from './ground-camera.ts';

/** The convex hull of a body in the picture, with its box. */
export interface Silhouette {
  readonly points: readonly PicturePoint[];
  readonly box: PictureBox;
}

/** Samples across and down the box of a road user, at which it is seen whether something nearer covers it. */
const SAMPLES = 14;

/** How much of a road user (its silhouettes together) nobody of `nearer` covers, and the box around what is left. */
export function computeVisibility(
  own: readonly Silhouette[],
  nearer: readonly Silhouette[],
  picture: CameraPose,
): { visibleShare: number; visibleBox?: PictureBox } {
  const first = own[0];
  if (first === undefined) return { visibleShare: 0 };
  const [x1, y1, x2, y2] = own.reduce(unite, first.box);
  const ownHulls = own.map(({ points }) => computeHull(points));
  const hulls = nearer
    .filter(({ box }) => box[0] < x2 && box[2] > x1 && box[1] < y2 && box[3] > y1)
    .map(({ points }) => computeHull(points));
  let total = 0;
  let seen = 0;
  let around: [number, number, number, number] | undefined;
  const [stepX, stepY] = [(x2 - x1) / SAMPLES, (y2 - y1) / SAMPLES];
  for (let row = 0; row < SAMPLES; row++) {
    for (let column = 0; column < SAMPLES; column++) {
      const [x, y] = [x1 + (column + 0.5) * stepX, y1 + (row + 0.5) * stepY];
      if (!ownHulls.some((hull) => isInHull(hull, x, y))) continue;
      total += 1;
      const isOut = x < 0 || y < 0 || x >= picture.width || y >= picture.height;
      if (isOut || hulls.some((hull) => isInHull(hull, x, y))) continue;
      seen += 1;
      around = grow(around, [x - stepX / 2, y - stepY / 2, x + stepX / 2, y + stepY / 2]);
    }
  }
  const visibleShare = total === 0 ? 0 : seen / total;
  if (around === undefined) return { visibleShare };
  // what is whole has its exact box, not that of the samples
  const isWhole = visibleShare === 1;
  return { visibleShare, visibleBox: isWhole ? [x1, y1, x2, y2] : around };
}

function unite(box: PictureBox, { box: other }: Silhouette): PictureBox {
  return [
    Math.min(box[0], other[0]),
    Math.min(box[1], other[1]),
    Math.max(box[2], other[2]),
    Math.max(box[3], other[3]),
  ];
}

function grow(
  around: [number, number, number, number] | undefined,
  cell: [number, number, number, number],
): [number, number, number, number] {
  if (around === undefined) return cell;
  return [
    Math.min(around[0], cell[0]),
    Math.min(around[1], cell[1]),
    Math.max(around[2], cell[2]),
    Math.max(around[3], cell[3]),
  ];
}

/** Convex hull (Andrew's monotone chain), counter-clockwise in a y-up frame. */
function computeHull(points: readonly PicturePoint[]): readonly PicturePoint[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (list: readonly PicturePoint[]): PicturePoint[] => {
    const chain: PicturePoint[] = [];
    for (const point of list) {
      while (chain.length >= 2 && turn(chain.at(-2), chain.at(-1), point) <= 0) chain.pop();
      chain.push(point);
    }
    return chain.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.toReversed())];
}

function turn(a: PicturePoint | undefined, b: PicturePoint | undefined, c: PicturePoint): number {
  if (a === undefined || b === undefined) return 1;
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

function isInHull(hull: readonly PicturePoint[], x: number, y: number): boolean {
  for (let i = 0; i < hull.length; i++) {
    if (turn(hull[i], hull[(i + 1) % hull.length], [x, y]) < 0) return false;
  }
  return hull.length >= 3;
}
