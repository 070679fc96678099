import type { RoadUserLabel } from '@ngatu/contract';
import type { Point } from '../geometry/box.ts';
import { computeGroundOutline, layOnGround } from './ground-outline.ts';
import type { PathPoint } from './ground-path.ts';

/** A step is shorter than this share of the box height: it says nothing about direction. */
const MIN_STEP_HEIGHTS = 0.05;
/** Of all that it moved at least this share went against the direction: a swerve is no wrong way. */
const MIN_AGAINST_SHARE = 0.75;
/** The upper edge moves at least this share of what the lower one moves: where the lower one alone moves, it is being hidden. */
const MIN_UPPER_SHARE = 0.4;
/** The speed of a stretch of this time is believed, ms. */
const PACE_MS = 800;
/** Who came this far along the direction before has turned round or reverses, heights. */
const CAME_ALONG_HEIGHTS = 0.5;
/** Who stood this long near the origin may be pulling out, backwards, ms. */
const STOOD_MS = 1000;
/** Who stays within this much stands, heights. */
const STILL_HEIGHTS = 0.1;
/** Back in its own way, within this many heights on the ground: reversing; further beside it: turned round. */
const OWN_WAY_HEIGHTS = 1.2;
/** Places of the way there that are kept, and how far apart, heights. */
const MAX_TRAIL = 64;
const TRAIL_STEP_HEIGHTS = 0.25;

/** The way against the direction since its origin; lengths in px of the picture. */
export interface AgainstWay {
  readonly originAtMs: number;
  readonly atMs: number;
  readonly durationMs: number;
  readonly travelPx: number;
  /** Bound of `travelPx`. */
  readonly errorPx: number;
  readonly heightPx: number;
  /** The smaller one of the angles in the picture and on the ground, and its bound. */
  readonly angleDeg: number;
  readonly angleErrorDeg: number;
  /** The whole road user moved, and mostly against the direction. */
  readonly isSteady: boolean;
  /** Fastest stretch on the ground by the scale of its box, m/s. */
  readonly fastestMps: number;
  /** It came along the direction before. */
  readonly hasTurnedRound: boolean;
  /** It came along or stood there, and goes back in its own way. */
  readonly isReversing: boolean;
}

export interface AgainstView {
  /** Picture vector. */
  readonly allowed: Point;
  readonly depressionDeg: number;
}

/** Follows how far one road user goes against a direction. */
export class AgainstPath {
  /** Its case was told; until it leaves, or goes along the direction again. */
  isTold = false;
  readonly #view: AgainstView;
  readonly #allowed: Point;
  readonly #allowedOnGround: Point;
  readonly #sin: number;
  #origin: PathPoint | undefined;
  #way: AgainstWay | undefined;
  #anchor: PathPoint | undefined;
  #againstPx = 0;
  #movedPx = 0;
  #fastestMps = 0;
  #pace: PathPoint[] = [];
  /** Where it came from before the origin, newest last. */
  #trail: PathPoint[] = [];
  /** Where it has been for a while without leaving a step. */
  #still: PathPoint | undefined;
  /** Where it stood last for long. */
  #stood: PathPoint | undefined;

  constructor(view: AgainstView) {
    this.#view = view;
    this.#sin = Math.sin((view.depressionDeg * Math.PI) / 180);
    const norm = Math.hypot(view.allowed[0], view.allowed[1]) || 1;
    this.#allowed = [view.allowed[0] / norm, view.allowed[1] / norm];
    this.#allowedOnGround = layOnGround(view.allowed, this.#sin);
  }

  /** The way up to the newest place; undefined while it goes along. */
  get way(): AgainstWay | undefined {
    return this.#way;
  }

  /** What follows does not go on from here. After a mere pause the case stays told. */
  restart(isSameUser: boolean): void {
    this.#begin(undefined);
    this.#trail = [];
    this.#still = undefined;
    this.#stood = undefined;
    if (!isSameUser) this.isTold = false;
  }

  /** It is outside the zone now. */
  leave(point: PathPoint): void {
    this.#begin(undefined);
    this.isTold = false;
    this.#remember(point);
  }

  take(point: PathPoint, label: RoadUserLabel): void {
    this.#remember(point);
    this.#watchStanding(point);
    const origin = this.#origin;
    const step = MIN_STEP_HEIGHTS * (point.box[3] - point.box[1]);
    if (origin === undefined || this.#alongFrom(origin, point) >= 0) {
      const cameBack = origin !== undefined && this.#alongFrom(origin, point) > step;
      if (cameBack) this.isTold = false;
      this.#begin(point);
      return;
    }
    this.#step(point, step);
    this.#measurePace(point, label);
    this.#way = this.#measure(origin, point);
  }

  #begin(origin: PathPoint | undefined): void {
    this.#origin = origin;
    this.#anchor = origin;
    this.#way = undefined;
    this.#againstPx = 0;
    this.#movedPx = 0;
    this.#fastestMps = 0;
    this.#pace = origin === undefined ? [] : [origin];
  }

  #alongFrom(from: PathPoint, to: PathPoint): number {
    const [dx, dy] = [to.point[0] - from.point[0], to.point[1] - from.point[1]];
    return dx * this.#allowed[0] + dy * this.#allowed[1];
  }

  #step(point: PathPoint, minPx: number): void {
    const anchor = this.#anchor ?? point;
    const length = Math.hypot(point.point[0] - anchor.point[0], point.point[1] - anchor.point[1]);
    if (length < minPx) return;
    this.#movedPx += length;
    if (this.#alongFrom(anchor, point) < 0) this.#againstPx += length;
    this.#anchor = point;
  }

  #watchStanding(point: PathPoint): void {
    const still = this.#still;
    if (still === undefined || distanceBetween(still, point) > STILL_HEIGHTS * (point.box[3] - point.box[1]))
      this.#still = point;
    else if (point.atMs - still.atMs >= STOOD_MS) this.#stood = point;
  }

  #measurePace(point: PathPoint, label: RoadUserLabel): void {
    this.#pace.push(point);
    while (point.atMs - (this.#pace[1]?.atMs ?? point.atMs) >= PACE_MS) this.#pace.shift();
    const from = this.#pace[0];
    if (from === undefined || point.atMs - from.atMs < PACE_MS / 2) return;
    const { depressionDeg } = this.#view;
    const outline = computeGroundOutline(label, point.box, { depressionDeg, heading: point.heading });
    if (outline === undefined) return;
    const wayPx = Math.hypot(point.point[0] - from.point[0], (point.point[1] - from.point[1]) / this.#sin);
    const speed = wayPx / outline.pxPerMetre / ((point.atMs - from.atMs) / 1000);
    this.#fastestMps = Math.max(this.#fastestMps, speed);
  }

  #measure(origin: PathPoint, point: PathPoint): AgainstWay {
    const [dx, dy] = [point.point[0] - origin.point[0], point.point[1] - origin.point[1]];
    const travelPx = Math.hypot(dx, dy);
    const errorPx = Math.hypot(origin.errorPx, point.errorPx);
    const ground = layOnGround([dx, dy], this.#sin);
    const inPicture = (dx * this.#allowed[0] + dy * this.#allowed[1]) / Math.max(travelPx, Number.EPSILON);
    const onGround = ground[0] * this.#allowedOnGround[0] + ground[1] * this.#allowedOnGround[1];
    const cos = Math.max(-1, Math.min(1, Math.max(inPicture, onGround)));
    const hasTurnedRound = this.#hasComeAlong(origin);
    return {
      originAtMs: origin.atMs,
      atMs: point.atMs,
      durationMs: point.atMs - origin.atMs,
      travelPx,
      errorPx,
      heightPx: (origin.box[3] - origin.box[1] + point.box[3] - point.box[1]) / 2,
      angleDeg: (Math.acos(cos) * 180) / Math.PI,
      angleErrorDeg: (Math.asin(Math.min(1, errorPx / Math.max(travelPx, errorPx))) * 180) / Math.PI,
      isSteady: this.#againstPx >= MIN_AGAINST_SHARE * this.#movedPx && movedAsWhole(origin, point),
      fastestMps: this.#fastestMps,
      hasTurnedRound,
      isReversing: (hasTurnedRound || this.#hasStood(origin)) && this.#isInOwnWay(origin, point),
    };
  }

  #remember(point: PathPoint): void {
    const newest = this.#trail.at(-1);
    const step = TRAIL_STEP_HEIGHTS * (point.box[3] - point.box[1]);
    if (newest !== undefined && distanceBetween(newest, point) < step) return;
    this.#trail.push(point);
    if (this.#trail.length > MAX_TRAIL) this.#trail.shift();
  }

  #hasComeAlong(origin: PathPoint): boolean {
    const enough = CAME_ALONG_HEIGHTS * (origin.box[3] - origin.box[1]);
    return this.#trail.some((one) => one.atMs < origin.atMs && this.#alongFrom(one, origin) >= enough);
  }

  #hasStood(origin: PathPoint): boolean {
    const near = OWN_WAY_HEIGHTS * (origin.box[3] - origin.box[1]);
    return this.#stood !== undefined && distanceBetween(this.#stood, origin) <= near;
  }

  /** Where it is now it was on the way there, or it came from standing: no circle lies between. */
  #isInOwnWay(origin: PathPoint, point: PathPoint): boolean {
    const beside = OWN_WAY_HEIGHTS * (origin.box[3] - origin.box[1]);
    const there = this.#trail.filter(({ atMs }) => atMs <= origin.atMs);
    const back = [...this.#trail.filter(({ atMs }) => atMs > origin.atMs), point];
    const [ax, ay] = this.#allowedOnGround;
    const acrossOf = ({ point: [x, y] }: PathPoint): number => x * ay - (y / this.#sin) * ax;
    if (there.length === 0) return true;
    return back.every((one) => {
      const nearest = there.reduce((a, b) =>
        Math.abs(this.#alongFrom(b, one)) < Math.abs(this.#alongFrom(a, one)) ? b : a,
      );
      return Math.abs(acrossOf(one) - acrossOf(nearest)) <= beside;
    });
  }
}

function distanceBetween({ point: a }: PathPoint, { point: b }: PathPoint): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

/** The upper edge moved along with the lower one; of who mostly moves sideways the heights say nothing. */
function movedAsWhole({ box: from }: PathPoint, { box: to }: PathPoint): boolean {
  const [upper, lower] = [to[1] - from[1], to[3] - from[3]];
  const sideways = Math.abs(to[0] + to[2] - from[0] - from[2]) / 2;
  if (Math.abs(lower) <= sideways) return true;
  return Math.sign(upper) === Math.sign(lower) && Math.abs(upper) >= MIN_UPPER_SHARE * Math.abs(lower);
}
