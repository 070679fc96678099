type Point = readonly [number, number];

/** Twice the signed area of the triangle abc, px²: positive where c lies to the right of a → b in the picture. */
function cross(a: Point, b: Point, c: Point): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

/** Area of a polygon by the shoelace formula, px². */
export function computePolygonArea(polygon: readonly Point[]): number {
  let twice = 0;
  forEachEdge(polygon, (a, b) => {
    twice += a[0] * b[1] - b[0] * a[1];
  });
  return Math.abs(twice) / 2;
}

/** True where two edges of the polygon that are not neighbours touch or cross, or two neighbours fold back. */
export function isSelfIntersecting(polygon: readonly Point[]): boolean {
  const edges: [Point, Point][] = [];
  forEachEdge(polygon, (a, b) => edges.push([a, b]));
  for (const [index, first] of edges.entries()) {
    for (const [other, second] of edges.entries()) {
      if (other <= index) continue;
      const neighbours = other === index + 1 || (index === 0 && other === edges.length - 1);
      if (!neighbours && doSegmentsTouch(first[0], first[1], second[0], second[1])) return true;
    }
  }
  return false;
}

/**
 * Distance of `point` from the straight line through the segment of the polyline that lies nearest to it, px. Zero means
 * that the point tells no side of the line.
 */
export function computeSideDistance(polyline: readonly Point[], point: Point): number {
  let nearest = { distance: Number.POSITIVE_INFINITY, side: 0 };
  for (let index = 1; index < polyline.length; index++) {
    const a = polyline[index - 1];
    const b = polyline[index];
    if (a === undefined || b === undefined) continue;
    const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
    if (length === 0) continue;
    const distance = computeSegmentDistance(a, b, point);
    const side = Math.abs(cross(a, b, point)) / length;
    if (distance < nearest.distance) nearest = { distance, side };
  }
  return nearest.side;
}

function computeSegmentDistance(a: Point, b: Point, point: Point): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const along = ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / (dx * dx + dy * dy);
  const clamped = Math.min(1, Math.max(0, along));
  return Math.hypot(point[0] - a[0] - clamped * dx, point[1] - a[1] - clamped * dy);
}

function forEachEdge(polygon: readonly Point[], visit: (a: Point, b: Point) => void): void {
  for (const [index, a] of polygon.entries()) {
    const b = polygon[(index + 1) % polygon.length];
    if (b !== undefined) visit(a, b);
  }
}

function doSegmentsTouch(a: Point, b: Point, c: Point, d: Point): boolean {
  const [d1, d2, d3, d4] = [cross(a, b, c), cross(a, b, d), cross(c, d, a), cross(c, d, b)];
  if (Math.sign(d1) !== Math.sign(d2) && Math.sign(d3) !== Math.sign(d4)) return true;
  return [
    [d1, a, b, c],
    [d2, a, b, d],
    [d3, c, d, a],
    [d4, c, d, b],
  ].some(([side, from, to, point]) => side === 0 && isWithin(from as Point, to as Point, point as Point));
}

function isWithin(a: Point, b: Point, point: Point): boolean {
  return [0, 1].every((axis) => {
    const [low, high] = [Math.min(a[axis] ?? 0, b[axis] ?? 0), Math.max(a[axis] ?? 0, b[axis] ?? 0)];
    return (point[axis] ?? 0) >= low && (point[axis] ?? 0) <= high;
  });
}
