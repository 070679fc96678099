import type { Point } from './box.ts';
import type { GroundPlane } from './ground-plane.ts';
import type { GroundPoint } from './homography.ts';

/** A line of a metre grid as it lies in the picture. */
export interface GridLine {
  readonly points: readonly Point[];
  /** Ground coordinate of the line, m. */
  readonly atM: number;
  readonly axis: 'x' | 'y';
}

/** Steps of a grid, m: the smallest that gives no more lines than can be told apart. */
const STEPS = [1, 2, 5, 10, 20, 50] as const;
const MAX_LINES = 24;
/** Lines end this share of the calibrated area outside of it. */
const MARGIN = 0.15;
const SEGMENTS = 24;

/** Grid over the ground that some image points span; lines are cut where they leave the picture's side of the horizon. */
export function computeGroundGrid(
  plane: GroundPlane,
  marks: readonly Point[],
): { stepM: number; lines: GridLine[] } {
  const places = marks.map((mark) => plane.toGround(mark)).filter((place) => place !== undefined);
  const [xs, ys] = [places.map(([x]) => x), places.map(([, y]) => y)];
  const [left, right] = widen(Math.min(...xs), Math.max(...xs));
  const [near, far] = widen(Math.min(...ys), Math.max(...ys));
  const stepM = STEPS.find((step) => Math.max(right - left, far - near) / step <= MAX_LINES) ?? 100;
  const lines: GridLine[] = [];
  const add = (
    axis: 'x' | 'y',
    from: number,
    to: number,
    at: (value: number, share: number) => GroundPoint,
  ) => {
    for (let value = Math.ceil(from / stepM) * stepM; value <= to; value += stepM) {
      const points = Array.from({ length: SEGMENTS + 1 }, (_, k) => plane.toImage(at(value, k / SEGMENTS)));
      lines.push({ axis, atM: value, points: points.filter((point) => point !== undefined) });
    }
  };
  add('x', left, right, (x, share) => [x, near + share * (far - near)]);
  add('y', near, far, (y, share) => [left + share * (right - left), y]);
  return { stepM, lines };
}

function widen(low: number, high: number): readonly [number, number] {
  const margin = MARGIN * (high - low);
  return [low - margin, high + margin];
}
