import { isTwoWheeler, type Scene } from '@ngatu/contract';
import type { Frame } from '../frame/frame.ts';
import { type Box, computeArea } from '../geometry/box.ts';
import type { OccupantNet } from '../occupant/occupant-net.ts';
import { countOccupants, isFreeSight, shareAbove } from '../rules/overloaded-sight.ts';
import type { OccupantShares, RoadUser } from '../track/track.ts';

/** Lower two-wheelers, in pixels of the picture that is analysed, show too little of who sits on them. */
export const MIN_RIDE_HEIGHT_PX = 40;
/** At most so many are looked at in a picture: those in free view first, which alone the rule hears, and of these the largest. */
const MAX_LOOKS = 8;

/** How far a box of a person that was found on it speaks for one rider more, log-odds: see models/training/occupants. */
const BOX_WEIGHT = 1;
/** No share of belief is nearer to nothing or all. */
const LEAST_SHARE = 1e-4;

/** Whether a scene asks how many ride on two-wheelers. */
export function asksForRiders(scene: Scene): boolean {
  return scene.rules.some(({ kind }) => kind === 'OVERLOADED');
}

/** How many ride on a two-wheeler, by the very box that the detector gave of the vehicle. */
export type OccupantLookup = ReadonlyMap<Box, OccupantShares>;

/**
 * Counts who rides on the two-wheelers of a picture, of all road users in it.
 * @throws NgatuError MODEL_INVALID (retryable) where the inference fails
 */
export async function countRiders(
  picture: Frame,
  users: readonly RoadUser[],
  net: Pick<OccupantNet, 'count'>,
): Promise<OccupantLookup> {
  const scaleX = picture.width / picture.sourceWidth;
  const scaleY = picture.height / picture.sourceHeight;
  const source = { width: picture.sourceWidth, height: picture.sourceHeight };
  const rides = users
    .filter(({ label, box }) => isTwoWheeler(label) && (box[3] - box[1]) * scaleY >= MIN_RIDE_HEIGHT_PX)
    .map((user) => {
      const others = users.filter((other) => other !== user).map(({ box }) => box);
      return { ...user, isFree: isFreeSight(user, others, source) };
    });
  rides.sort((a, b) => Number(b.isFree) - Number(a.isFree) || computeArea(b.box) - computeArea(a.box));
  const counted = new Map<Box, OccupantShares>();
  for (const { box, vehicleBox, occupants } of rides.slice(0, MAX_LOOKS)) {
    const [x1, y1, x2, y2] = box;
    const inPicture: Box = [x1 * scaleX, y1 * scaleY, x2 * scaleX, y2 * scaleY];
    if (vehicleBox === undefined) continue;
    counted.set(vehicleBox, joinBoxes(await net.count(picture, inPicture), countOccupants(occupants)));
  }
  return counted;
}

/**
 * Joins what the network says with the boxes of people: it is good where bikes are small or seen from behind, they where bikes are large.
 * @param boxes so many persons were found on the two-wheeler
 */
export function joinBoxes(shares: OccupantShares, boxes: number): OccupantShares {
  const moreThan = (people: 0 | 1 | 2): number => {
    const kept = Math.min(1 - LEAST_SHARE, Math.max(LEAST_SHARE, shareAbove(shares, people)));
    return 1 / (1 + ((1 - kept) / kept) * Math.exp(-BOX_WEIGHT * (boxes - people - 0.5)));
  };
  const [any, several, many] = [moreThan(0), moreThan(1), moreThan(2)];
  return [1 - any, any - several, several - many, many];
}
