import { type Box, computeGroundPoint, type Point } from '../geometry/box.ts';
import type { RuleContext } from './rule.ts';

/**
 * A ground point that stays within this share of the shorter side of its box has not moved: boxes jitter by about 3 % of
 * their size, so six times that is no jitter.
 */
const STAY_SIDES = 0.25;
/** Two pixels of jitter stay however small the box is. */
const STAY_PX = 2;
/** Edges that stay within this are where they were: a box whose other side alone comes in is covered there, not moved. */
const KEPT_PX = 2;
const KEPT_SIDES = 0.08;
/** Who is astray by more than this many radii has moved, however short it is. */
const STRAY_RADII = 2;
/** Directions of travel are averaged over about two steps. */
const HEADING_GAIN = 0.5;

/** What is known of the motion of one road user. */
interface Motion {
  anchor: Point;
  anchorBox: Box;
  anchorMs: number;
  lastMs: number;
  /** Since when all sights are beyond the radius, where the last one is. */
  strayMs: number | undefined;
  /** Unit vector in the picture; undefined until it has moved. */
  heading: Point | undefined;
}

interface Sight {
  readonly point: Point;
  readonly box: Box;
  readonly atMs: number;
}

/** How far the ground point of a box may stray and still count as standing, px. */
export function computeStayRadius([x1, y1, x2, y2]: Box): number {
  return STAY_PX + STAY_SIDES * Math.min(x2 - x1, y2 - y1);
}

/**
 * Tells who stands and since when. A road user stands as long as its ground point stays around the place where it
 * was first seen to be; time counts, not frames. Sights whose ground contact is hidden say nothing about motion.
 *
 * ```
 *   ·  · ·│ radius = 2 px + ¼ of the shorter side
 *   ·  ⊙ ·│ ⊙ anchor: where the standing began; a point beyond the radius is the next anchor
 * ```
 */
export class StandingGauge {
  readonly #motions = new Map<number, Motion>();
  readonly #patienceMs: number;

  /** @param patienceMs who is astray by little for less than this is a box that was found badly, ms; 0: every sight counts */
  constructor(patienceMs = 0) {
    this.#patienceMs = patienceMs;
  }

  update(context: RuleContext): void {
    const alive = new Set<number>();
    for (const { trackId, seen, groundSeen, box } of context.tracks) {
      alive.add(trackId);
      if (!seen || !groundSeen) continue;
      const point = computeGroundPoint(box);
      const nowMs = context.frame.mediaTimeMs;
      const motion = this.#motions.get(trackId);
      if (motion === undefined) {
        this.#motions.set(trackId, {
          anchor: point,
          anchorBox: box,
          anchorMs: nowMs,
          lastMs: nowMs,
          strayMs: undefined,
          heading: undefined,
        });
        continue;
      }
      follow(motion, { point, box, atMs: nowMs }, this.#patienceMs);
      motion.lastMs = nowMs;
    }
    for (const trackId of this.#motions.keys()) if (!alive.has(trackId)) this.#motions.delete(trackId);
  }

  /** For how long it has stood up to its last sight, ms; 0 while it moves and where nothing is known. */
  standingMsOf(trackId: number): number {
    const motion = this.#motions.get(trackId);
    return motion === undefined ? 0 : motion.lastMs - motion.anchorMs;
  }

  /** Direction in which it moved last, unit vector in the picture; undefined until it has moved. */
  headingOf(trackId: number): Point | undefined {
    return this.#motions.get(trackId)?.heading;
  }

  /** True where it was seen to move since its track began. */
  hasMoved(trackId: number): boolean {
    return this.headingOf(trackId) !== undefined;
  }
}

/** What is in sight of one who stands and is covered from one side: the three other edges are where they were. */
function isCutAtSide([x1, y1, x2, y2]: Box, whole: Box): boolean {
  const slack = KEPT_PX + KEPT_SIDES * Math.min(whole[2] - whole[0], whole[3] - whole[1]);
  if (Math.abs(y1 - whole[1]) > slack || Math.abs(y2 - whole[3]) > slack) return false;
  const [left, right] = [x1 - whole[0], whole[2] - x2];
  return (Math.abs(left) <= slack && right > slack) || (Math.abs(right) <= slack && left > slack);
}

/** Takes a sight: moves the anchor where the road user has gone. */
function follow(motion: Motion, sight: Sight, patienceMs: number): void {
  const { point } = sight;
  const [dx, dy] = [point[0] - motion.anchor[0], point[1] - motion.anchor[1]];
  const distance = Math.hypot(dx, dy);
  const radius = computeStayRadius(sight.box);
  if (distance <= radius || isCutAtSide(sight.box, motion.anchorBox)) {
    motion.strayMs = undefined;
    return;
  }
  motion.strayMs ??= sight.atMs;
  if (distance <= STRAY_RADII * radius && sight.atMs - motion.strayMs < patienceMs) return;
  motion.heading = turn(motion.heading, [dx / distance, dy / distance]);
  motion.anchor = point;
  motion.anchorBox = sight.box;
  motion.anchorMs = distance <= STRAY_RADII * radius ? motion.strayMs : sight.atMs;
  motion.strayMs = undefined;
}

function turn(before: Point | undefined, step: Point): Point {
  if (before === undefined) return step;
  const x = before[0] + HEADING_GAIN * (step[0] - before[0]);
  const y = before[1] + HEADING_GAIN * (step[1] - before[1]);
  const norm = Math.hypot(x, y);
  return norm < 1e-6 ? step : [x / norm, y / norm];
}
