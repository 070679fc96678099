import {
  type Box,
  computeArea,
  computeGroundPoint,
  computeIntersection,
  type Point,
} from '../geometry/box.ts';
import type { Track } from '../track/track.ts';
import { Cooldown } from './cooldown.ts';
import type { Observation, RuleContext, RuleMatch } from './rule.ts';

/** A track that ends in a case may go on under another number within this time, ms. */
const MAX_PAUSE_MS = 3000;
/** Where it is expected then, it is found within this, heights; and heights more for each second of the pause. */
const REACH_HEIGHTS = 1;
const REACH_HEIGHTS_PER_S = 0.7;
/** Boxes of one road user do not differ in height by more than this factor over such a pause. */
const MAX_GROWTH = 1.7;
/** The detector may split one road user in two (rider and bike): both numbers live side by side this long at most, ms … */
const MAX_OVERLAP_MS = 2500;
/** … and this near one another, heights of the higher box: less than two who ride abreast. */
const OVERLAP_HEIGHTS = 0.45;
/** Halves differ in height by more than whole boxes do. */
const MAX_PART_GROWTH = 2.6;
/** A half shares its upper or its lower edge with the whole, but for this part of the whole's height. */
const MAX_EDGE_SHARE = 0.25;
/** A part lies in the whole by this much of its area, in this share of the pictures that show both; fewer pictures say nothing. */
const MIN_INSIDE = 0.7;
const MIN_INSIDE_SHARE = 0.6;
const MIN_PAIRS = 3;
/** Speed is measured over at least this time, ms. */
const SPEED_BASE_MS = 200;

/** A road user whose case was told, where it was seen last. */
interface Told {
  readonly trackId: number;
  box: Box;
  atMs: number;
  /** px/ms */
  velocity: Point;
}

/**
 * One manoeuvre is one case: keeps the cool-down per road user, also across a change of its number. A track that begins where and
 * when one with a case would be by now, and no other number has gone on there, is that one.
 */
export class ManoeuvreMemory {
  readonly #cooldown: Cooldown;
  #told: Told[] = [];

  constructor(cooldownMs: number) {
    this.#cooldown = new Cooldown(cooldownMs);
  }

  /** Call once a frame, before anything is told. */
  follow(context: RuleContext): void {
    const nowMs = context.frame.mediaTimeMs;
    for (const told of this.#told) {
      const sights = context.history.of(told.trackId);
      const newest = sights.at(-1);
      if (newest === undefined || newest.frame.mediaTimeMs <= told.atMs) continue;
      told.atMs = newest.frame.mediaTimeMs;
      told.box = newest.box;
      told.velocity = computeVelocity(sights, newest);
    }
    this.#told = this.#told.filter(({ atMs }) => nowMs - atMs <= MAX_PAUSE_MS + SPEED_BASE_MS);
    for (const track of context.tracks) {
      const [first] = context.history.of(track.trackId);
      if (first === undefined || nowMs - first.frame.mediaTimeMs > MAX_PAUSE_MS) continue;
      const before = this.#told.find(
        (told) => told.trackId !== track.trackId && isSame(first, told, context),
      );
      if (before === undefined || this.#told.some(({ trackId }) => trackId === track.trackId)) continue;
      if (!this.#cooldown.isCooling(before.trackId, nowMs)) continue;
      this.#remember(track, first);
      this.#cooldown.start(track.trackId, nowMs);
    }
  }

  isTold(trackId: number, nowMs: number): boolean {
    return this.#cooldown.isCooling(trackId, nowMs);
  }

  /** The match, unless the case was told already, under this number or as that of the whole of which it is a part; it is told from now on. */
  tell(track: Track, context: RuleContext, judge: () => RuleMatch | undefined): RuleMatch[] {
    const nowMs = context.frame.mediaTimeMs;
    if (this.isTold(track.trackId, nowMs)) return [];
    const match = judge();
    if (match === undefined) return [];
    const sights = context.history.of(track.trackId);
    const isKnown = this.#told.some(
      (told) =>
        this.#cooldown.isCooling(told.trackId, nowMs) && isPart(sights, context.history.of(told.trackId)),
    );
    this.#cooldown.start(track.trackId, nowMs);
    const newest = sights.at(-1);
    if (newest !== undefined) this.#remember(track, newest);
    return isKnown ? [] : [match];
  }

  #remember({ trackId }: Track, { box, frame }: Observation): void {
    this.#told = this.#told.filter((told) => told.trackId !== trackId);
    this.#told.push({ trackId, box, atMs: frame.mediaTimeMs, velocity: [0, 0] });
  }
}

function computeVelocity(sights: readonly Observation[], newest: Observation): Point {
  const from = sights.findLast((one) => newest.frame.mediaTimeMs - one.frame.mediaTimeMs >= SPEED_BASE_MS);
  if (from === undefined) return [0, 0];
  const [x1, y1] = computeGroundPoint(from.box);
  const [x2, y2] = computeGroundPoint(newest.box);
  const spanMs = newest.frame.mediaTimeMs - from.frame.mediaTimeMs;
  return [(x2 - x1) / spanMs, (y2 - y1) / spanMs];
}

function isSame(first: Observation, told: Told, { history }: RuleContext): boolean {
  const pauseMs = first.frame.mediaTimeMs - told.atMs;
  return pauseMs > 0 ? isSuccessor(first, told, pauseMs) : isHalf(first, told, history.of(told.trackId));
}

/** Lies in the other one's box, or that in its, wherever both are seen in one picture. */
function isPart(sights: readonly Observation[], others: readonly Observation[]): boolean {
  const boxes = new Map(others.map(({ frame, box }) => [frame.index, box]));
  const pairs = sights.flatMap(({ frame, box }) => {
    const other = boxes.get(frame.index);
    return other === undefined ? [] : [computeInside(box, other)];
  });
  const inside = pairs.filter((share) => share >= MIN_INSIDE).length;
  return pairs.length >= MIN_PAIRS && inside >= MIN_INSIDE_SHARE * pairs.length;
}

function computeInside(a: Box, b: Box): number {
  return computeIntersection(a, b) / Math.max(1, Math.min(computeArea(a), computeArea(b)));
}

/** Began where the other one was at that moment, while that one was still followed. */
function isHalf(first: Observation, told: Told, sights: readonly Observation[]): boolean {
  const atMs = first.frame.mediaTimeMs;
  if (told.atMs - atMs > MAX_OVERLAP_MS) return false;
  const then = sights.find(({ frame }) => frame.mediaTimeMs >= atMs);
  const before = sights.findLast(({ frame }) => frame.mediaTimeMs <= atMs);
  return [then, before].some((sight) => sight !== undefined && isBeside(first, sight));
}

function isBeside(a: Observation, b: Observation): boolean {
  const [heightA, heightB] = [a.box[3] - a.box[1], b.box[3] - b.box[1]];
  const growth = heightA / Math.max(1, heightB);
  if (growth > MAX_PART_GROWTH || growth < 1 / MAX_PART_GROWTH) return false;
  const [ax, ay] = computeGroundPoint(a.box);
  const [bx, by] = computeGroundPoint(b.box);
  return Math.hypot(ax - bx, ay - by) <= OVERLAP_HEIGHTS * Math.max(heightA, heightB);
}

function isSuccessor(first: Observation, told: Told, pauseMs: number): boolean {
  if (pauseMs > MAX_PAUSE_MS) return false;
  const height = told.box[3] - told.box[1];
  const reach = (REACH_HEIGHTS + (REACH_HEIGHTS_PER_S * pauseMs) / 1000) * height;
  const growth = (first.box[3] - first.box[1]) / Math.max(1, height);
  const [shiftX, shiftY] = [told.velocity[0] * pauseMs, told.velocity[1] * pauseMs];
  const [x, y] = computeGroundPoint(told.box);
  const [fx, fy] = computeGroundPoint(first.box);
  if (growth <= MAX_GROWTH && growth >= 1 / MAX_GROWTH)
    return Math.hypot(x + shiftX - fx, y + shiftY - fy) <= reach;
  if (growth > MAX_PART_GROWTH || growth < 1 / MAX_PART_GROWTH) return false;
  const upper = Math.abs(told.box[1] + shiftY - first.box[1]);
  const lower = Math.abs(told.box[3] + shiftY - first.box[3]);
  const whole = Math.max(height, first.box[3] - first.box[1]);
  return Math.abs(x + shiftX - fx) <= reach && Math.min(upper, lower) <= MAX_EDGE_SHARE * whole;
}
