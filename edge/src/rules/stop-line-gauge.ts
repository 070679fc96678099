import {
  NgatuError,
  type RedLightRule,
  type RoadUserLabel,
  type Scene,
  type StopLineRule,
} from '@ngatu/contract';
import { computeGroundPoint, type Point } from '../geometry/box.ts';
import { computeFootprint, type FootprintView } from '../geometry/footprint.ts';
import { GroundPlane } from '../geometry/ground-plane.ts';
import { PictureScaleLearner } from '../geometry/picture-scale.ts';
import { DirectedLine } from '../geometry/polyline.ts';
import type { Observation } from './rule.ts';
import { HiddenGround } from './stop-line-hidden.ts';
import {
  computeApproachHeading,
  computeStopLinePosition,
  type StopLinePosition,
} from './stop-line-position.ts';

/** One sight of a road user with where it stood relative to the line. */
export interface StopLineSight {
  readonly observation: Observation;
  readonly position: StopLinePosition;
  /** Middle of its lower edge, source pixels; inferred where the wheels are hidden. */
  readonly ground: Point;
}

/** The way of a road user tells its heading once it is this long, in heights of its box … */
const MIN_WAY_HEIGHTS = 0.6;
/** … is remembered in steps of this length, at most so many … */
const STEP_HEIGHTS = 0.12;
const MAX_STEPS = 16;
/** … and within this angle of the heading of the scene: who turns, pushes back or jitters keeps that of the scene, degrees. */
const MAX_TURN_DEG = 50;
/** How well a calibration tells the angle of the view at a place, degrees. */
const CALIBRATED_ANGLE_ERROR_DEG = 1.5;
/** And the scale, as a share. */
const CALIBRATED_SCALE_ERROR = 0.04;
/** Samples of the scale that one road user gives, and the time between them, ms. */
const MAX_SCALE_SAMPLES = 5;
const SCALE_SAMPLE_MS = 400;
/** Nearer to the line than so many sizes of its box a road user is measured. */
const NEAR_SIZES = 3;
const NO_SIGHTS: readonly StopLineSight[] = [];

interface Followed {
  readonly label: RoadUserLabel;
  /** All observations of the history with their headings. */
  readonly noticed: { readonly observation: Observation; readonly heading: Point }[];
  readonly sights: StopLineSight[];
  readonly hidden: HiddenGround;
  /** Ground points in view that lie a step apart, oldest first. */
  readonly steps: Point[];
  heading: Point;
  /** Samples of the scale that it gave, and the last one's media time. */
  scaleSamples: number;
  sampledAtMs: number;
}

/** Measures road users against the stop line of a rule. What was measured once is remembered with their history. */
export class StopLineGauge {
  /** Direction in which the line is passed. */
  readonly heading: Point;
  readonly #line: DirectedLine;
  readonly #depressionDeg: number;
  readonly #ground: GroundPlane | undefined;
  readonly #scale = new PictureScaleLearner();
  readonly #known = new WeakMap<readonly Observation[], Followed>();

  /**
   * A calibration of the scene tells scale and angle of the view; else the scene's angle holds, and the scale is learned.
   * @throws RangeError where the scene has no such tripwire; a loaded scene was checked for that
   */
  constructor(rule: Pick<RedLightRule | StopLineRule, 'stopLine' | 'approach'>, scene: Scene) {
    const tripwire = scene.tripwires.find(({ name }) => name === rule.stopLine);
    if (tripwire === undefined)
      throw new RangeError(`Scene "${scene.name}" has no tripwire "${rule.stopLine}"`);
    this.#line = new DirectedLine(tripwire.points, tripwire.forwardTowards);
    this.#depressionDeg = scene.view.depressionDeg;
    this.#ground = openPlane(scene);
    this.heading = computeApproachHeading(tripwire.points, tripwire.forwardTowards, rule.approach);
  }

  /**
   * All sights of a history, oldest first; none while the road user is far from the line. A sight is measured with what was
   * known up to it, so it never changes later unless the road user turns out to be of another class.
   * @param history the list that `TrackHistory` keeps for one track
   */
  follow(label: RoadUserLabel, history: readonly Observation[]): readonly StopLineSight[] {
    let known = this.#known.get(history);
    if (known?.label !== label) {
      known = startFollowing(label, this.heading);
      this.#known.set(history, known);
    }
    this.#notice(known, history);
    if (!this.#isNear(history.at(-1))) return NO_SIGHTS;
    const newest = known.sights.at(-1)?.observation;
    const from = newest === undefined ? 0 : history.lastIndexOf(newest) + 1;
    for (const { observation, heading } of known.noticed.slice(from))
      known.sights.push(this.#measure(known, observation, heading));
    if (known.sights.length > history.length) known.sights.splice(0, known.sights.length - history.length);
    return known.sights;
  }

  /** Takes the way of new observations: it tells the heading, and from time to time the scale of the picture. */
  #notice(followed: Followed, history: readonly Observation[]): void {
    const { noticed } = followed;
    const last = noticed.at(-1)?.observation;
    for (let i = last === undefined ? 0 : history.lastIndexOf(last) + 1; i < history.length; i++) {
      const observation = history[i] as Observation;
      const way = takeStep(followed.steps, observation);
      const goesAlong = way !== undefined && isWithin(way, this.heading, MAX_TURN_DEG);
      if (way !== undefined) followed.heading = goesAlong ? way : this.heading;
      if (goesAlong) this.#learnScale(followed, observation, way);
      noticed.push({ observation, heading: followed.heading });
    }
    if (noticed.length > history.length) noticed.splice(0, noticed.length - history.length);
  }

  #isNear(newest: Observation | undefined): boolean {
    if (newest === undefined) return false;
    const { distance, overrun } = this.#line.locate(computeGroundPoint(newest.box));
    const reach = NEAR_SIZES * Math.max(newest.box[3] - newest.box[1], newest.box[2] - newest.box[0]);
    return Math.abs(distance) < reach && overrun < reach;
  }

  #measure(followed: Followed, observation: Observation, heading: Point): StopLineSight {
    const measured = followed.hidden.take(observation);
    const ground = computeGroundPoint(measured.box);
    const view = this.#viewAt(ground, heading);
    return {
      observation,
      position: computeStopLinePosition(this.#line, followed.label, measured, view),
      ground,
    };
  }

  /** Takes the scale that a box alone tells, a few times of each road user that goes the way of the approach. */
  #learnScale(followed: Followed, { box, frame }: Observation, heading: Point): void {
    if (this.#ground !== undefined || followed.scaleSamples >= MAX_SCALE_SAMPLES) return;
    if (frame.mediaTimeMs - followed.sampledAtMs < SCALE_SAMPLE_MS) return;
    const { pxPerMetre } = computeFootprint(followed.label, box, {
      depressionDeg: this.#depressionDeg,
      heading,
    });
    if (pxPerMetre === undefined) return;
    this.#scale.add(box[3], pxPerMetre, followed.scaleSamples === 0);
    followed.scaleSamples += 1;
    followed.sampledAtMs = frame.mediaTimeMs;
  }

  #viewAt(point: Point, heading: Point): FootprintView {
    const scale = this.#ground?.scaleAt(point);
    if (scale === undefined) {
      const learned = this.#scale.at(point[1]);
      return {
        depressionDeg: this.#depressionDeg,
        heading,
        ...(learned === undefined ? {} : { scale: learned }),
      };
    }
    const sin = Math.min(1, scale.minMetresPerPx / scale.maxMetresPerPx);
    return {
      depressionDeg: (Math.asin(sin) * 180) / Math.PI,
      depressionErrorDeg: CALIBRATED_ANGLE_ERROR_DEG,
      scale: { pxPerMetre: 1 / scale.minMetresPerPx, errorShare: CALIBRATED_SCALE_ERROR },
      heading,
    };
  }
}

/** A calibration that cannot be used is told by readiness; the lines of the picture can be judged without. */
function openPlane({ calibration, picture }: Scene): GroundPlane | undefined {
  if (calibration === undefined) return undefined;
  try {
    return GroundPlane.fromCalibration(calibration, picture);
  } catch (error) {
    if (error instanceof NgatuError && error.code === 'CALIBRATION_INVALID') return undefined;
    throw error;
  }
}

function startFollowing(label: RoadUserLabel, heading: Point): Followed {
  return {
    label,
    noticed: [],
    sights: [],
    hidden: new HiddenGround(),
    steps: [],
    heading,
    scaleSamples: 0,
    sampledAtMs: Number.NEGATIVE_INFINITY,
  };
}

/**
 * Adds a sight to the steps, and returns the newest piece of way up to it that is long enough to tell a direction; undefined
 * where there is none or the wheels are hidden.
 */
function takeStep(steps: Point[], { box, groundSeen }: Observation): Point | undefined {
  if (!groundSeen) return undefined;
  const here = computeGroundPoint(box);
  const height = box[3] - box[1];
  const from = steps.findLast(([x, y]) => Math.hypot(here[0] - x, here[1] - y) >= MIN_WAY_HEIGHTS * height);
  const last = steps.at(-1);
  if (last === undefined || Math.hypot(here[0] - last[0], here[1] - last[1]) >= STEP_HEIGHTS * height) {
    steps.push(here);
    if (steps.length > MAX_STEPS) steps.shift();
  }
  return from === undefined ? undefined : [here[0] - from[0], here[1] - from[1]];
}

function isWithin(a: Point, b: Point, maxDeg: number): boolean {
  const norm = Math.hypot(a[0], a[1]) * Math.hypot(b[0], b[1]);
  return norm > 0 && (a[0] * b[0] + a[1] * b[1]) / norm >= Math.cos((maxDeg * Math.PI) / 180);
}
