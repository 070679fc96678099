import type { Box } from '../geometry/box.ts';

/** Standard deviations as shares of the box height; accelerations per second². Tuned on no single scene. */
const MEASUREMENT_SIGMA = 0.05;
const ACCELERATION_SIGMA = 2.0;
const SIZE_ACCELERATION_SIGMA = 0.6;
const INITIAL_VELOCITY_SIGMA = 3.0;

/** Constant-velocity filter of one coordinate: value, velocity (per second) and their covariance. */
interface Axis {
  value: number;
  velocity: number;
  pVV: number;
  pVW: number;
  pWW: number;
}

/**
 * Kalman filter of a box with constant velocity over real time (frames may come at any rate). State: bottom centre x, y,
 * width and height; the four are filtered independently. The bottom, not the centre, is followed: a rider that is found
 * in one frame and missed in the next changes the top only.
 */
export class KalmanBox {
  readonly #axes: readonly [Axis, Axis, Axis, Axis];

  constructor(box: Box) {
    const height = Math.max(1, box[3] - box[1]);
    const [x, y, w, h] = toState(box);
    this.#axes = [
      startAxis(x, height, 1),
      startAxis(y, height, 1),
      startAxis(w, height, 0.2),
      startAxis(h, height, 0.2),
    ];
  }

  get box(): Box {
    const [x, y, w, h] = this.#axes;
    const width = Math.max(2, w.value);
    const height = Math.max(2, h.value);
    return [x.value - width / 2, y.value - height, x.value + width / 2, y.value];
  }

  /** Velocity of the bottom centre, px/s. */
  get velocity(): readonly [vx: number, vy: number] {
    return [this.#axes[0].velocity, this.#axes[1].velocity];
  }

  /** Standard deviation of the predicted bottom centre, px. */
  get positionSigma(): number {
    return Math.sqrt(Math.max(this.#axes[0].pVV, this.#axes[1].pVV));
  }

  predict(dtMs: number): void {
    const dt = Math.max(0, dtMs / 1000);
    const height = Math.max(2, this.#axes[3].value);
    this.#axes.forEach((axis, index) => {
      predictAxis(axis, dt, (index < 2 ? ACCELERATION_SIGMA : SIZE_ACCELERATION_SIGMA) * height);
    });
    // a size does not keep shrinking while nothing is seen
    this.#axes[2].velocity *= Math.exp(-dt);
    this.#axes[3].velocity *= Math.exp(-dt);
  }

  /** `sigmaScale` > 1 weakens a measurement that was inferred rather than seen. */
  update(box: Box, sigmaScale = 1): void {
    const height = Math.max(2, this.#axes[3].value);
    const sigma = MEASUREMENT_SIGMA * height * sigmaScale;
    const state = toState(box);
    this.#axes.forEach((axis, index) => {
      updateAxis(axis, state[index] as number, index < 2 ? sigma : sigma * 2);
    });
  }
}

function toState(box: Box): [number, number, number, number] {
  return [(box[0] + box[2]) / 2, box[3], box[2] - box[0], box[3] - box[1]];
}

function startAxis(value: number, height: number, velocityShare: number): Axis {
  const sigma = MEASUREMENT_SIGMA * height * 1.5;
  return {
    value,
    velocity: 0,
    pVV: sigma ** 2,
    pVW: 0,
    pWW: (INITIAL_VELOCITY_SIGMA * height * velocityShare) ** 2,
  };
}

function predictAxis(axis: Axis, dt: number, acceleration: number): void {
  const q = acceleration ** 2;
  axis.value += axis.velocity * dt;
  axis.pVV += 2 * dt * axis.pVW + dt ** 2 * axis.pWW + (q * dt ** 4) / 4;
  axis.pVW += dt * axis.pWW + (q * dt ** 3) / 2;
  axis.pWW += q * dt ** 2;
}

function updateAxis(axis: Axis, measured: number, sigma: number): void {
  const innovation = measured - axis.value;
  const variance = axis.pVV + sigma ** 2;
  const gainValue = axis.pVV / variance;
  const gainVelocity = axis.pVW / variance;
  axis.value += gainValue * innovation;
  axis.velocity += gainVelocity * innovation;
  axis.pWW -= gainVelocity * axis.pVW;
  axis.pVW -= gainVelocity * axis.pVV;
  axis.pVV -= gainValue * axis.pVV;
}
