import type { Point } from './box.ts';

/** Place on the road, m; right-handed seen from above. */
export type GroundPoint = readonly [x: number, y: number];

/** 3×3, row-major. Image → ground: `[X·w, Y·w, w] = H·[x, y, 1]`. */
export type Homography = readonly [number, number, number, number, number, number, number, number, number];

/** A point mapped by a homography: its place and the third homogeneous coordinate, 0 on the horizon. */
export interface MappedPoint {
  readonly x: number;
  readonly y: number;
  readonly w: number;
}

export function mapPoint(h: Homography, [x, y]: Point): MappedPoint {
  const w = h[6] * x + h[7] * y + h[8];
  return { x: (h[0] * x + h[1] * y + h[2]) / w, y: (h[3] * x + h[4] * y + h[5]) / w, w };
}

/** Derivatives of the mapped place by the point: `[∂X/∂x, ∂X/∂y, ∂Y/∂x, ∂Y/∂y]`. */
export function computeMapJacobian(
  h: Homography,
  point: Point,
): readonly [xx: number, xy: number, yx: number, yy: number] {
  const { x, y, w } = mapPoint(h, point);
  return [(h[0] - x * h[6]) / w, (h[1] - x * h[7]) / w, (h[3] - y * h[6]) / w, (h[4] - y * h[7]) / w];
}

/** Derivatives of the mapped place by the first eight entries (the ninth held): rows of 8 for X and for Y. */
export function computeEntryJacobian(h: Homography, point: Point): { x: Float64Array; y: Float64Array } {
  const mapped = mapPoint(h, point);
  const [px, py] = point;
  const u = px / mapped.w;
  const v = py / mapped.w;
  const one = 1 / mapped.w;
  return {
    x: Float64Array.of(u, v, one, 0, 0, 0, -mapped.x * u, -mapped.x * v),
    y: Float64Array.of(0, 0, 0, u, v, one, -mapped.y * u, -mapped.y * v),
  };
}

/** The inverse up to scale (the adjugate), scaled so that the signs of w agree: a point before the camera keeps w > 0. */
export function invertHomography(h: Homography): Homography {
  const [a, b, c, d, e, f, g, k, i] = h;
  const adjugate: Homography = [
    e * i - f * k,
    c * k - b * i,
    b * f - c * e,
    f * g - d * i,
    a * i - c * g,
    c * d - a * f,
    d * k - e * g,
    b * g - a * k,
    a * e - b * d,
  ];
  const determinant = a * adjugate[0] + b * adjugate[3] + c * adjugate[6];
  return adjugate.map((value) => value / determinant) as unknown as Homography;
}

export function multiply(a: Homography, b: Homography): Homography {
  const product = Array.from({ length: 9 }, (_, index) => {
    const row = 3 * Math.floor(index / 3);
    const column = index % 3;
    return [0, 1, 2].reduce((sum, k) => sum + (a[row + k] ?? 0) * (b[3 * k + column] ?? 0), 0);
  });
  return product as unknown as Homography;
}

/** Moves and scales points so that their centroid is 0 and their mean distance from it √2 (Hartley 1997). */
export interface Normalisation {
  readonly centre: readonly [number, number];
  readonly scale: number;
}

export function computeNormalisation(points: readonly Point[]): Normalisation {
  const cx = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const cy = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  const mean = points.reduce((sum, [x, y]) => sum + Math.hypot(x - cx, y - cy), 0) / points.length;
  return { centre: [cx, cy], scale: mean > 0 ? Math.SQRT2 / mean : 1 };
}

export function normalise({ centre, scale }: Normalisation, [x, y]: Point): Point {
  return [(x - centre[0]) * scale, (y - centre[1]) * scale];
}

export function denormalise({ centre, scale }: Normalisation, [x, y]: Point): Point {
  return [x / scale + centre[0], y / scale + centre[1]];
}
