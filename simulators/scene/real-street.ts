import type { RoadUserLabel } from '@ngatu/contract';
import { type CameraPose, GroundCamera, type PicturePoint } from './ground-camera.ts';
import type { SceneRandom } from './scene-random.ts';
import { type SiteReach, type SiteSource, type SiteWishes, StreetSite } from './street-site.ts';

/** A way through a real picture: an arrow along free road, whose middle is where it happens. */
interface RealWay {
  readonly from: PicturePoint;
  readonly to: PicturePoint;
}

/** A clip whose background serves as a street, and how its camera stands. */
export interface RealStreet {
  /** Name of the asset. */
  readonly asset: string;
  /** Estimated from the sizes of road users over the picture; good to about a tenth. */
  readonly pose: CameraPose;
  /** Of the clip, s: while the traffic moves, so that the background shows no queue. */
  readonly background: { readonly fromS: number; readonly durationS: number };
  readonly ways: readonly RealWay[];
}

/** The streets that are free enough to put traffic on. */
export const REAL_STREETS: readonly RealStreet[] = [
  {
    asset: 'hanoi-giangvo-langha-1615',
    pose: { heightM: 5.9, pitchDeg: 15.3, focalPx: 567, width: 640, height: 480 },
    background: { fromS: 0, durationS: 9 },
    ways: [
      { from: [300, 420], to: [270, 290] },
      { from: [240, 400], to: [235, 280] },
      { from: [350, 410], to: [330, 285] },
    ],
  },
  {
    asset: 'intersection-borislavy',
    pose: { heightM: 7, pitchDeg: 28, focalPx: 560, width: 640, height: 480 },
    background: { fromS: 0, durationS: 30 },
    ways: [
      { from: [190, 130], to: [470, 230] },
      { from: [470, 215], to: [190, 120] },
    ],
  },
];

/** Named points may lie this far outside the picture, share of its size. */
const SLACK = 0.12;
const STEP_M = 0.5;
const MIN_HALF_LENGTH_M = 2;

/** Puts cases on a real street; the stretch is as long as the picture shows it. */
export function siteOnStreet(street: RealStreet, labels: readonly RoadUserLabel[]): SiteSource {
  return (random: SceneRandom, wishes: SiteWishes) => {
    const camera = new GroundCamera(street.pose);
    const way = random.pick(street.ways);
    const [from, to] = [camera.groundAt(way.from), camera.groundAt(way.to)];
    const shift = random.between(0.4, 0.6);
    if (from === undefined || to === undefined)
      throw new RangeError(`A way of ${street.asset} lies above the horizon`);
    const headingRad = Math.atan2(to[1] - from[1], to[0] - from[0]) + (random.between(-5, 5) * Math.PI) / 180;
    const origin = [from[0] + shift * (to[0] - from[0]), from[1] + shift * (to[1] - from[1])] as const;
    const make = (reach: SiteReach): StreetSite =>
      new StreetSite({ camera, reach, headingRad, origin, labels });
    return make(shortenReach(make(wishes), wishes));
  };
}

function shortenReach(site: StreetSite, wishes: SiteReach): SiteReach {
  let { before, after, halfWidth } = wishes;
  const isSeen = (along: number): boolean =>
    [-halfWidth, 0, halfWidth].every((across) => {
      const pixel = site.camera.project([...site.ground({ across, along }), 0]);
      return pixel !== undefined && site.camera.isInPicture(pixel, -SLACK);
    });
  while (halfWidth > 2 && !isSeen(0)) halfWidth -= STEP_M / 2;
  while (before > MIN_HALF_LENGTH_M && !isSeen(-before)) before -= STEP_M;
  while (after > MIN_HALF_LENGTH_M && !isSeen(after)) after -= STEP_M;
  return { before, after, halfWidth };
}
