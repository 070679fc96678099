/** Metres: x to the right of the camera, y forward over the ground, z up; the camera stands above the origin. */
export type WorldPoint = readonly [x: number, y: number, z: number];
export type GroundPoint = readonly [x: number, y: number];
/** Source pixels, origin top left, x to the right, y down. */
export type PicturePoint = readonly [x: number, y: number];
/** xyxy, source pixels. */
export type PictureBox = readonly [x1: number, y1: number, x2: number, y2: number];

export interface CameraPose {
  /** Above the road, m. */
  readonly heightM: number;
  /** Below the horizon, degrees. */
  readonly pitchDeg: number;
  readonly focalPx: number;
  readonly width: number;
  readonly height: number;
}

/** Nothing nearer to the picture plane than this is drawn, m. */
const NEAREST_M = 0.5;

/** A pinhole camera above a flat road, without roll and without lens distortion; its principal point is the middle. */
export class GroundCamera {
  readonly pose: CameraPose;
  readonly #sin: number;
  readonly #cos: number;

  constructor(pose: CameraPose) {
    this.pose = pose;
    this.#sin = Math.sin((pose.pitchDeg * Math.PI) / 180);
    this.#cos = Math.cos((pose.pitchDeg * Math.PI) / 180);
  }

  /** Distance of a point from the camera along its axis, m. */
  depthOf([, y, z]: WorldPoint): number {
    return y * this.#cos - (z - this.pose.heightM) * this.#sin;
  }

  /** Where a point appears; undefined behind the camera. */
  project(point: WorldPoint): PicturePoint | undefined {
    const depth = this.depthOf(point);
    if (depth < NEAREST_M) return undefined;
    const { focalPx, width, height, heightM } = this.pose;
    const down = -point[1] * this.#sin - (point[2] - heightM) * this.#cos;
    return [width / 2 + (focalPx * point[0]) / depth, height / 2 + (focalPx * down) / depth];
  }

  /** The point of the road that a pixel shows; undefined at and above the horizon. */
  groundAt([u, v]: PicturePoint): GroundPoint | undefined {
    const { focalPx, width, height, heightM } = this.pose;
    const right = (u - width / 2) / focalPx;
    const down = (v - height / 2) / focalPx;
    const sink = this.#sin + down * this.#cos;
    if (sink <= 1e-6) return undefined;
    const reach = heightM / sink;
    return [right * reach, (this.#cos - down * this.#sin) * reach];
  }

  /** How steeply the camera looks down at a point of the road, degrees. */
  depressionAt([x, y]: GroundPoint): number {
    return (Math.atan2(this.pose.heightM, Math.hypot(x, y)) * 180) / Math.PI;
  }

  /** True where a point lies in the picture, at least this share of its size away from the edge. */
  isInPicture([u, v]: PicturePoint, marginShare = 0): boolean {
    const { width, height } = this.pose;
    const dx = width * marginShare;
    const dy = height * marginShare;
    return u >= dx && v >= dy && u <= width - dx && v <= height - dy;
  }
}
