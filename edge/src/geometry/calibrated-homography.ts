import { NgatuError } from '@ngatu/contract';
import type { Homography, Normalisation } from './homography.ts';
import type { Matrix } from './symmetric-matrix.ts';

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** Image → ground in normalised coordinates, ninth entry 1, with the covariance of the other eight. */
export interface CalibratedHomography {
  readonly method: 'pairs' | 'lengths';
  readonly homography: Homography;
  /** Raised by χ² over its degrees of freedom where the points agree worse than their stated errors. */
  readonly covariance: Matrix;
  readonly image: Normalisation;
  readonly ground: Normalisation;
  readonly chiSquare: number;
  readonly degreesOfFreedom: number;
  /** How far the ends of the known lengths would have to move to agree, root mean square, px; 0 without lengths. */
  readonly lengthResidualPx: number;
}

export function refuseCalibration(reason: string): NgatuError {
  return new NgatuError('CALIBRATION_INVALID', `Cannot calibrate: ${reason}`);
}
