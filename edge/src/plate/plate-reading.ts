import type { Box } from '../geometry/box.ts';

/** How many lines of characters a plate has, as the reader tells it from the picture. */
export type PlateLayout = 'one-line' | 'two-line';

/** RGB, 3 bytes a pixel, rows follow one another; owned by the caller and never written to. */
export interface PlatePicture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** One character in its place, 0–9 and A–Z, Đ as D. Confidences are probabilities, calibrated. */
export interface PlateCharacter {
  readonly character: string;
  readonly confidence: number;
  /** Others that it could be, likeliest first, without `character` itself. */
  readonly alternatives: readonly { readonly character: string; readonly confidence: number }[];
}

/** What was read on one crop in one frame. */
export interface PlateLook {
  readonly layout: PlateLayout;
  /** From the upper left to the lower right; none where nothing like a character was seen. */
  readonly characters: readonly PlateCharacter[];
  /**
   * Whole texts that it may be, likeliest first, before formats are looked at: they also tell of a character too many or too few, and the empty
   * one that there is nothing to read. None where the plate is too small to be looked at.
   */
  readonly texts?: readonly PlateText[];
  /** Where the plate was found, source pixels. */
  readonly box: Box;
  /** How much fine structure the crop has: the rms of its Laplacian as a share of its contrast. Comparable between looks of one plate. */
  readonly sharpness: number;
  /** The detector's confidence that this is a plate, 0–1. */
  readonly plateConfidence: number;
}

export interface PlateText {
  /** Canonical: separators removed, Đ as D. */
  readonly text: string;
  /** Probability of the whole text, calibrated, 0–1. */
  readonly confidence: number;
}

/** What is said of a plate after all looks at it. */
export interface PlateReading {
  /**
   * `read`: sure enough to be used. `ambiguous`: the characters are sure, but more than one plate is written so. `unreadable`: not sure
   * enough; whatever is given is a hint for a human and no finding.
   */
  readonly state: 'read' | 'ambiguous' | 'unreadable';
  /** The likeliest text, canonical; absent where there was nothing to read. */
  readonly text?: string;
  /** As it is written on the plate: `30A-123.45`, `59-P1 664.80`. Absent where it is not sure how. */
  readonly shown?: string;
  /** Probability that the whole text is right, calibrated, 0–1. */
  readonly confidence?: number;
  readonly characters: readonly PlateCharacter[];
  /** Other texts, likeliest first. */
  readonly alternatives: readonly PlateText[];
  /** Id of the format of `plate-format-data.ts`. */
  readonly format?: string;
  /** Why it is unreadable or ambiguous, for humans. */
  readonly reason?: string;
  /** How many looks were combined. */
  readonly looks: number;
}

/** Who carries the plate, and when. */
export interface PlateSubject {
  readonly class: 'car' | 'bus' | 'truck' | 'motorbike' | 'bicycle';
  readonly on: Date;
}
