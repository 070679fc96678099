import type { BlockedJunctionRule as BlockedJunctionParameters, Scene } from '@ngatu/contract';
import { type Box, computeGroundPoint, type Point } from '../geometry/box.ts';
import { isInside } from '../geometry/polygon.ts';
import type { Track } from '../track/track.ts';
import { Cooldown } from './cooldown.ts';
import { formatSeconds, nameOf } from './explanation.ts';
import type { EventRule, Observation, RuleContext, RuleMatch } from './rule.ts';
import { StandingGauge } from './standing-gauge.ts';
import { movedAsWhole } from './stop-line-position.ts';
import { ToldMemory } from './told-memory.ts';
import { findZone, locateInZone } from './zone-position.ts';

/** Who stood for this long already when another entered was seen to stand by its driver, ms. */
const STOOD_BEFORE_MS = 1_500;
/** Whoever is in the way stands within this angle of the direction of travel, degrees … */
const AHEAD_DEG = 35;
/** … and within so many longer sides of the two boxes from middle to middle. */
const AHEAD_SIDES = 2;
/** Who stands where the way leads when it enters is looked for this much further, in longer sides of its box. */
const WAY_SIDES = 8;
/** Who stands within 70° of the own direction queues for the same exit. */
const SAME_WAY_COS = Math.cos((70 * Math.PI) / 180);
/** Seen before the border at least once, and inside this often. */
const MIN_SIGHTS_INSIDE = 3;

/** A road user that was seen to enter. */
interface Visit {
  /** Last sight outside. */
  readonly before: Observation;
  readonly entry: Observation;
  readonly heading: Point;
  /** Who stood on its way already when it entered. */
  readonly blockers: ReadonlySet<number>;
  sights: number;
}

/**
 * Blocked junction: enters while somebody stands on its way already, and then stands inside behind a standing road user for
 * `standMs`. Who waits in free space (for oncoming traffic, for pedestrians) and who is caught by what happened after it
 * entered is let be.
 *
 * ```
 *            ┌───── junction ─────┐
 *   ──▶ [me] │                    │ [ B ] stands since before I entered, and still: blocked exit
 *            └────────────────────┘
 *            enters … stands inside behind whoever stands next
 * ```
 */
export class BlockedJunctionRule implements EventRule {
  readonly name: string;
  readonly horizonMs = 0;
  readonly #rule: BlockedJunctionParameters;
  readonly #polygon: readonly Point[];
  readonly #gauge = new StandingGauge();
  readonly #cooldown: Cooldown;
  readonly #told = new ToldMemory();
  readonly #visits = new Map<number, Visit>();
  /** Newest sight of each road user outside. */
  readonly #outside = new Map<number, Observation>();

  constructor(rule: BlockedJunctionParameters, scene: Scene) {
    this.name = rule.name;
    this.#rule = rule;
    this.#polygon = findZone(scene, rule.zone);
    this.#cooldown = new Cooldown(rule.cooldownMs);
  }

  update(context: RuleContext): RuleMatch[] {
    this.#gauge.update(context);
    this.#told.update(context);
    const alive = new Set(context.tracks.map(({ trackId }) => trackId));
    for (const map of [this.#visits, this.#outside]) {
      for (const trackId of map.keys()) if (!alive.has(trackId)) map.delete(trackId);
    }
    const tracks = context.tracks.filter(
      ({ seen, groundSeen, label }) => seen && groundSeen && this.#rule.labels.includes(label),
    );
    for (const track of tracks) this.#follow(track, context);
    return this.#cooldown.judgeEach(tracks, context.frame.mediaTimeMs, (track) =>
      this.#judge(track, context),
    );
  }

  #follow(track: Track, context: RuleContext): void {
    const now = context.history.of(track.trackId).at(-1);
    if (now === undefined) return;
    const position = locateInZone(this.#polygon, track.box);
    if (position === 'outside') {
      this.#outside.set(track.trackId, now);
      this.#visits.delete(track.trackId);
      return;
    }
    const visit = this.#visits.get(track.trackId);
    if (visit !== undefined) {
      visit.sights += 1;
      return;
    }
    const before = this.#outside.get(track.trackId);
    const heading = this.#gauge.headingOf(track.trackId);
    if (position !== 'surely' || before === undefined || heading === undefined) return;
    this.#outside.delete(track.trackId);
    const blockers = this.#findOnTheWay(track, heading, context);
    this.#visits.set(track.trackId, { before, entry: now, heading, blockers, sights: 1 });
  }

  #judge(track: Track, context: RuleContext): RuleMatch | undefined {
    const visit = this.#visits.get(track.trackId);
    const observation = context.history.of(track.trackId).at(-1);
    if (visit === undefined || observation === undefined || this.#told.has(track.trackId)) return undefined;
    if (visit.sights < MIN_SIGHTS_INSIDE || visit.blockers.size === 0) return undefined;
    if (locateInZone(this.#polygon, track.box) !== 'surely' || !movedAsWhole(visit.before, observation))
      return undefined;
    const sinceEntryMs = context.frame.mediaTimeMs - visit.entry.frame.mediaTimeMs;
    const standingMs = Math.min(this.#gauge.standingMsOf(track.trackId), sinceEntryMs);
    if (standingMs < this.#rule.standMs) return undefined;
    const heading = this.#gauge.headingOf(track.trackId) ?? visit.heading;
    const next = this.#findStandingAhead(track, heading, context);
    if (next === undefined) return undefined;
    this.#told.tell(track, context.frame.mediaTimeMs);
    const who = nameOf(track.label);
    const stood = formatSeconds(standingMs);
    return {
      rule: this.name,
      kind: 'BLOCKED_JUNCTION',
      trackId: track.trackId,
      label: track.label,
      observation,
      alternatives: [],
      measures: {
        standingMs: Math.round(standingMs),
        enteredAtMediaMs: Math.round(visit.entry.frame.mediaTimeMs),
        standingAtEntry: visit.blockers.size,
      },
      explanation: {
        vi: `${who.vi} (số hiệu ${track.trackId}) đi vào giao lộ "${this.#rule.zone}" khi ${visit.blockers.size} xe ở lối ra phía trước đã đứng yên, rồi đứng trong giao lộ ${stood.vi} giây sau xe khác.`,
        en: `${who.en} (track ${track.trackId}) entered junction "${this.#rule.zone}" while ${visit.blockers.size} vehicle(s) at its exit already stood, and then stood inside for ${stood.en} s behind another.`,
      },
    };
  }

  /**
   * Vehicles that already stand where the way leads out of the junction, facing the same way. Who faces this way at a red light
   * of their own, or stands in the junction to turn, blocks no exit.
   */
  #findOnTheWay(track: Track, heading: Point, context: RuleContext): Set<number> {
    const side = longerSide(track.box);
    const found = this.#standing(track, context).filter(({ trackId, box }) => {
      if (isInside(this.#polygon, computeGroundPoint(box))) return false;
      const facing = this.#gauge.headingOf(trackId);
      if (facing === undefined || facing[0] * heading[0] + facing[1] * heading[1] < SAME_WAY_COS)
        return false;
      const ahead = lookAhead(track.box, box, heading);
      return ahead !== undefined && ahead.distance <= WAY_SIDES * side + this.#depthAlong(track.box, heading);
    });
    return new Set(found.map(({ trackId }) => trackId));
  }

  /** The next vehicle ahead, where it stands as well. */
  #findStandingAhead(track: Track, heading: Point, context: RuleContext): Track | undefined {
    return this.#standing(track, context).find(({ box }) => {
      const ahead = lookAhead(track.box, box, heading);
      const reach = (AHEAD_SIDES * (longerSide(track.box) + longerSide(box))) / 2;
      return ahead !== undefined && ahead.distance <= reach;
    });
  }

  #standing(track: Track, { tracks }: RuleContext): Track[] {
    return tracks.filter(
      ({ trackId, label, state }) =>
        trackId !== track.trackId &&
        label !== 'person' &&
        state !== 'tentative' &&
        this.#gauge.standingMsOf(trackId) >= STOOD_BEFORE_MS,
    );
  }

  /** How far the junction reaches from here in a direction, px. */
  #depthAlong(box: Box, [hx, hy]: Point): number {
    const [x, y] = computeGroundPoint(box);
    let depth = 0;
    const step = longerSide(box) / 2;
    for (let reach = step; reach < 64 * step; reach += step) {
      if (isInside(this.#polygon, [x + reach * hx, y + reach * hy])) depth = reach;
    }
    return depth;
  }
}

/** How far ahead in the direction of travel another stands, px; undefined where it is beside or behind. */
function lookAhead(from: Box, to: Box, [hx, hy]: Point): { distance: number } | undefined {
  const [x, y] = computeGroundPoint(from);
  const [ox, oy] = computeGroundPoint(to);
  const distance = Math.hypot(ox - x, oy - y);
  const along = (ox - x) * hx + (oy - y) * hy;
  const limit = Math.cos((AHEAD_DEG * Math.PI) / 180);
  return distance > 0 && along / distance >= limit ? { distance } : undefined;
}

function longerSide([x1, y1, x2, y2]: Box): number {
  return Math.max(x2 - x1, y2 - y1);
}
