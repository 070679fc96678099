import type { Point } from './box.ts';

/** Even-odd rule (PNPOLY, W. R. Franklin); a point on the border may be either. */
export function isInside(polygon: readonly Point[], [px, py]: Point): boolean {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i, i++) {
    const [xi, yi] = polygon[i] as Point;
    const [xj, yj] = polygon[j] as Point;
    if (yi > py !== yj > py && px < ((xj - xi) * (py - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

/** Distance of a point to the border of a polygon, px. */
export function computeBorderDistance(polygon: readonly Point[], [px, py]: Point): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i, i++) {
    const [ax, ay] = polygon[j] as Point;
    const [bx, by] = polygon[i] as Point;
    const squared = (bx - ax) ** 2 + (by - ay) ** 2;
    const along =
      squared === 0 ? 0 : Math.min(1, Math.max(0, ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / squared));
    best = Math.min(best, Math.hypot(px - ax - along * (bx - ax), py - ay - along * (by - ay)));
  }
  return best;
}

/** Distance of a point to the border of a polygon, px; negative outside. */
export function computeSignedDistance(polygon: readonly Point[], point: Point): number {
  const distance = computeBorderDistance(polygon, point);
  return isInside(polygon, point) ? distance : -distance;
}
