import type { Box } from '../geometry/box.ts';

/** Standard deviations as shares of the box height; accelerations per second². Tuned on no single scene. */
const MEASUREMENT_SIGMA = 0.045;
const ACCELERATION_SIGMA = 1.5;
const SIZE_ACCELERATION_SIGMA = 0.6;
const INITIAL_VELOCITY_SIGMA = 3.0;

/** x and y of the bottom centre, width, height. */
const AXES = 4;
/** Of each axis: value, velocity per second, variance of the value, covariance, variance of the velocity. */
const STRIDE = 5;
const HEIGHT = 3 * STRIDE;

/**
 * Kalman filter of a box with constant velocity over real time (frames may come at any rate). State: bottom centre x, y,
 * width and height; the four are filtered independently. The bottom, not the centre, is followed: a rider that is found
 * in one frame and missed in the next changes the top only. One array, changed in place: nothing is allocated per frame.
 */
export class KalmanBox {
  readonly #state = new Float64Array(AXES * STRIDE);

  constructor(box: Box) {
    const state = this.#state;
    const height = Math.max(1, box[3] - box[1]);
    for (let axis = 0; axis < AXES; axis++) {
      const at = axis * STRIDE;
      state[at] = readAxis(box, axis);
      state[at + 2] = (MEASUREMENT_SIGMA * height * 1.5) ** 2;
      state[at + 4] = (INITIAL_VELOCITY_SIGMA * height * (axis < 2 ? 1 : 0.2)) ** 2;
    }
  }

  get box(): Box {
    const x = this.#state[0] as number;
    const y = this.#state[STRIDE] as number;
    const width = Math.max(2, this.#state[2 * STRIDE] as number);
    return [x - width / 2, y - this.height, x + width / 2, y];
  }

  /** Height of the box, px. */
  get height(): number {
    return Math.max(2, this.#state[HEIGHT] as number);
  }

  /** Velocity of the bottom centre, px/s. */
  get velocity(): readonly [vx: number, vy: number] {
    return [this.#state[1] as number, this.#state[STRIDE + 1] as number];
  }

  /** Standard deviation of the predicted bottom centre, px. */
  get positionSigma(): number {
    return Math.sqrt(Math.max(this.#state[2] as number, this.#state[STRIDE + 2] as number));
  }

  /** Moves the box in the picture without a change of its velocity: the camera moved. */
  shift(dx: number, dy: number): void {
    this.#state[0] = (this.#state[0] as number) + dx;
    this.#state[STRIDE] = (this.#state[STRIDE] as number) + dy;
  }

  predict(dtMs: number): void {
    const state = this.#state;
    const dt = Math.max(0, dtMs / 1000);
    const { height } = this;
    // a size does not keep shrinking while nothing is seen
    const decay = Math.exp(-dt);
    for (let axis = 0; axis < AXES; axis++) {
      const at = axis * STRIDE;
      const q = ((axis < 2 ? ACCELERATION_SIGMA : SIZE_ACCELERATION_SIGMA) * height) ** 2;
      const velocity = state[at + 1] as number;
      const covariance = state[at + 3] as number;
      const spread = state[at + 4] as number;
      state[at] = (state[at] as number) + velocity * dt;
      state[at + 2] = (state[at + 2] as number) + 2 * dt * covariance + dt ** 2 * spread + (q * dt ** 4) / 4;
      state[at + 3] = covariance + dt * spread + (q * dt ** 3) / 2;
      state[at + 4] = spread + q * dt ** 2;
      if (axis >= 2) state[at + 1] = velocity * decay;
    }
  }

  /** `sigmaScale` > 1 weakens a measurement that was inferred rather than seen. */
  update(box: Box, sigmaScale = 1): void {
    const state = this.#state;
    const sigma = MEASUREMENT_SIGMA * this.height * sigmaScale;
    for (let axis = 0; axis < AXES; axis++) {
      const at = axis * STRIDE;
      const variance = state[at + 2] as number;
      const covariance = state[at + 3] as number;
      const total = variance + (axis < 2 ? sigma : sigma * 2) ** 2;
      const innovation = readAxis(box, axis) - (state[at] as number);
      state[at] = (state[at] as number) + (variance / total) * innovation;
      state[at + 1] = (state[at + 1] as number) + (covariance / total) * innovation;
      state[at + 2] = variance - variance ** 2 / total;
      state[at + 3] = covariance - (covariance * variance) / total;
      state[at + 4] = (state[at + 4] as number) - covariance ** 2 / total;
    }
  }
}

function readAxis(box: Box, axis: number): number {
  if (axis === 0) return (box[0] + box[2]) / 2;
  if (axis === 1) return box[3];
  return axis === 2 ? box[2] - box[0] : box[3] - box[1];
}
