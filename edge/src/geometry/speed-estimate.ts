import type { RoadUserLabel } from '@ngatu/contract';
import type { Point } from './box.ts';
import type { GroundPlane } from './ground-plane.ts';
import type { GroundPoint } from './homography.ts';
import { fitLeastSquares, type Residual } from './least-squares.ts';

/** Where a road user stood on the road in one picture. */
export interface SpeedSample {
  /** Presentation time, ms. */
  readonly timeMs: number;
  /** Ground contact in source pixels. */
  readonly point: Point;
  /** Height of its box, px. */
  readonly boxHeight: number;
}

/** Mean speed over the time from the first to the last sample. */
export interface SpeedEstimate {
  readonly speedKmh: number;
  /** Bounds of the 95 % interval, km/h; never below 0. */
  readonly lowKmh: number;
  readonly highKmh: number;
  /** Standard errors by cause, km/h: of the found boxes, of the calibration, of where the box ends above the contact, of the view that turns. */
  readonly errors: {
    readonly boxes: number;
    readonly calibration: number;
    readonly contact: number;
    readonly turn: number;
  };
  /** Straight way between first and last place of the fitted track, m. */
  readonly travelM: number;
  readonly durationMs: number;
  readonly samples: number;
  /** Direction of travel on the ground, unit vector. */
  readonly heading: GroundPoint;
}

type VehicleLabel = Exclude<RoadUserLabel, 'person'>;

/** Length and width of usual bodies seen from above, m: city bikes, motorbikes with mirrors, cars of the C segment, two-axle trucks, city buses. */
const USUAL_BODIES: Readonly<Record<VehicleLabel, readonly [lengthM: number, widthM: number]>> = {
  bicycle: [1.75, 0.6],
  motorbike: [1.9, 0.7],
  car: [4.4, 1.8],
  truck: [6.5, 2.2],
  bus: [10, 2.5],
};

/** What the lower middle of a box stands for: the usual size of a road user on the ground, m. */
export interface GroundBody {
  readonly lengthM: number;
  readonly widthM: number;
  /** Angle by which the camera looks down on it, degrees. */
  readonly depressionDeg: number;
}

/** Standard error of a box edge as a share of the box height, and at least; see `docs/rules/speed.md` for how it was measured. */
const EDGE_ERROR_SHARE = 0.03;
const MIN_EDGE_ERROR_PX = 0.7;
/** The error of an edge is forgotten to 1/e in this time, ms: a detector errs alike on pictures that are alike. */
const EDGE_ERROR_MEMORY_MS = 400;
/** The lower edge keeps away from the ground contact by this share of the height all along the track (bumper, shadow): standard error. */
const CONTACT_ERROR_SHARE = 0.04;
/** Seen from above, what stands leans away from the middle of the picture, and the middle of the box's width with it: share for travel across a view from straight above. */
const LEAN_ERROR_SHARE = 0.4;
/** Road users seldom speed up or brake harder: standard deviation, m/s². */
const ACCELERATION_SPREAD = 2.5;
/** Standard error for the turning view, as a share of what it would be for a body flat on the road: the height counteracts. */
const TURN_ERROR_SHARE = 0.5;
const MIN_SAMPLES = 4;
/** χ² per degree of freedom from which the places are no track of one road user. */
const MAX_CHI_SQUARE_SHARE = 4;
/** Misses beyond so many standard errors count linearly, not squared: one badly found box neither bends nor breaks a track. */
const OUTLIER_ERRORS = 3;
/** Normal quantile of 0.975. */
const QUANTILE_95 = 1.959964;

/**
 * Speed of a road user from its ground contacts: a track of constant acceleration on the road is laid into the picture and
 * fitted to the contacts there, where their errors are even. Errors of boxes that follow each other are alike (an
 * Ornstein–Uhlenbeck process): each contact counts only for what is new in it, so that a higher frame rate does not
 * pretend to a better measurement. Undefined where the samples do not make a track, or lie beyond the horizon.
 */
export function estimateSpeed(
  plane: GroundPlane,
  samples: readonly SpeedSample[],
  body: GroundBody,
): SpeedEstimate | undefined {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || samples.length < MIN_SAMPLES) return undefined;
  const start = plane.toGround(first.point);
  const end = plane.toGround(last.point);
  const seconds = (last.timeMs - first.timeMs) / 1000;
  if (start === undefined || end === undefined || !(seconds > 0)) return undefined;
  const middleMs = (first.timeMs + last.timeMs) / 2;
  const fit = fitLeastSquares(
    Float64Array.of(
      (start[0] + end[0]) / 2,
      (start[1] + end[1]) / 2,
      (end[0] - start[0]) / seconds,
      (end[1] - start[1]) / seconds,
      0,
      0,
    ),
    (track) => computeMisses(plane, samples, track, middleMs),
  );
  if (fit === undefined) return undefined;
  const share = fit.chiSquare / (2 * samples.length - 4);
  if (share > MAX_CHI_SQUARE_SHARE) return undefined;
  const [, , vx = 0, vy = 0] = fit.parameters;
  const speed = Math.hypot(vx, vy);
  const heading: GroundPoint = speed === 0 ? [1, 0] : [vx / speed, vy / speed];
  const ends = [-seconds / 2, seconds / 2].map((time) => placeAt(fit.parameters, time));
  const boxes = Math.sqrt(computeAlong(fit.covariance, heading) * Math.max(1, share));
  const common = computeCommonErrors(plane, [first, last], {
    ends,
    travelM: speed * seconds,
    depressionDeg: body.depressionDeg,
  });
  const turn = computeTurn(plane, ends, heading, body);
  if (common === undefined || turn === undefined) return undefined;
  const errors = {
    boxes,
    calibration: common.calibration / seconds,
    contact: common.contact / seconds,
    turn: (TURN_ERROR_SHARE * Math.abs(turn)) / seconds,
  };
  const bound = QUANTILE_95 * Math.hypot(...Object.values(errors));
  return {
    speedKmh: 3.6 * speed,
    lowKmh: 3.6 * Math.max(0, speed - bound),
    highKmh: 3.6 * (speed + bound),
    errors: {
      boxes: 3.6 * errors.boxes,
      calibration: 3.6 * errors.calibration,
      contact: 3.6 * errors.contact,
      turn: 3.6 * errors.turn,
    },
    travelM: speed * seconds,
    durationMs: last.timeMs - first.timeMs,
    samples: samples.length,
    heading,
  };
}

export function computeUsualBody(label: VehicleLabel): { lengthM: number; widthM: number } {
  const [lengthM, widthM] = USUAL_BODIES[label];
  return { lengthM, widthM };
}

/** Track: place at the middle of the time (m), velocity there (m/s), acceleration (m/s²), x and y each. */
function placeAt(track: Float64Array, seconds: number): GroundPoint {
  const [x = 0, y = 0, vx = 0, vy = 0, ax = 0, ay = 0] = track;
  const half = (seconds * seconds) / 2;
  return [x + vx * seconds + ax * half, y + vy * seconds + ay * half];
}

function computeMisses(
  plane: GroundPlane,
  samples: readonly SpeedSample[],
  track: Float64Array,
  middleMs: number,
): readonly Residual[] | undefined {
  const misses: Residual[] = [
    { miss: [(track[4] ?? 0) / ACCELERATION_SPREAD], covariance: [1] },
    { miss: [(track[5] ?? 0) / ACCELERATION_SPREAD], covariance: [1] },
  ];
  let before: { x: number; y: number; timeMs: number } | undefined;
  for (const { timeMs, point, boxHeight } of samples) {
    const seen = plane.toImage(placeAt(track, (timeMs - middleMs) / 1000));
    if (seen === undefined) return undefined;
    const error = Math.max(MIN_EDGE_ERROR_PX, EDGE_ERROR_SHARE * boxHeight);
    const x = (point[0] - seen[0]) / error;
    const y = (point[1] - seen[1]) / error;
    const kept = before === undefined ? 0 : Math.exp((before.timeMs - timeMs) / EDGE_ERROR_MEMORY_MS);
    const fresh = Math.sqrt(1 - kept * kept);
    misses.push(
      { miss: [soften((x - kept * (before?.x ?? 0)) / fresh)], covariance: [1] },
      { miss: [soften((y - kept * (before?.y ?? 0)) / fresh)], covariance: [1] },
    );
    before = { x, y, timeMs };
  }
  return misses;
}

/** The miss whose square is the pseudo-Huber loss (Charbonnier et al. 1997) of a miss in standard errors. */
function soften(miss: number): number {
  const root = Math.sqrt(1 + (miss / OUTLIER_ERRORS) ** 2);
  return Math.sign(miss) * OUTLIER_ERRORS * Math.sqrt(2 * (root - 1));
}

/** Variance of the velocity along the heading, m²/s². */
function computeAlong(covariance: Float64Array, [hx, hy]: GroundPoint): number {
  const [xx = 0, xy = 0, yy = 0] = [covariance[2 * 6 + 2], covariance[2 * 6 + 3], covariance[3 * 6 + 3]];
  return hx * hx * xx + 2 * hx * hy * xy + hy * hy * yy;
}

/** Errors of the way that are the same for the whole track, m: they do not average out. */
function computeCommonErrors(
  plane: GroundPlane,
  boxes: readonly SpeedSample[],
  { ends, travelM, depressionDeg }: { ends: readonly GroundPoint[]; travelM: number; depressionDeg: number },
): { calibration: number; contact: number } | undefined {
  const [from, to] = ends.map((end) => plane.toImage(end));
  if (from === undefined || to === undefined) return undefined;
  const wayBy = (map: (point: Point) => GroundPoint | undefined, a: Point, b: Point): number => {
    const [p, q] = [map(a), map(b)];
    return p === undefined || q === undefined
      ? Number.POSITIVE_INFINITY
      : Math.hypot(q[0] - p[0], q[1] - p[1]);
  };
  const variance = plane.variants.reduce((sum, map) => sum + (wayBy(map, from, to) - travelM) ** 2, 0);
  const across = Math.abs(to[0] - from[0]) / Math.hypot(to[0] - from[0], to[1] - from[1]);
  const lean = LEAN_ERROR_SHARE * across * Math.sin((depressionDeg * Math.PI) / 180) ** 2;
  const share = Math.hypot(CONTACT_ERROR_SHARE, lean);
  const [rise = 0, otherRise = 0] = boxes.map(({ boxHeight }) => share * boxHeight);
  const raised = wayBy(
    (point) => plane.toGround(point),
    [from[0], from[1] + rise],
    [to[0], to[1] + otherRise],
  );
  const calibration = Math.sqrt(variance);
  const contact = Math.abs(raised - travelM);
  return Number.isFinite(calibration) && Number.isFinite(contact) ? { calibration, contact } : undefined;
}

/**
 * The lower middle of a box is no fixed point of the body: passing by, the camera sees another corner lowest. How much longer
 * than the body's own way the way of that point is along the heading, m; from the outline of a usual body on the ground.
 */
function computeTurn(
  plane: GroundPlane,
  ends: readonly GroundPoint[],
  [hx, hy]: GroundPoint,
  { lengthM, widthM }: GroundBody,
): number | undefined {
  const [from, to] = ends.map(([x, y]) => {
    const corners = [-0.5, 0.5].flatMap((a) =>
      [-0.5, 0.5].map((b) =>
        plane.toImage([x + a * lengthM * hx + b * widthM * hy, y + a * lengthM * hy - b * widthM * hx]),
      ),
    );
    const seen = corners.filter((corner) => corner !== undefined);
    if (seen.length < corners.length) return undefined;
    const xs = seen.map(([column]) => column);
    const lowest = Math.max(...seen.map(([, row]) => row));
    const contact = plane.toGround([(Math.min(...xs) + Math.max(...xs)) / 2, lowest]);
    return contact === undefined ? undefined : (contact[0] - x) * hx + (contact[1] - y) * hy;
  });
  return from === undefined || to === undefined ? undefined : to - from;
}
