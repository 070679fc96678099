import type { Point } from './box.ts';

/** Where a point lies relative to a directed line. */
export interface LinePosition {
  /** Distance to the line, px: positive on the forward side, negative before the line. */
  readonly distance: number;
  /** How far beyond the nearer end of the line the point's foot lies along it, px; 0 between the ends. */
  readonly overrun: number;
}

/** A polyline with a forward side. The first and last segments are continued straight for the sign of the distance. */
export class DirectedLine {
  readonly #points: readonly Point[];
  readonly #sign: 1 | -1;

  /** @param forwardTowards any point on the forward side. */
  constructor(points: readonly Point[], forwardTowards: Point) {
    this.#points = points;
    this.#sign = 1;
    const side = this.locate(forwardTowards).distance;
    this.#sign = side < 0 ? -1 : 1;
  }

  locate([px, py]: Point): LinePosition {
    const last = this.#points.length - 2;
    let best = Number.POSITIVE_INFINITY;
    let result: LinePosition = { distance: 0, overrun: 0 };
    for (let i = 0; i <= last; i++) {
      const [ax, ay] = this.#points[i] as Point;
      const [bx, by] = this.#points[i + 1] as Point;
      const length = Math.hypot(bx - ax, by - ay);
      if (length === 0) continue;
      const along = ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / length;
      const across = ((bx - ax) * (py - ay) - (by - ay) * (px - ax)) / length;
      const before = i === 0 ? 0 : Math.max(0, -along);
      const after = i === last ? 0 : Math.max(0, along - length);
      const gap = Math.hypot(Math.max(before, after), across);
      if (gap >= best) continue;
      best = gap;
      const overrun = Math.max(i === 0 ? -along : 0, i === last ? along - length : 0, 0);
      result = {
        distance: this.#sign * Math.sign(across || 1) * (before + after > 0 ? gap : Math.abs(across)),
        overrun,
      };
    }
    return result;
  }
}
