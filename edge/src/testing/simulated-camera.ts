import type { Point } from '../geometry/box.ts';

/** A camera without distortion above a flat road: ground x to the right, y away from it, origin below it, m. */
export interface SimulatedCamera {
  readonly width: number;
  readonly height: number;
  readonly focalPx: number;
  readonly depressionDeg: number;
  readonly heightM: number;
}

/** Where a place (z above the road, m) is seen, px. */
export function projectPlace(
  camera: SimulatedCamera,
  [x, y, z = 0]: readonly [x: number, y: number, z?: number],
): Point {
  const angle = (camera.depressionDeg * Math.PI) / 180;
  const up = z - camera.heightM;
  const depth = y * Math.cos(angle) - up * Math.sin(angle);
  const down = -y * Math.sin(angle) - up * Math.cos(angle);
  return [
    camera.width / 2 + (camera.focalPx * x) / depth,
    camera.height / 2 + (camera.focalPx * down) / depth,
  ];
}
