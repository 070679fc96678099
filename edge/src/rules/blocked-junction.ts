import type { BlockedJunctionRule as BlockedJunctionParameters, Scene } from '@ngatu/contract';
import { type Box, computeGroundPoint, type Point } from '../geometry/box.ts';
import { computeFootprint } from '../geometry/footprint.ts';
import { computeBorderDistance, isInside } from '../geometry/polygon.ts';
import type { Track } from '../track/track.ts';
import { WholeBoxMemory } from './blocked-junction-sight.ts';
import { Cooldown } from './cooldown.ts';
import { formatSeconds, nameOf } from './explanation.ts';
import { isSameVehicle } from './place.ts';
import type { EventRule, Observation, RuleContext, RuleMatch } from './rule.ts';
import { StandingGauge } from './standing-gauge.ts';
import { movedAsWhole } from './stop-line-position.ts';
import { ToldMemory } from './told-memory.ts';
import { findZone, locateInZone, locatePoint, type ZonePosition } from './zone-position.ts';

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
/** Boxes of two-wheelers jump, with and without the rider: who is astray by little for less than this still stands, ms. */
const PATIENCE_MS = 600;
/** The front of the last one in the queue is beyond the border by this share of its error at least. */
const EXIT_SURE = 0.5;
/** Seen before the border at least once, and inside this often. */
const MIN_SIGHTS_INSIDE = 3;
/** Who stands where another id was lost this short a time ago is the same, ms. */
const LOST_MS = 8_000;

/** From far inside to outside. */
const POSITIONS: readonly ZonePosition[] = ['surely', 'inside', 'near', 'outside'];

/** A road user that was seen to enter. */
interface Visit {
  /** Last sight outside. */
  readonly before: Observation;
  readonly entry: Observation;
  readonly heading: Point;
  /** Who stood on its way already when it entered. */
  readonly blockers: ReadonlySet<number>;
  readonly label: Track['label'];
  /** Newest one. */
  box: Box;
  sights: number;
}

interface LostVisit {
  readonly visit: Visit;
  readonly lostMs: number;
}

/** One road user in this frame with its whole box. */
interface Sight {
  readonly track: Track;
  readonly observation: Observation;
  /** How much less certain the lower edge is where it was not seen, px. */
  readonly hiddenErrorPx: number;
}

interface Located extends Sight {
  readonly position: ZonePosition;
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
  readonly #depressionDeg: number;
  readonly #gauge = new StandingGauge(PATIENCE_MS);
  readonly #cooldown: Cooldown;
  readonly #told = new ToldMemory();
  readonly #visits = new Map<number, Visit>();
  /** Newest sight of each road user outside. */
  readonly #outside = new Map<number, Observation>();
  readonly #wholes = new Map<number, WholeBoxMemory>();
  /** Visits whose track was lost inside. */
  #lost: LostVisit[] = [];

  constructor(rule: BlockedJunctionParameters, scene: Scene) {
    this.name = rule.name;
    this.#rule = rule;
    this.#polygon = findZone(scene, rule.zone);
    this.#depressionDeg = scene.view.depressionDeg;
    this.#cooldown = new Cooldown(rule.cooldownMs);
  }

  update(context: RuleContext): RuleMatch[] {
    this.#told.update(context);
    this.#forget(context);
    const measures = context.tracks.flatMap((track) => this.#measure(track, context) ?? []);
    const measured = { ...context, tracks: completeTracks(context.tracks, measures) };
    this.#gauge.update(measured);
    const sights = measures
      .filter(({ track }) => this.#rule.labels.includes(track.label))
      .map((sight): Located => ({ ...sight, position: this.#locate(sight) }));
    for (const sight of sights) this.#follow(sight, measured);
    const bySight = new Map(sights.map((sight) => [sight.track.trackId, sight]));
    const tracks = sights.map(({ track }) => track);
    return this.#cooldown.judgeEach(tracks, context.frame.mediaTimeMs, ({ trackId }) => {
      const sight = bySight.get(trackId);
      return sight === undefined ? undefined : this.#judge(sight, measured);
    });
  }

  #forget({ tracks, frame }: RuleContext): void {
    const alive = new Set(tracks.map(({ trackId }) => trackId));
    for (const [trackId, visit] of this.#visits) {
      if (alive.has(trackId)) continue;
      this.#visits.delete(trackId);
      this.#lost.push({ visit, lostMs: frame.mediaTimeMs });
    }
    for (const map of [this.#outside, this.#wholes]) {
      for (const trackId of map.keys()) if (!alive.has(trackId)) map.delete(trackId);
    }
    this.#lost = this.#lost.filter(({ lostMs }) => frame.mediaTimeMs - lostMs <= LOST_MS);
  }

  /** Who stands behind another is seen in part. */
  #measure(track: Track, context: RuleContext): Sight | undefined {
    const observation = context.history.of(track.trackId).at(-1);
    if (!track.seen || observation === undefined || track.label === 'person') return undefined;
    const memory = this.#wholes.get(track.trackId) ?? new WholeBoxMemory();
    this.#wholes.set(track.trackId, memory);
    const whole = memory.take(observation);
    if (whole === undefined) return undefined;
    const { box, hiddenErrorPx } = whole;
    return {
      track: { ...track, box, groundSeen: true },
      observation: { ...observation, box },
      hiddenErrorPx,
    };
  }

  #follow({ track, observation, position }: Located, context: RuleContext): void {
    if (position === 'outside') {
      this.#outside.set(track.trackId, observation);
      this.#visits.delete(track.trackId);
      return;
    }
    const visit = this.#visits.get(track.trackId) ?? this.#takeUp(track);
    if (visit !== undefined) {
      visit.sights += 1;
      visit.box = track.box;
      this.#visits.set(track.trackId, visit);
      return;
    }
    const before = this.#outside.get(track.trackId);
    const heading = this.#gauge.headingOf(track.trackId);
    if (position !== 'surely' || before === undefined || heading === undefined) return;
    this.#outside.delete(track.trackId);
    const blockers = this.#findOnTheWay(track, heading, context);
    const { box, label } = track;
    this.#visits.set(track.trackId, { before, entry: observation, heading, blockers, label, box, sights: 1 });
  }

  /** The visit of a track that was lost where this one stands: the same vehicle under another id. */
  #takeUp(track: Track): Visit | undefined {
    if (this.#outside.has(track.trackId)) return undefined;
    const lost = this.#lost.find(({ visit }) => isSameVehicle(visit, track));
    this.#lost = this.#lost.filter((entry) => entry !== lost);
    return lost?.visit;
  }

  /** Where its lower edge or the middle of its body stands, whichever is further inside: the edge is its rear or its front. */
  #locate({ track: { label, trackId, box }, hiddenErrorPx }: Sight): ZonePosition {
    const heading = this.#gauge.headingOf(trackId);
    const edge = locateInZone(this.#polygon, box, hiddenErrorPx);
    if (heading === undefined || edge === 'surely') return edge;
    const { rear, front, rearError, frontError } = computeFootprint(label, box, {
      depressionDeg: this.#depressionDeg,
      heading,
    });
    const middle: Point = [(rear[0] + front[0]) / 2, (rear[1] + front[1]) / 2];
    const errorPx = Math.hypot((rearError + frontError) / 2, hiddenErrorPx);
    const body = locatePoint(this.#polygon, middle, { errorPx, hysteresisPx: errorPx });
    return POSITIONS.indexOf(edge) < POSITIONS.indexOf(body) ? edge : body;
  }

  #judge({ track, observation, position }: Located, context: RuleContext): RuleMatch | undefined {
    const visit = this.#visits.get(track.trackId);
    if (visit === undefined || this.#told.has(track.trackId)) return undefined;
    if (visit.sights < MIN_SIGHTS_INSIDE || visit.blockers.size === 0) return undefined;
    if (position !== 'surely' || !movedAsWhole(visit.before, observation)) return undefined;
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
    const found = this.#standing(track, context).filter((other) => {
      const { trackId, box } = other;
      const facing = this.#gauge.headingOf(trackId);
      if (facing === undefined || facing[0] * heading[0] + facing[1] * heading[1] < SAME_WAY_COS)
        return false;
      if (!this.#standsAtExit(other, facing)) return false;
      const ahead = lookAhead(track.box, box, heading);
      return ahead !== undefined && ahead.distance <= WAY_SIDES * side + this.#depthAlong(track.box, heading);
    });
    return new Set(found.map(({ trackId }) => trackId));
  }

  /** Outside, or with its front beyond the border: the tail of the queue may reach into the junction. */
  #standsAtExit({ label, box }: Track, heading: Point): boolean {
    if (!isInside(this.#polygon, computeGroundPoint(box))) return true;
    const { front, frontError } = computeFootprint(label, box, {
      depressionDeg: this.#depressionDeg,
      heading,
    });
    return (
      !isInside(this.#polygon, front) && computeBorderDistance(this.#polygon, front) > EXIT_SURE * frontError
    );
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

function completeTracks(tracks: readonly Track[], sights: readonly Sight[]): Track[] {
  const whole = new Map(sights.map(({ track }) => [track.trackId, track]));
  return tracks.map((track) => whole.get(track.trackId) ?? track);
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
