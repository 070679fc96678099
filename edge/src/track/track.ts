import type { RoadUserLabel } from '@ngatu/contract';
import type { Box } from '../geometry/box.ts';

/** A person's box that was joined into a road user. */
export interface Occupant {
  readonly box: Box;
  readonly confidence: number;
}

/** How many a two-wheeler is believed to carry: shares of belief, 0–1, of nobody, one, two, three and more. */
export type OccupantShares = readonly [number, number, number, number];

/** One road user as seen in one frame: a vehicle with its riders, or a person on foot. Boxes in source pixels. */
export interface RoadUser {
  readonly label: RoadUserLabel;
  readonly confidence: number;
  /** The whole road user: two-wheeler together with who sits on it. */
  readonly box: Box;
  /** The vehicle alone; absent where only its rider was found. */
  readonly vehicleBox?: Box;
  /** The box of a two-wheeler is whole, whoever was found on it. */
  readonly holdsRiders?: true;
  readonly occupants: readonly Occupant[];
  /** True where another road user, nearer to the camera, covers the place where this one stands. */
  readonly groundHidden: boolean;
}

export type TrackState = 'tentative' | 'confirmed' | 'lost' | 'removed';

/** One road user followed over time, as of the frame it was last updated with. */
export interface Track {
  /** From 1 within a session; never used again. */
  readonly trackId: number;
  readonly state: TrackState;
  readonly label: RoadUserLabel;
  readonly confidence: number;
  readonly box: Box;
  /** True where the part that stands on the ground is in sight; false where it was inferred from the rider or is covered. */
  readonly groundSeen: boolean;
  /** True where a detection of this frame stands behind the box; false where it is a prediction. */
  readonly seen: boolean;
  /** The vehicle alone, as it was found in this frame; absent where it was not, or only its rider. */
  readonly vehicleBox?: Box;
  readonly occupants: readonly Occupant[];
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
}
