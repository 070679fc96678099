import type { Scene } from '@ngatu/contract';
import type { Point } from '../geometry/box.ts';
import { computeSignedDistance } from '../geometry/polygon.ts';
import { type GroundBound, type GroundOutline, layOnGround, measureParts, SIDES } from './ground-outline.ts';
import { findZone } from './zone-position.ts';

/** How a road user lies in a lane; px. */
export interface LaneSight {
  /** `in`: its middle is inside by more than the error, and both sides seem to be; `out`: its middle is outside by more than the error. */
  readonly place: 'in' | 'doubtful' | 'out';
  /** Distance of the side that is nearer to the border (negative outside), and its error. */
  readonly marginPx: number;
  readonly errorPx: number;
}

/** A lane, drawn as a zone. */
export class LaneZone {
  readonly name: string;
  readonly #polygon: readonly Point[];

  /** @throws RangeError where the scene has no such zone; a loaded scene was checked for that */
  constructor(scene: Scene, name: string) {
    this.name = name;
    this.#polygon = findZone(scene, name);
  }

  locate(outline: GroundOutline, { sideErrorPx, depthErrorPx }: GroundBound): LaneSight {
    const distanceOf = (point: Point): number => computeSignedDistance(this.#polygon, point);
    const sides = measureParts(outline, SIDES, { distanceOf, sideErrorPx, depthErrorPx });
    const nearer = sides.reduce((a, b) => (b.distance - b.error < a.distance - a.error ? b : a));
    const middle = distanceOf(outline.centre);
    const isIn = nearer.distance > 0 && middle > nearer.error;
    const isOut = middle < -nearer.error;
    return {
      place: isIn ? 'in' : isOut ? 'out' : 'doubtful',
      marginPx: nearer.distance,
      errorPx: nearer.error,
    };
  }

  /**
   * Direction of the lane on the ground, a unit vector either way: the long axis of its area (principal axis of the second
   * moments) after depths are stretched by 1 / `sin` of the angle by which the camera looks down.
   */
  computeAxis(sin: number): Point {
    const points = this.#polygon.map(([x, y]): Point => [x, y / sin]);
    const [cx, cy] = computeCentroid(points);
    let [xx, xy, yy] = [0, 0, 0];
    forEachSide(points, ([ax, ay], [bx, by]) => {
      const [px, py, qx, qy] = [ax - cx, ay - cy, bx - cx, by - cy];
      const cross = px * qy - qx * py;
      xx += cross * (px * px + px * qx + qx * qx);
      yy += cross * (py * py + py * qy + qy * qy);
      xy += (cross * (px * qy + 2 * px * py + 2 * qx * qy + qx * py)) / 2;
    });
    // the sign of the moments is that of the order of the corners
    const sign = Math.sign(xx + yy) || 1;
    const angle = Math.atan2(sign * 2 * xy, sign * (xx - yy)) / 2;
    return [Math.cos(angle), Math.sin(angle)];
  }
}

/** Angle between a direction in the picture and an axis on the ground, degrees, 0 to 90. */
export function computeAxisAngle(heading: Point, axis: Point, sin: number): number {
  const [x, y] = layOnGround(heading, sin);
  return (Math.acos(Math.min(1, Math.abs(x * axis[0] + y * axis[1]))) * 180) / Math.PI;
}

function computeCentroid(points: readonly Point[]): Point {
  let [area, sx, sy] = [0, 0, 0];
  const [ox, oy] = points[0] ?? [0, 0];
  forEachSide(points, ([ax, ay], [bx, by]) => {
    const cross = (ax - ox) * (by - oy) - (bx - ox) * (ay - oy);
    area += cross;
    sx += cross * (ax + bx - 2 * ox);
    sy += cross * (ay + by - 2 * oy);
  });
  return area === 0 ? [ox, oy] : [ox + sx / (3 * area), oy + sy / (3 * area)];
}

function forEachSide(points: readonly Point[], visit: (from: Point, to: Point) => void): void {
  points.forEach((to, i) => {
    const from = points.at(i - 1);
    if (from !== undefined) visit(from, to);
  });
}
