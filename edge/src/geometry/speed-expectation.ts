import type { Point } from './box.ts';
import type { GroundPlane } from './ground-plane.ts';
import type { GroundPoint } from './homography.ts';
import { computeUsualBody, estimateSpeed } from './speed-estimate.ts';

/** What a calibration promises for a car that drives away from the camera at a place. */
export interface SpeedExpectation {
  readonly image: Point;
  readonly ground: GroundPoint;
  readonly minMetresPerPx: number;
  readonly maxMetresPerPx: number;
  /** Half of the 95 % interval at 50 km/h over `travelM`, km/h; absent where no speed can be measured there. */
  readonly boundKmh?: number;
}

const SPEED_KMH = 50;
const CAR_HEIGHT_M = 1.5;

/** From the lowest to the highest of the marks, through their middle: near to far. */
export function computeSpeedExpectations(
  plane: GroundPlane,
  marks: readonly Point[],
  options: {
    readonly steps: number;
    readonly travelM: number;
    readonly fps: number;
    readonly depressionDeg: number;
  },
): SpeedExpectation[] {
  const x = marks.reduce((sum, mark) => sum + mark[0], 0) / marks.length;
  const low = Math.max(...marks.map(([, y]) => y));
  const high = Math.min(...marks.map(([, y]) => y));
  return Array.from(
    { length: options.steps },
    (_, index): Point => [x, low + (index / (options.steps - 1)) * (high - low)],
  ).flatMap((image) => {
    const ground = plane.toGround(image);
    const scale = plane.scaleAt(image);
    if (ground === undefined || scale === undefined) return [];
    const boundKmh = computeBound(plane, image, options);
    return [{ image, ground, ...scale, ...(boundKmh === undefined ? {} : { boundKmh }) }];
  });
}

function computeBound(
  plane: GroundPlane,
  image: Point,
  { travelM, fps, depressionDeg }: { travelM: number; fps: number; depressionDeg: number },
): number | undefined {
  const middle = plane.toGround(image);
  const above = plane.toGround([image[0], image[1] - 1]);
  if (middle === undefined || above === undefined) return undefined;
  const norm = Math.hypot(above[0] - middle[0], above[1] - middle[1]);
  const away: GroundPoint = [(above[0] - middle[0]) / norm, (above[1] - middle[1]) / norm];
  const seconds = travelM / (SPEED_KMH / 3.6);
  const count = Math.max(4, Math.round(seconds * fps) + 1);
  const samples = Array.from({ length: count }, (_, index) => {
    const way = travelM * (index / (count - 1) - 0.5);
    const point = plane.toImage([middle[0] + way * away[0], middle[1] + way * away[1]]);
    const scale = point === undefined ? undefined : plane.scaleAt(point);
    if (point === undefined || scale === undefined) return undefined;
    const timeMs = (1000 * seconds * index) / (count - 1);
    return { timeMs, point, boxHeight: CAR_HEIGHT_M / scale.minMetresPerPx };
  }).filter((sample) => sample !== undefined);
  if (samples.length < count) return undefined;
  const estimate = estimateSpeed(plane, samples, { ...computeUsualBody('car'), depressionDeg });
  return estimate === undefined ? undefined : (estimate.highKmh - estimate.lowKmh) / 2;
}
