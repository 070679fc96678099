import type { FactCertainty } from '@ngatu/contract';

/** One cause of error of a reading. */
export interface UncertaintyComponent {
  readonly name:
    | 'blackbody'
    | 'blackbody-drift'
    | 'uniformity'
    | 'skin-emissivity'
    | 'air'
    | 'frames'
    | 'place'
    | 'pixel-size';
  /** Standard uncertainty (k = 1), °C. */
  readonly standardC: number;
  /** Where the figure comes from. */
  readonly basis: string;
  readonly certainty: FactCertainty;
}

export interface UncertaintyInput {
  readonly method: 'inner-canthi' | 'face-maximum';
  /** Half range of the blackbody's stated accuracy, °C. */
  readonly blackbodyAccuracyC: number;
  /** Range of the camera's offset over the frames of the passage, °C. */
  readonly offsetRangeC: number;
  /** Half range of the sensor's non-uniformity after its own correction, °C. */
  readonly uniformityC: number;
  /** Skin minus surroundings, °C. */
  readonly skinAboveRoomC: number;
  /** Standard error of the mean of the frames, °C. */
  readonly framesC: number;
  readonly faceWidthPx: number;
}

/** A rectangular distribution's standard deviation is its half range over this. */
const RECTANGULAR = Math.sqrt(3);
/** A wrong emissivity of 0.01 moves a reading by this share of skin minus surroundings (first order of Planck's law). */
const EMISSIVITY_EFFECT = 0.01;
const CANTHUS_PLACE_C = 0.06;
const MAXIMUM_PLACE_C = 0.2;
const SMALL_FACE_C = 0.02;
const FULL_FACE_PX = 180;

/** Every cause of error with its size. The expanded uncertainty of a reading is twice the root of the sum of squares. */
export function budgetUncertainty(input: UncertaintyInput): UncertaintyComponent[] {
  const small = Math.max(0, FULL_FACE_PX / input.faceWidthPx - 1);
  const isCanthi = input.method === 'inner-canthi';
  return [
    {
      name: 'blackbody',
      standardC: input.blackbodyAccuracyC / RECTANGULAR,
      basis: 'stated accuracy of the source in the profile, rectangular',
      certainty: 'U',
    },
    {
      name: 'blackbody-drift',
      standardC: input.offsetRangeC / (2 * RECTANGULAR),
      basis: 'range of the offset over the frames of the passage, measured',
      certainty: 'V',
    },
    {
      name: 'uniformity',
      standardC: input.uniformityC / RECTANGULAR,
      basis: 'stated non-uniformity of the sensor in the profile, rectangular',
      certainty: 'U',
    },
    {
      name: 'skin-emissivity',
      standardC: (EMISSIVITY_EFFECT * Math.abs(input.skinAboveRoomC)) / RECTANGULAR,
      basis: 'skin 0.98 ± 0.01 (checklist of Foster and others, 2021, PMC8654479: 0.98)',
      certainty: 'S',
    },
    {
      name: 'air',
      standardC: 0.03,
      basis:
        'below 0.1 °C for 18–32 °C, 15–80 % and up to 2.8 m where a blackbody stands beside the face (order of size)',
      certainty: 'U',
    },
    {
      name: 'frames',
      standardC: input.framesC,
      basis: 'scatter of the frames of the passage, measured',
      certainty: 'V',
    },
    {
      name: 'place',
      standardC: isCanthi ? CANTHUS_PLACE_C : MAXIMUM_PLACE_C,
      basis: isCanthi
        ? 'finding the warmest pixels of the canthi'
        : 'the warmest place of a face is not always the canthus',
      certainty: 'U',
    },
    {
      name: 'pixel-size',
      standardC: SMALL_FACE_C * small + (isCanthi ? 0.04 * small : 0),
      basis: 'a canthus is averaged with its surroundings where a face has fewer than 180 pixels',
      certainty: 'U',
    },
  ];
}

/** Standard uncertainty (k = 1) of all components, °C. */
export function combineUncertainty(components: readonly UncertaintyComponent[]): number {
  return Math.hypot(...components.map(({ standardC }) => standardC));
}
