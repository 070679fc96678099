import type { RoadUserLabel } from '@ngatu/contract';
import {
  type Box,
  computeArea,
  computeGroundPoint,
  computeIntersection,
  computeIou,
  type Point,
} from '../geometry/box.ts';
import type { Track } from '../track/track.ts';
import type { FrameMark, RememberedPlace } from './rule.ts';
import { computeStayRadius } from './standing-gauge.ts';

/** Sights further apart than this leave a hole: what happened in between was not seen, ms. */
const MAX_STEP_MS = 2_500;
/** In a longer hole one vehicle may have gone and another come, ms. */
const REPLACE_MS = 8_000;
/** Unless each side of the box is where it was, within this share of its size. */
const SAME_SIDES = 0.12;
/** In view and nobody found there for this long: it has left. A case that was told is held longer: the detector may miss for minutes. */
const EMPTY_MS = 30_000;
const EMPTY_TOLD_MS = 300_000;
/** After its track was seen elsewhere (which may be a mix-up of ids), ms. */
const EMPTY_LEFT_MS = 6_000;
/** So many others were seen, at two moments each, to drive over the very ground: nobody stands there. */
const MIN_PASSERS = 2;
/** The box of a place is averaged over this time, then it stands still; that of a told case follows slowly. */
const AVERAGE_MS = 3_000;
const FOLLOW_MS = 10_000;
/** Fits: overlap of two whole boxes; of a part that is in sight; of a vehicle whose rider has got off. */
const MIN_IOU = 0.45;
/** Two boxes that overlap by more are one vehicle found twice. */
const SAME_VEHICLE_IOU = 0.6;
const MIN_IOU_RECALLED = 0.6;
/** The very same box is the same vehicle, whatever the detector takes it for. */
const SAME_BOX_IOU = 0.8;
const MIN_PART = 0.8;
const MIN_PART_AREA = 0.25;
const PART_FIT = 0.3;

const HEAVY: readonly RoadUserLabel[] = ['car', 'bus', 'truck'];

/** The detector takes a van for a car or a truck, never for a motorbike. */
function areCompatible(a: RoadUserLabel, b: RoadUserLabel): boolean {
  return HEAVY.includes(a) === HEAVY.includes(b) && (a === 'person') === (b === 'person');
}

/** True where two boxes show one vehicle. */
export function isSameVehicle(
  a: { readonly box: Box; readonly label: RoadUserLabel },
  b: { readonly box: Box; readonly label: RoadUserLabel },
): boolean {
  const iou = computeIou(a.box, b.box);
  return iou >= (areCompatible(a.label, b.label) ? SAME_VEHICLE_IOU : SAME_BOX_IOU);
}

/** One place at which a vehicle stands or stood; a vehicle is known by where and how large it is. Times are media times, ms. */
export class Place {
  box: Box;
  trackId: number;
  isTold = false;
  /** Instant of the newest sight, ms since 1970. */
  lastSeenAtMs: number;
  /** Standing began at the latest; anew where it may be another vehicle. */
  sinceMs: number;
  /** Direction in the picture in which the vehicle came to stand, a unit vector; undefined where it stood already when it was first seen. */
  heading: Point | undefined;
  /** Standing that counts, waiting in a queue, and time out of sight, ms. */
  countedMs = 0;
  exemptMs = 0;
  hiddenMs = 0;
  #isRecalled = false;
  #lastSightMs: number | undefined;
  #stepMs: number;
  #averagedMs = 0;
  #emptyMs = 0;
  #hasLeft = false;
  #isPassedOver = false;
  readonly #passers = new Map<number, number>();
  readonly #votes = new Map<RoadUserLabel, number>();

  private constructor(start: {
    box: Box;
    label: RoadUserLabel;
    trackId: number;
    lastSeenAtMs: number;
    sinceMs: number;
    heading: Point | undefined;
  }) {
    this.box = start.box;
    this.trackId = start.trackId;
    this.lastSeenAtMs = start.lastSeenAtMs;
    this.sinceMs = start.sinceMs;
    this.heading = start.heading;
    this.#stepMs = 0;
    this.#votes.set(start.label, 1);
  }

  /** From now on time counts: it rolled out within the time in which it was found to stand. */
  static open(track: Track, frame: FrameMark, heading: Point | undefined): Place {
    const { box, label, trackId } = track;
    const place = new Place({
      box,
      label,
      trackId,
      lastSeenAtMs: frame.capturedAtMs,
      sinceMs: frame.mediaTimeMs,
      heading,
    });
    place.#lastSightMs = frame.mediaTimeMs;
    return place;
  }

  static recall({ box, label, lastSeenAtMs }: RememberedPlace): Place {
    const place = new Place({ box, label, lastSeenAtMs, trackId: 0, sinceMs: 0, heading: undefined });
    place.isTold = true;
    place.#isRecalled = true;
    return place;
  }

  /** False where the vehicle stood already when it was first seen. */
  get arrivalSeen(): boolean {
    return this.heading !== undefined;
  }

  get label(): RoadUserLabel {
    let [best, most]: [RoadUserLabel, number] = ['car', -1];
    for (const [label, votes] of this.#votes) if (votes > most) [best, most] = [label, votes];
    return best;
  }

  get isEmpty(): boolean {
    if (this.#isPassedOver) return true;
    const limitMs = this.#hasLeft ? EMPTY_LEFT_MS : this.isTold ? EMPTY_TOLD_MS : EMPTY_MS;
    return this.#emptyMs >= limitMs;
  }

  /** True where a sight of this place is at most one step old. */
  isInSight(nowMs: number): boolean {
    return this.#lastSightMs !== undefined && nowMs - this.#lastSightMs <= MAX_STEP_MS;
  }

  /** True where it was seen in the very frame of this moment. */
  isSeenAt(nowMs: number): boolean {
    return this.#lastSightMs === nowMs;
  }

  /** How well a road user may be the one that stands here; 0 where it may not. */
  fitOf({ box, label }: Track): number {
    const iou = computeIou(box, this.box);
    if (!areCompatible(this.label, label)) return iou >= SAME_BOX_IOU ? iou : 0;
    if (iou >= (this.#isRecalled ? MIN_IOU_RECALLED : MIN_IOU)) return iou;
    if (this.#isRecalled) return 0;
    const area = computeArea(box);
    const part = area > 0 ? computeIntersection(box, this.box) / area : 0;
    if (part >= MIN_PART && area >= MIN_PART_AREA * computeArea(this.box)) return PART_FIT;
    return 0;
  }

  /** A vehicle stands here in this frame. */
  sight(track: Track, frame: FrameMark): void {
    const gapMs = frame.mediaTimeMs - (this.#lastSightMs ?? frame.mediaTimeMs);
    this.#stepMs = gapMs <= MAX_STEP_MS ? gapMs : 0;
    if (gapMs > MAX_STEP_MS) this.hiddenMs += gapMs;
    const mayBeAnother = gapMs > REPLACE_MS && !this.#isSameBox(track.box);
    if (!this.isTold && (mayBeAnother || this.#hasMoved(track))) this.#beginAnew(track, frame);
    this.#average(track, gapMs);
    this.#votes.set(track.label, (this.#votes.get(track.label) ?? 0) + track.confidence);
    this.trackId = track.trackId;
    this.lastSeenAtMs = frame.capturedAtMs;
    this.#lastSightMs = frame.mediaTimeMs;
    this.#emptyMs = 0;
    this.#hasLeft = false;
    this.#isRecalled = false;
    this.#passers.clear();
  }

  /** Adds the time since the sight before; call once a frame. */
  count(isExempt: boolean): void {
    if (isExempt) this.exemptMs += this.#stepMs;
    else this.countedMs += this.#stepMs;
    this.#stepMs = 0;
  }

  /** The road user that stood here is seen with `box` now: true where that is elsewhere. */
  isLeftBy(box: Box): boolean {
    const [x, y] = computeGroundPoint(this.box);
    const [nx, ny] = computeGroundPoint(box);
    return Math.hypot(nx - x, ny - y) > 0.8 * Math.max(this.box[2] - this.box[0], this.box[3] - this.box[1]);
  }

  seeLeave(): void {
    this.#hasLeft = true;
  }

  /** Another road user drives here: over the ground of this place it can only where nobody stands. */
  seePassing(trackId: number, box: Box): void {
    const [x, y] = computeGroundPoint(box);
    const [x1, y1, x2, y2] = this.box;
    const isOver = Math.abs(x - (x1 + x2) / 2) < 0.3 * (x2 - x1) && y <= y2 && y > y2 - 0.25 * (y2 - y1);
    if (!isOver) return;
    this.#passers.set(trackId, (this.#passers.get(trackId) ?? 0) + 1);
    const passed = [...this.#passers.values()].filter((sights) => sights >= 2);
    this.#isPassedOver ||= passed.length >= MIN_PASSERS;
  }

  /** The place was in view for `stepMs` and nobody was found there. */
  seeNobody(stepMs: number): void {
    this.#emptyMs += stepMs;
  }

  #beginAnew(track: Track, frame: FrameMark): void {
    this.sinceMs = frame.mediaTimeMs;
    this.countedMs = 0;
    this.exemptMs = 0;
    this.hiddenMs = 0;
    this.#stepMs = 0;
    this.#averagedMs = 0;
    this.box = track.box;
  }

  #hasMoved({ box, groundSeen }: Track): boolean {
    if (!groundSeen) return false;
    const [x, y] = computeGroundPoint(this.box);
    const [nx, ny] = computeGroundPoint(box);
    return Math.hypot(nx - x, ny - y) > 1.5 * computeStayRadius(this.box);
  }

  #isSameBox(box: Box): boolean {
    const size = [this.box[2] - this.box[0], this.box[3] - this.box[1]];
    return box.every((side, i) => Math.abs(side - (this.box[i] ?? 0)) <= SAME_SIDES * (size[i % 2] ?? 0) + 2);
  }

  #average({ box, groundSeen }: Track, gapMs: number): void {
    if (!groundSeen) return;
    const stepMs = Math.min(gapMs, MAX_STEP_MS);
    let share = stepMs / (this.#averagedMs + stepMs || 1);
    if (this.#averagedMs >= AVERAGE_MS) share = this.isTold ? stepMs / FOLLOW_MS : 0;
    this.#averagedMs += stepMs;
    const [x1, y1, x2, y2] = this.box;
    this.box = [
      x1 + share * (box[0] - x1),
      y1 + share * (box[1] - y1),
      x2 + share * (box[2] - x2),
      y2 + share * (box[3] - y2),
    ];
  }
}
