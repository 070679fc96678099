import type { RoadPartLabel, RoadUserLabel } from '@ngatu/contract';
import type { Frame } from '../frame/frame.ts';
import type { Box } from '../geometry/box.ts';

/** One model finding in one frame. `box` is xyxy in source pixels. */
export interface Detection {
  readonly label: RoadUserLabel;
  readonly confidence: number;
  readonly box: Box;
  /** The box of a two-wheeler has its riders in it (`twoWheelersWithRiders` of the model's manifest). */
  readonly holdsRiders?: true;
}

/** A traffic light or a plate that the detector of road users found beside them. It is never followed. */
export interface RoadPart {
  readonly label: RoadPartLabel;
  readonly confidence: number;
  /** xyxy in source pixels. */
  readonly box: Box;
}

/** What was loaded: the name and sha256 that every event carries. */
export interface ModelIdentity {
  readonly name: string;
  readonly sha256: string;
}

/**
 * Finds road users in a frame, one frame at a time: the buffers of an implementation serve the call that runs.
 * Implementation: YOLOX through ONNX Runtime.
 */
export interface Detector {
  readonly model: ModelIdentity;
  /**
   * Returns the road users, most confident first.
   * @param parts gets what the model finds beside them, where somebody wants it and the model's labels have it
   * @throws NgatuError MODEL_INVALID where the inference fails; the next frame may be tried.
   */
  detect(frame: Frame, parts?: RoadPart[]): Promise<Detection[]>;
  close(): Promise<void>;
}
