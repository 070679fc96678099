import { type Box, computeGroundPoint, type Point } from '../geometry/box.ts';
import { BoxJitter } from './box-jitter.ts';
import { computeEdgeError } from './ground-outline.ts';
import type { Observation, RuleContext } from './rule.ts';

/** Boxes of this time are averaged, ms: at 6 frames a second three of them. */
const WINDOW_MS = 400;
/** A longer pause between two sights breaks what happens across it, ms: it may join two road users. */
const MAX_GAP_MS = 700;
/** Not so who goes on where its way led, within this, heights and heights/s; but never for longer than the tracker itself waits, ms. */
const MAX_STRAY_HEIGHTS = 0.35;
const MAX_STRAY_HEIGHTS_PER_S = 1;
export const MAX_LONG_GAP_MS = 1500;
/** Where frames are rare, so many of them may be missed. */
const MAX_MISSED_FRAMES = 1;
/** A sight may lie this far from where the path leads: boxes change at occlusion (heights), and drivers brake and steer (heights/s). */
const MAX_DEVIATION_HEIGHTS = 0.35;
const MAX_DEVIATION_HEIGHTS_PER_S = 3;
/** Before a speed is known nothing moves faster than this, heights/s: 70 km/h for a car. */
const MAX_SPEED_HEIGHTS_PER_S = 7.5;
/** From one sight to the next a box does not grow or shrink by more than this factor. */
const MAX_GROWTH = 1.65;
/** Odd sights are left out; when they last this long the tracker has gone over to another road user, ms. */
const SWAP_MS = 300;
/** Speed is measured back over at least this time, ms. */
const SPEED_BASE_MS = 200;
/** Direction is taken over at least two such steps, one back and one ahead, heights. */
const HEADING_STEP_HEIGHTS = 0.15;
/** For the step ahead a place waits this long; then it takes the direction of the one before, ms. */
const MAX_AHEAD_MS = 300;
/** Who keeps its direction within this need not wait, tangent of the angle. */
const MAX_STRAIGHT_SLOPE = 0.2;
/** Places of the way back are kept this far apart, heights, and so many: more than one step. */
const ANCHOR_HEIGHTS = 0.05;
const MAX_ANCHORS = 8;
/** While no direction is known yet, places of the last so many ms before it set off wait for it, and so many at most. */
const WAIT_MS = 600;
const MAX_WAITING = 64;
/** A box this near the picture's edge is cut off there, share of the picture. */
const CUT_SHARE = 0.003;
/** Whose side is cut off is completed while at least this share of its width is in sight; bound of that width, share. */
const MIN_SIDE_SHARE = 0.35;
const SIDE_ERROR = 0.12;
/**
 * Who is hidden below for no longer than this is taken where the tracker completes its box, ms; bound of the lower edge then: heights, and
 * heights/s more since it was in sight (measured on simulated streets: nine of ten lie within 0.03 + 0.07/s, nearly all within this).
 */
const MAX_HIDDEN_MS = 1000;
const HIDDEN_ERROR_HEIGHTS = 0.1;
const HIDDEN_ERROR_HEIGHTS_PER_S = 0.1;

/** Where a road user was, from the boxes of a short time: their mean at the mean of their instants. */
export interface PathPoint {
  readonly atMs: number;
  /** Source pixels. */
  readonly box: Box;
  /** Middle of the lower edge of `box`. */
  readonly point: Point;
  /** Bound of `point` in either direction, px: edge of a box, and twice the standard error of the mean of these boxes. */
  readonly errorPx: number;
  /** The same to the side and in depth: `errorPx` is the larger of them. */
  readonly sideErrorPx: number;
  readonly depthErrorPx: number;
  /** Direction of travel, last known; px, no unit vector. */
  readonly heading: Point;
  /**
   * Set where the path begins anew: `new` at first, `gap` after a pause, `swap` where the tracker has gone over to another road
   * user, `class` where another class is believed now.
   */
  readonly start?: PathStart;
}
export type PathStart = 'new' | 'gap' | 'swap' | 'class';

/** What was looked at: size of the source picture, px, and the usual time between two frames, ms. */
export interface PathPicture {
  readonly width: number;
  readonly height: number;
  readonly frameMs: number;
}

type Unheaded = Omit<PathPoint, 'heading'>;

/** A sight with what was added to it. */
interface Place {
  readonly frame: Observation['frame'];
  readonly box: Box;
  /** Bounds of what was added, px. */
  readonly sidePx: number;
  readonly depthPx: number;
}

/**
 * Makes a steady path of what is seen of one road user: boxes averaged over a short time, without odd ones. What is cut off at
 * the side, or hidden below for a moment, is completed, with a wider bound. Nothing of it depends on the frame rate but the error.
 */
export class GroundPath {
  #window: Place[] = [];
  #odd: Observation[] = [];
  /** The last whole sight with its ground in sight. */
  #whole: Observation | undefined;
  #jitter = new BoxJitter();
  /** Points of the last `SPEED_BASE_MS`, the first one just older. */
  #recent: Unheaded[] = [];
  /** Places of the way so far. */
  #anchors: Point[] = [];
  #heading: Point | undefined;
  #waiting: Unheaded[] = [];
  #start: PathStart | undefined = 'new';

  /** Takes the next sight; gives the points that became known, oldest first. */
  take(sight: Observation, picture: PathPicture): PathPoint[] {
    const place = this.#complete(sight, picture);
    // what leaves the picture has no way ahead any more
    if (place === undefined) return isCut(sight.box, picture) ? this.#head() : [];
    const last = this.#window.at(-1);
    if (last !== undefined && this.#isOdd(place, last)) {
      this.#odd.push(sight);
      const first = this.#odd[0] ?? sight;
      if (this.#odd.length < 2 || timeBetween(first, sight) < SWAP_MS) return [];
      return [...this.#head(), ...this.#restart(this.#odd, picture)];
    }
    this.#odd = [];
    if (last !== undefined && timeBetween(last, place) > computeMaxGap(picture.frameMs)) {
      const goesOn = timeBetween(last, place) <= MAX_LONG_GAP_MS && this.#goesOn(place, last);
      if (!goesOn) this.#start ??= 'gap';
      this.#window = [];
    }
    this.#window = this.#window.filter((one) => timeBetween(one, place) <= WINDOW_MS);
    this.#window.push(place);
    if (place.box === sight.box && sight.groundSeen) {
      this.#whole = sight;
      this.#jitter.add(sight);
    }
    return this.#head(this.#average());
  }

  /** Undefined where it cannot be told where it stands. */
  #complete(sight: Observation, picture: PathPicture): Place | undefined {
    const { frame, box, groundSeen } = sight;
    const height = box[3] - box[1];
    const whole = this.#whole;
    const isWhole = !isCut(box, picture);
    if (isWhole && groundSeen) return { frame, box, sidePx: 0, depthPx: 0 };
    const hiddenMs = whole === undefined ? Number.POSITIVE_INFINITY : timeBetween(whole, sight);
    if (whole === undefined || hiddenMs > (groundSeen ? MAX_LONG_GAP_MS : MAX_HIDDEN_MS)) return undefined;
    const hiddenHeights = HIDDEN_ERROR_HEIGHTS + (HIDDEN_ERROR_HEIGHTS_PER_S * hiddenMs) / 1000;
    const depthPx = groundSeen ? 0 : hiddenHeights * height;
    if (isWhole) return { frame, box, sidePx: 0, depthPx };
    const full = completeSide(
      box,
      picture,
      (height * (whole.box[2] - whole.box[0])) / (whole.box[3] - whole.box[1]),
    );
    return full === undefined
      ? undefined
      : { frame, box: full, sidePx: SIDE_ERROR * (full[2] - full[0]), depthPx };
  }

  /** The class that is believed has changed: what was measured so far does not compare with what comes. */
  changeClass(): void {
    this.#start ??= 'class';
  }

  #restart(sights: readonly Observation[], picture: PathPicture): PathPoint[] {
    this.#window = [];
    this.#odd = [];
    this.#whole = undefined;
    this.#jitter = new BoxJitter();
    this.#recent = [];
    this.#anchors = [];
    this.#heading = undefined;
    this.#waiting = [];
    this.#start = 'swap';
    return sights.flatMap((sight) => this.take(sight, picture));
  }

  #isOdd(place: Place, last: Place): boolean {
    const seconds = timeBetween(last, place) / 1000;
    const height = last.box[3] - last.box[1];
    const growth = (place.box[3] - place.box[1]) / Math.max(1, height);
    if (growth > MAX_GROWTH || growth < 1 / MAX_GROWTH) return true;
    const deviation = this.#measureDeviation(place);
    if (deviation === undefined) {
      const [x, y] = computeGroundPoint(place.box);
      const [lx, ly] = computeGroundPoint(last.box);
      return (
        Math.hypot(x - lx, y - ly) > (MAX_DEVIATION_HEIGHTS + MAX_SPEED_HEIGHTS_PER_S * seconds) * height
      );
    }
    return deviation > (MAX_DEVIATION_HEIGHTS + MAX_DEVIATION_HEIGHTS_PER_S * seconds) * height;
  }

  /** After a long pause: it is where its way led. */
  #goesOn(place: Place, last: Place): boolean {
    const reach = MAX_STRAY_HEIGHTS + (MAX_STRAY_HEIGHTS_PER_S * timeBetween(last, place)) / 1000;
    const deviation = this.#measureDeviation(place);
    return deviation !== undefined && deviation <= reach * (last.box[3] - last.box[1]);
  }

  /** How far it stands from where the newest points lead, px; undefined while they tell no speed. */
  #measureDeviation({ frame, box }: Place): number | undefined {
    const newest = this.#recent.at(-1);
    const oldest = this.#recent[0];
    if (newest === undefined || oldest === undefined || newest.atMs - oldest.atMs < SPEED_BASE_MS / 2)
      return undefined;
    const [x, y] = computeGroundPoint(box);
    const ahead = (frame.mediaTimeMs - newest.atMs) / (newest.atMs - oldest.atMs);
    return Math.hypot(
      x - newest.point[0] - ahead * (newest.point[0] - oldest.point[0]),
      y - newest.point[1] - ahead * (newest.point[1] - oldest.point[1]),
    );
  }

  #average(): Unheaded {
    const count = this.#window.length;
    const mean = (pick: (one: Place) => number): number =>
      this.#window.reduce((sum, one) => sum + pick(one), 0) / count;
    const box: Box = [
      mean((one) => one.box[0]),
      mean((one) => one.box[1]),
      mean((one) => one.box[2]),
      mean((one) => one.box[3]),
    ];
    const edges = Math.hypot(computeEdgeError(box), (2 * this.#jitter.sigmaPx) / Math.sqrt(count));
    const sideErrorPx = Math.hypot(
      edges,
      mean((one) => one.sidePx),
    );
    const depthErrorPx = Math.hypot(
      edges,
      mean((one) => one.depthPx),
    );
    const start = this.#start;
    this.#start = undefined;
    const point = {
      atMs: mean((one) => one.frame.mediaTimeMs),
      box,
      point: computeGroundPoint(box),
      errorPx: Math.max(sideErrorPx, depthErrorPx),
      sideErrorPx,
      depthErrorPx,
      ...(start === undefined ? {} : { start }),
    };
    this.#recent.push(point);
    while (point.atMs - (this.#recent[1]?.atMs ?? point.atMs) >= SPEED_BASE_MS) this.#recent.shift();
    return point;
  }

  /** Gives the points whose direction is known now: it is taken over a step before and one after each. */
  #head(point?: Unheaded): PathPoint[] {
    if (point !== undefined) this.#waiting.push(point);
    const headed: PathPoint[] = [];
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const isLate = point === undefined || point.atMs - first.atMs > MAX_AHEAD_MS;
      const heading = this.#findHeading(first) ?? (isLate ? this.#heading : undefined);
      if (heading === undefined) break;
      this.#heading = heading;
      this.#waiting.shift();
      this.#anchor(first);
      headed.push({ ...first, heading });
    }
    if (this.#heading === undefined) this.#wait();
    return headed;
  }

  #findHeading({ point, box }: Unheaded): Point | undefined {
    const step = HEADING_STEP_HEIGHTS * (box[3] - box[1]);
    const isFar = (other: Point, steps: number): boolean =>
      Math.hypot(other[0] - point[0], other[1] - point[1]) >= steps * step;
    const from = this.#anchors.findLast((anchor) => isFar(anchor, 1));
    const to = this.#waiting.find((ahead) => isFar(ahead.point, from === undefined ? 2 : 1))?.point;
    if (to === undefined) return from === undefined ? undefined : this.#goStraight(from, point);
    const start = from !== undefined && Math.hypot(to[0] - from[0], to[1] - from[1]) >= step ? from : point;
    return [to[0] - start[0], to[1] - start[1]];
  }

  /** The direction of who turns nowhere is known without what comes. */
  #goStraight(from: Point, to: Point): Point | undefined {
    const known = this.#heading;
    if (known === undefined) return undefined;
    const way: Point = [to[0] - from[0], to[1] - from[1]];
    const along = way[0] * known[0] + way[1] * known[1];
    const aside = Math.abs(way[0] * known[1] - way[1] * known[0]);
    return aside <= MAX_STRAIGHT_SLOPE * along ? way : undefined;
  }

  #anchor({ point, box }: Unheaded): void {
    const newest = this.#anchors.at(-1);
    const step = ANCHOR_HEIGHTS * (box[3] - box[1]);
    if (newest !== undefined && Math.hypot(point[0] - newest[0], point[1] - newest[1]) < step) return;
    this.#anchors.push(point);
    if (this.#anchors.length > MAX_ANCHORS) this.#anchors.shift();
  }

  /** Keeps how it stood before it set off: the first place, which tells that the path begins, and the newest ones up to then. */
  #wait(): void {
    const [first, newest] = [this.#waiting[0], this.#waiting.at(-1)];
    if (first === undefined || newest === undefined) return;
    const step = HEADING_STEP_HEIGHTS * (newest.box[3] - newest.box[1]);
    if (Math.hypot(newest.point[0] - first.point[0], newest.point[1] - first.point[1]) >= step) {
      if (this.#waiting.length > MAX_WAITING) this.#waiting = this.#waiting.filter((_, i) => i % 2 === 0);
      return;
    }
    while (newest.atMs - (this.#waiting[1]?.atMs ?? newest.atMs) > WAIT_MS) this.#waiting.splice(1, 1);
  }
}

/** The first sight of a moment or after it: the picture to show of an instant that lies between two frames. */
export function findSight(sights: readonly Observation[], atMs: number): Observation | undefined {
  return sights.find((sight) => sight.frame.mediaTimeMs >= atMs);
}

/** The sight to show of a decisive instant; undefined where it lies further back than the rule may tell of, ms. */
export function findDecisiveSight(
  { history, frame }: RuleContext,
  trackId: number,
  { atMs, horizonMs }: { readonly atMs: number; readonly horizonMs: number },
): Observation | undefined {
  const sight = findSight(history.of(trackId), atMs);
  return sight === undefined || frame.mediaTimeMs - sight.frame.mediaTimeMs > horizonMs ? undefined : sight;
}

function computeMaxGap(frameMs: number): number {
  return Math.max(MAX_GAP_MS, Math.min(MAX_LONG_GAP_MS, 1.2 * (MAX_MISSED_FRAMES + 1) * frameMs));
}

function timeBetween(from: Pick<Observation, 'frame'>, to: Pick<Observation, 'frame'>): number {
  return to.frame.mediaTimeMs - from.frame.mediaTimeMs;
}

function isCut(box: Box, { width, height }: PathPicture): boolean {
  const [dx, dy] = [CUT_SHARE * width, CUT_SHARE * height];
  return box[0] <= dx || box[2] >= width - dx || box[3] >= height - dy;
}

/** The whole box of who is cut off at one side alone, for a width, px; undefined where too little is in sight. */
function completeSide(box: Box, { width, height }: PathPicture, fullWidth: number): Box | undefined {
  const [dx, dy] = [CUT_SHARE * width, CUT_SHARE * height];
  const [x1, y1, x2, y2] = box;
  const [isLeft, isRight] = [x1 <= dx, x2 >= width - dx];
  if (isLeft === isRight || y1 <= dy || y2 >= height - dy) return undefined;
  const inSight = Math.min(x2, width) - Math.max(x1, 0);
  if (inSight < MIN_SIDE_SHARE * fullWidth) return undefined;
  const full = Math.max(fullWidth, inSight);
  return isLeft ? [x2 - full, y1, x2, y2] : [x1, y1, x1 + full, y2];
}
