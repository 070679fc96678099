import type { RoadUserLabel } from '@ngatu/contract';
import { type CameraPose, GroundCamera, type GroundPoint } from './ground-camera.ts';
import type { PathPose } from './ground-path.ts';
import type { SceneRandom } from './scene-random.ts';

/** How the traffic that the case is about moves in the picture. */
export type SightDirection = 'away' | 'towards' | 'sideways';

/** Along is metres in the direction of travel, across is metres to its right; the origin is where it happens. */
export interface StreetPoint {
  readonly across: number;
  readonly along: number;
}

const HEADINGS: Readonly<Record<SightDirection, readonly number[]>> = {
  away: [90],
  towards: [-90],
  sideways: [0, 180],
};

/** A street before a camera. */
export class StreetSite {
  readonly camera: GroundCamera;
  readonly headingRad: number;
  /** What of the street lies in the picture. */
  readonly reach: SiteReach;
  /** Who can be shown on it; anybody where it is left out. */
  readonly labels: readonly RoadUserLabel[] | undefined;
  readonly #origin: GroundPoint;

  constructor(options: {
    camera: GroundCamera;
    reach: SiteReach;
    headingRad: number;
    origin: GroundPoint;
    labels?: readonly RoadUserLabel[];
  }) {
    this.camera = options.camera;
    this.reach = options.reach;
    this.labels = options.labels;
    this.headingRad = options.headingRad;
    this.#origin = options.origin;
  }

  ground({ across, along }: StreetPoint): GroundPoint {
    const [cos, sin] = [Math.cos(this.headingRad), Math.sin(this.headingRad)];
    return [this.#origin[0] + along * cos + across * sin, this.#origin[1] + along * sin - across * cos];
  }

  /** Where a point of the road lies along and across. */
  locate([x, y]: GroundPoint): StreetPoint {
    const [dx, dy] = [x - this.#origin[0], y - this.#origin[1]];
    const [cos, sin] = [Math.cos(this.headingRad), Math.sin(this.headingRad)];
    return { along: dx * cos + dy * sin, across: dx * sin - dy * cos };
  }

  /** The start of a way: at a point, turned counter-clockwise from the direction of travel. */
  start(point: StreetPoint, turnedDeg = 0): PathPose {
    return { point: this.ground(point), headingRad: this.headingRad + (turnedDeg * Math.PI) / 180 };
  }

  /** @throws RangeError behind the camera; `drawSite` sees to it that what is named is before it */
  pixel(point: StreetPoint): [x: number, y: number] {
    const pixel = this.camera.project([...this.ground(point), 0]);
    if (pixel === undefined) throw new RangeError('A named point of the street lies behind the camera');
    return [Math.round(pixel[0] * 10) / 10, Math.round(pixel[1] * 10) / 10];
  }

  get depressionDeg(): number {
    return this.camera.depressionAt(this.#origin);
  }

  get origin(): GroundPoint {
    return this.#origin;
  }
}

/** Everything that happens lies in here, m from where it happens. */
export interface SiteReach {
  readonly before: number;
  readonly after: number;
  readonly halfWidth: number;
}

export interface SiteWishes extends SiteReach {
  readonly directions: readonly SightDirection[];
}

/** Gives a case its street: a drawn one, or a real one. */
export type SiteSource = (random: SceneRandom, wishes: SiteWishes) => StreetSite;

const PICTURES = [
  [640, 480],
  [1280, 720],
  [1920, 1080],
] as const;
/** The detector looks at pictures of this width at most, px. */
const ANALYSIS_WIDTH = 960;
/** A road user of 1.6 m is at least this high there where it happens, px. */
const MIN_USER_PX = 30;
const MAX_ATTEMPTS = 4_000;

/**
 * Draws a camera (4–9 m high, 45–85° wide) and a street so that what is named lies in the picture and a rider is large enough to be found.
 * @throws RangeError where nothing fits
 */
export function drawSite(random: SceneRandom, wishes: SiteWishes): StreetSite {
  const direction = random.pick(wishes.directions);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const site = attemptSite(random, direction, wishes);
    if (site !== undefined && fits(site, wishes)) return site;
  }
  throw new RangeError(`No camera sees a street of ${wishes.before} + ${wishes.after} m ${direction}`);
}

function attemptSite(
  random: SceneRandom,
  direction: SightDirection,
  reach: SiteReach,
): StreetSite | undefined {
  const [width, height] = random.pick(PICTURES);
  const fovDeg = random.between(45, 85);
  const focalPx = width / 2 / Math.tan((fovDeg * Math.PI) / 360);
  const heightM = random.between(4, 9);
  const distanceM = random.between(8, 40);
  const v = random.between(0.42, 0.72) * height;
  const u = random.between(0.35, 0.65) * width;
  const pitchDeg =
    (Math.atan2(heightM, distanceM) * 180) / Math.PI -
    (Math.atan((v - height / 2) / focalPx) * 180) / Math.PI;
  if (pitchDeg < 3 || pitchDeg > 50) return undefined;
  const pose: CameraPose = { heightM, pitchDeg, focalPx, width, height };
  const camera = new GroundCamera(pose);
  const origin = camera.groundAt([u, v]);
  if (origin === undefined) return undefined;
  const headingDeg = random.pick([...HEADINGS[direction]]) + random.between(-22, 22);
  return new StreetSite({ camera, reach, headingRad: (headingDeg * Math.PI) / 180, origin });
}

function fits(site: StreetSite, { before, after, halfWidth }: SiteReach): boolean {
  for (const along of [-before, after]) {
    for (const across of [-halfWidth, halfWidth]) {
      const pixel = site.camera.project([...site.ground({ across, along }), 0]);
      if (pixel === undefined || !site.camera.isInPicture(pixel, -0.04)) return false;
    }
  }
  const { focalPx, width } = site.camera.pose;
  const scale = (focalPx / site.camera.depthOf([...site.origin, 0.8])) * Math.min(1, ANALYSIS_WIDTH / width);
  return 1.6 * scale * Math.cos((site.depressionDeg * Math.PI) / 180) >= MIN_USER_PX;
}
