import type { RoadUserLabel } from '@ngatu/contract';

/** How well the detector finds what, by the height of the box in the picture that it looks at. */
export interface NoiseBin {
  /** Boxes lower than this fall into the bin, px; absent in the last one. */
  readonly belowPx?: number;
  /** So many real boxes stand behind the figures. */
  readonly cases: number;
  /** Quantiles of the confidence from 0 to 1 in even steps; 0 stands for a miss. */
  readonly confidence: readonly number[];
  /** Quantiles of the errors of the edges over the height of the box; positive to the right and down. */
  readonly left: readonly number[];
  readonly top: readonly number[];
  readonly right: readonly number[];
  readonly bottom: readonly number[];
}

/** How a random process of variance 1 splits up in time. The rest is new in every picture. */
export interface NoiseCorrelation {
  /** Share that stays with a road user for good. */
  readonly persistent: number;
  /** Share that fades exponentially … */
  readonly slow: number;
  /** … with this time constant, ms. */
  readonly slowMs: number;
}

/** How many a two-wheeler is believed to carry: shares of belief of nobody, one, two, three and more. */
export type RiderShares = readonly [number, number, number, number];

/** What the product's network says of two-wheelers that really carry so many. */
export interface RiderSights {
  /** 3 stands for three and more. */
  readonly riders: 1 | 2 | 3;
  readonly cases: number;
  /** From the fewest people that are believed in to the most, in even steps. */
  readonly shares: readonly RiderShares[];
}

/** What is looked for: a closed vehicle, a two-wheeler below its rider, a person on it, a person on foot. */
export const NOISE_GROUPS = ['heavy', 'bike', 'rider', 'pedestrian'] as const;
export type NoiseGroup = (typeof NOISE_GROUPS)[number];

/** Boxes where nothing is; an upper bound, because not everything in the pictures is labelled. */
export interface FalseBoxes {
  readonly perPicture: number;
  readonly confidence: readonly number[];
  /** Quantiles of the lower edge and of the height over the height of the picture, and of width over height. */
  readonly bottom: readonly number[];
  readonly height: readonly number[];
  readonly aspect: readonly number[];
  readonly labels: Readonly<Partial<Record<RoadUserLabel, number>>>;
}

/**
 * The detector's errors as they were measured on real pictures with truth. Without pictures: figures alone.
 * Written by `ngatu simulate noise`.
 */
export interface NoiseProfile {
  readonly schemaVersion: 1;
  readonly measuredAt: string;
  readonly model: { readonly name: string; readonly sha256: string };
  /** Boxes of two-wheelers have their riders in them; else they are of the vehicle alone. */
  readonly twoWheelersWithRiders: boolean;
  /** Findings below this were not looked at. */
  readonly minConfidence: number;
  readonly data: readonly { readonly name: string; readonly pictures: number; readonly boxes: number }[];
  readonly groups: Readonly<Record<NoiseGroup, readonly NoiseBin[]>>;
  /** How much lower (in standard deviations) the confidence lies where so much is covered. */
  readonly occlusion: readonly {
    readonly visibleBelow: number;
    readonly shift: Readonly<Record<NoiseGroup, number>>;
  }[];
  /** Which label a found road user is given: share by label. */
  readonly labels: Readonly<Partial<Record<RoadUserLabel, Readonly<Partial<Record<RoadUserLabel, number>>>>>>;
  /** Share of found road users that are found a second time, and quantiles of the confidence of that. */
  readonly duplicates: { readonly share: number; readonly confidence: readonly number[] };
  /** Vehicles where none is. */
  readonly falseBoxes: FalseBoxes;
  /** People where nobody is, neither on foot nor riding. */
  readonly falsePeople: FalseBoxes;
  /** Correlation of how well a bike and its rider are found in the same picture. */
  readonly bikeWithRider: number;
  readonly correlation: {
    readonly confidence: NoiseCorrelation;
    /** Confidence of people on foot. */
    readonly pedestrians: NoiseCorrelation;
    readonly edges: NoiseCorrelation;
  };
  /** What is counted on two-wheelers; absent: nothing counts, and boxes of people must do. */
  readonly riderCounts?: {
    readonly model: { readonly name: string; readonly sha256: string };
    /** Nobody is counted on lower two-wheelers, px of the picture that the detector sees. */
    readonly leastHeightPx: number;
    readonly sights: readonly RiderSights[];
  };
  /** Over how many pictures of which clips the correlation was measured. */
  readonly correlationData: readonly {
    readonly name: string;
    readonly pictures: number;
    readonly tracks: number;
  }[];
}
