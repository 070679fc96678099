import type { FaceCover, FaceModel } from './face-model.ts';

/** Region of the picture, px; the right and lower edges lie outside. */
export interface PictureRegion {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A person before the camera. The place is the middle between the eyes in the first frame, px. */
export interface SimulatedPerson {
  readonly face: FaceModel;
  readonly cover: FaceCover;
  readonly eyesX: number;
  readonly eyesY: number;
  readonly faceWidthPx: number;
  /** Head turned to the right in the picture, degrees. */
  readonly yawDegrees: number;
  /** Head leaned over, degrees. */
  readonly rollDegrees: number;
  /** px a frame. */
  readonly movesX: number;
  readonly movesY: number;
  /** Open collar: skin below the neck. */
  readonly clothingC: number;
}

/** Something else that is warm: a cup, a lamp, a radiator. */
export interface WarmObject extends PictureRegion {
  readonly celsius: number;
  readonly emissivity: number;
}

export interface SimulatedBlackbody extends PictureRegion {
  /** What its controller is set to, and what the gate is told, °C. */
  readonly setC: number;
  readonly emissivity: number;
  /** How far its real temperature is from it in the first frame, and its change a frame, °C. */
  readonly errorC: number;
  readonly driftCPerFrame: number;
}

export interface SimulatedSensor {
  readonly width: number;
  readonly height: number;
  /** Noise of a pixel, standard deviation, °C. */
  readonly netdC: number;
  /** Error of every pixel in the first frame, its change a frame, °C. */
  readonly offsetC: number;
  readonly offsetCPerFrame: number;
  /** Error that grows with the distance from 30 °C, 1 is none. */
  readonly gain: number;
  /** Error at the corners, growing with the square of the distance from the middle, °C. */
  readonly vignettingC: number;
  /** Standard deviation of the fixed pattern, °C. */
  readonly patternC: number;
  /** Steps of the output, °C. */
  readonly stepC: number;
}

export interface SimulatedRoom {
  readonly ambientC: number;
  /** 0–1. */
  readonly relativeHumidity: number;
  readonly distanceM: number;
  /** What stands behind the person, °C. */
  readonly wallC: number;
}

export interface ThermalScene {
  readonly seed: number;
  readonly room: SimulatedRoom;
  readonly sensor: SimulatedSensor;
  readonly people: readonly SimulatedPerson[];
  readonly objects: readonly WarmObject[];
  readonly blackbody?: SimulatedBlackbody;
  readonly frames: number;
  readonly framesPerSecond: number;
}

/** One picture as the simulated camera delivers it. */
export interface SimulatedThermalFrame {
  readonly width: number;
  readonly height: number;
  /** Apparent temperature (emissivity 1, no correction), row-major, °C. */
  readonly celsius: Float32Array;
  readonly mediaTimeMs: number;
}
