import type { ScreeningRefusal } from '@ngatu/contract';
import { type BlackbodyOptions, type BlackbodyReading, growRegion, readBlackbody } from './blackbody.ts';
import { type FaceReading, readFace } from './face-reading.ts';
import { combineFrames, type PassageReading, type SkinReading } from './fever-decision.ts';
import { correctApparent, type RoomConditions } from './radiometry.ts';
import type { ThermalFrame } from './thermal-frame.ts';
import { budgetUncertainty, combineUncertainty, type UncertaintyComponent } from './uncertainty.ts';
import type { CanthusHint } from './visible-pairing.ts';

/** How a gate is built: what the profile of its camera states. */
export interface GateOptics {
  readonly blackbody: BlackbodyOptions & {
    /** Half range of its stated accuracy, °C. */
    readonly accuracyC: number;
  };
  /** From lens to face, m. */
  readonly distanceM: number;
  readonly minFaceWidthPx: number;
  /** Half range of the sensor's non-uniformity, °C. */
  readonly uniformityC: number;
  /** `B` of the camera's band, K. */
  readonly band: number;
}

/** An uncooled sensor for 7.5–14 µm. */
export const DEFAULT_BAND_K = 1_480;
/** Emissivity of skin (checklist of Foster and others, Temperature 8, 2021, PMC8654479; S). */
export const SKIN_EMISSIVITY = 0.98;

export interface AmbientReading {
  readonly celsius: number;
  /** 0–1. */
  readonly relativeHumidity: number;
}

/** One frame, judged: a face with its temperatures already corrected by the blackbody, or why there is none. */
export type FrameJudgement =
  | { readonly kind: 'refused'; readonly refusal: ScreeningRefusal; readonly blackbody?: BlackbodyReading }
  | { readonly kind: 'face'; readonly reading: FaceReading; readonly blackbody: BlackbodyReading };

/** The housing of the blackbody reaches this far round its face, in its sizes. */
const HOUSING_SHARE = 0.25;

/** What a frame is judged by. Plain data: it travels to the thread of the gate. */
export interface FrameView {
  readonly optics: GateOptics;
  readonly ambient: AmbientReading;
  /** Where a visible camera saw the eyes. */
  readonly hint?: CanthusHint | undefined;
}

/** Judges one frame by itself. The frame holds apparent temperatures (emissivity 1). */
export function judgeFrame(frame: ThermalFrame, { optics, ambient, hint }: FrameView): FrameJudgement {
  const room = roomOf(optics, ambient);
  const blackbody = readBlackbody(frame, optics.blackbody, room, optics.band);
  if (blackbody === undefined) return { kind: 'refused', refusal: 'blackbody-missing' };
  if (Math.abs(blackbody.offsetC) > optics.blackbody.toleranceC)
    return { kind: 'refused', refusal: 'blackbody-out-of-tolerance', blackbody };
  const celsius = frame.celsius.map((value) => value - blackbody.offsetC);
  const reading = readFace(
    { ...frame, celsius },
    {
      without: [growRegion(optics.blackbody.region, HOUSING_SHARE)],
      minFaceWidthPx: optics.minFaceWidthPx,
      ...(hint === undefined ? {} : { hint }),
    },
  );
  if ('refusal' in reading) return { kind: 'refused', refusal: reading.refusal, blackbody };
  return { kind: 'face', reading, blackbody };
}

function roomOf(optics: GateOptics, ambient: AmbientReading): Omit<RoomConditions, 'emissivity'> {
  return {
    distanceM: optics.distanceM,
    reflectedC: ambient.celsius,
    atmosphereC: ambient.celsius,
    relativeHumidity: ambient.relativeHumidity,
  };
}

export const MIN_FRAMES = 3;
export const MAX_FRAMES = 10;
/** Between two frames the face may move by this share of its width, and by this many pixels. */
const MAX_STEP = { share: 0.022, px: 2.2 };
/** Over the whole passage, in face widths. */
const MAX_WANDER = 0.12;
/** The camera's offset may change by this much during a passage, °C. */
const MAX_OFFSET_RANGE_C = 0.2;
/** Frames of one canthus agree within this but for noise, °C. */
const FRAME_TOLERANCE_C = 0.15;
/** At least this share of the frames must agree. */
const MIN_AGREEING = 0.6;

export interface MeasuredPassage {
  readonly method: 'inner-canthi' | 'face-maximum';
  readonly reading: PassageReading;
  /** What is shown as the temperature of the skin: the canthi where they were seen. */
  readonly skin: SkinReading;
  readonly budget: readonly UncertaintyComponent[];
  readonly frames: number;
}

/** The frames of one person standing still. */
export class Passage {
  #faces: { reading: FaceReading; offsetC: number }[] = [];

  get frames(): number {
    return this.#faces.length;
  }

  /** Takes a frame with a face. A refusal ends the passage: the person moved, or the camera runs away. */
  add({ reading, blackbody }: Extract<FrameJudgement, { kind: 'face' }>): ScreeningRefusal | undefined {
    const last = this.#faces.at(-1);
    const [first] = this.#faces;
    const width = reading.face.width;
    if (
      last !== undefined &&
      distanceOf(last.reading, reading) > Math.max(MAX_STEP.px, MAX_STEP.share * width)
    )
      return 'moving';
    if (first !== undefined && distanceOf(first.reading, reading) > MAX_WANDER * width) return 'moving';
    this.#faces.push({ reading, offsetC: blackbody.offsetC });
    return this.#offsetRange() > MAX_OFFSET_RANGE_C ? 'blackbody-unstable' : undefined;
  }

  #offsetRange(): number {
    const offsets = this.#faces.map(({ offsetC }) => offsetC);
    return Math.max(...offsets) - Math.min(...offsets);
  }

  /** The temperatures of the person, or why they cannot be told from these frames. */
  measure(optics: GateOptics, ambient: AmbientReading): MeasuredPassage | ScreeningRefusal {
    if (this.#faces.length < MIN_FRAMES) return 'too-few-frames';
    const conditions = { ...roomOf(optics, ambient), emissivity: SKIN_EMISSIVITY };
    const correct = (value: number): number => correctApparent(value, conditions, optics.band);
    const canthi = this.#faces.flatMap(({ reading }) =>
      reading.canthusC === undefined ? [] : [correct(reading.canthusC)],
    );
    const maxima = this.#faces.map(({ reading }) => correct(reading.faceMaximumC));
    const hasCanthi = canthi.length >= MIN_FRAMES && canthi.length >= MIN_AGREEING * this.#faces.length;
    const faceMaximum = this.#combine(maxima, 'face-maximum', optics, ambient);
    const innerCanthi = hasCanthi ? this.#combine(canthi, 'inner-canthi', optics, ambient) : undefined;
    const shown = innerCanthi ?? faceMaximum;
    if (faceMaximum === undefined || shown === undefined) return 'frames-disagree';
    if (shown.skin.celsius < 28 || shown.skin.celsius > 43) return 'not-skin';
    return {
      method: innerCanthi === undefined ? 'face-maximum' : 'inner-canthi',
      reading: {
        faceMaximum: faceMaximum.skin,
        ...(innerCanthi === undefined ? {} : { innerCanthi: innerCanthi.skin }),
      },
      skin: shown.skin,
      budget: shown.budget,
      frames: shown.frames,
    };
  }

  #combine(
    values: readonly number[],
    method: MeasuredPassage['method'],
    optics: GateOptics,
    ambient: AmbientReading,
  ): Pick<MeasuredPassage, 'skin' | 'budget' | 'frames'> | undefined {
    const combined = combineFrames(values, FRAME_TOLERANCE_C);
    if (combined === undefined || combined.kept < MIN_FRAMES || combined.kept < MIN_AGREEING * values.length)
      return undefined;
    const budget = budgetUncertainty({
      method,
      blackbodyAccuracyC: optics.blackbody.accuracyC,
      offsetRangeC: this.#offsetRange(),
      uniformityC: optics.uniformityC,
      skinAboveRoomC: combined.celsius - ambient.celsius,
      framesC: combined.standardC,
      faceWidthPx: this.#faces[0]?.reading.face.width ?? optics.minFaceWidthPx,
    });
    const skin = { celsius: combined.celsius, standardC: combineUncertainty(budget) };
    return { skin, budget, frames: combined.kept };
  }
}

function distanceOf(a: FaceReading, b: FaceReading): number {
  return Math.hypot(a.anchorX - b.anchorX, a.anchorY - b.anchorY);
}
