import type { RoadUserLabel } from '@ngatu/contract';
import type { Frame } from '../frame/frame.ts';
import type { Box } from '../geometry/box.ts';

/** One model finding in one frame. `box` is xyxy in source pixels. */
export interface Detection {
  readonly label: RoadUserLabel;
  readonly confidence: number;
  readonly box: Box;
}

/** What was loaded: the name and sha256 that every event carries. */
export interface ModelIdentity {
  readonly name: string;
  readonly sha256: string;
}

/**
 * Finds road users in a frame, one frame at a time: the buffers of an implementation serve the call that runs.
 * Implementations: YOLOX through ONNX Runtime, CenterNet through TensorFlow.js.
 */
export interface Detector {
  readonly model: ModelIdentity;
  /** @throws NgatuError MODEL_INVALID where the inference fails; the next frame may be tried. */
  detect(frame: Frame): Promise<Detection[]>;
  close(): Promise<void>;
}
