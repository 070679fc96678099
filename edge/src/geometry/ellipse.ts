/** Covariance of a place on the ground, m²: [[xx, xy], [xy, yy]]. */
export interface GroundCovariance {
  readonly xx: number;
  readonly xy: number;
  readonly yy: number;
}

/** Ellipse around a place on the ground. */
export interface Ellipse {
  /** Half of the longer and of the shorter axis, m. */
  readonly semiMajorM: number;
  readonly semiMinorM: number;
  /** Direction of the longer axis, counter-clockwise from the ground's x axis, radians in (−π/2, π/2]. */
  readonly angleRad: number;
}

/** χ² with two degrees of freedom stays below this with probability 0.95: −2·ln 0.05. */
const CHI_SQUARE_95 = 5.991465;

/** The ellipse that holds the true place with probability 0.95, where the error is normal with this covariance. */
export function computeEllipse95({ xx, xy, yy }: GroundCovariance): Ellipse {
  const mean = (xx + yy) / 2;
  const spread = Math.hypot((xx - yy) / 2, xy);
  const angle = Math.atan2(2 * xy, xx - yy) / 2;
  return {
    semiMajorM: Math.sqrt(CHI_SQUARE_95 * Math.max(0, mean + spread)),
    semiMinorM: Math.sqrt(CHI_SQUARE_95 * Math.max(0, mean - spread)),
    angleRad: angle,
  };
}
