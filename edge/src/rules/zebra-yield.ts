import {
  isTwoWheeler,
  type RoadUserLabel,
  type Scene,
  type ZebraYieldRule as ZebraYieldParameters,
} from '@ngatu/contract';
import { computeGroundPoint, type Point } from '../geometry/box.ts';
import { isInside } from '../geometry/polygon.ts';
import type { Track } from '../track/track.ts';
import { Cooldown } from './cooldown.ts';
import { formatSeconds, nameOf } from './explanation.ts';
import type { EventRule, Observation, RuleContext, RuleMatch } from './rule.ts';
import { StandingGauge } from './standing-gauge.ts';
import { ToldMemory } from './told-memory.ts';
import { computeEdgeError, computePace, type Pace } from './walk-gauge.ts';
import { computeEncounter, type Encounter } from './zebra-encounter.ts';
import { findZone, locateInZone } from './zone-position.ts';

/** From the front before the pedestrian's line to the rear beyond it at most, ms: who takes longer has stopped. */
const MAX_PASSING_MS = 6_000;
/** A pace is believed for this long after somebody has stopped, ms. */
const PACE_AGE_MS = 3_000;
/** Walking: faster than this, in heights of the own box a second, and no faster than a run. */
const MIN_PACE_HEIGHTS = 0.2;
const MAX_PACE_HEIGHTS = 2;
/** Walks on: no slower than this share of it. */
const WALKS_ON_SHARE = 0.8;
/** Broke step: slower than this share of the pace before. */
const BROKE_STEP_SHARE = 0.5;
/** Drives: faster than one walks beside it. Two-wheelers may be pushed. m/s, at a scale that is known to a quarter. */
const MIN_SPEED_MPS = 1.4;
const MIN_SPEED_TWO_WHEELER_MPS = 3.3;
/** Within this angle of the approach, degrees. */
const MAX_ANGLE_COS = Math.cos((60 * Math.PI) / 180);
/** From the decision to the frame in which it is told, ms. */
const DECISION_MS = 500;

/** A vehicle that has not passed the pedestrian's line yet. */
interface Before {
  /** Newest sight with the front surely before the line. */
  readonly atMs: number;
  readonly front: number;
  /** Newest sight with the rear not surely past it. */
  notPastMs: number;
  /** The pedestrian was on the zebra before the front was surely past the line. */
  isOn: boolean;
  /** The front was surely past the line while the pedestrian was surely short of the vehicle's way: it did not pass behind. */
  isFirst: boolean;
}

interface Pair {
  /** Sights up to here are taken. */
  doneMs: number;
  before: Before | undefined;
}

/** A vehicle and a pedestrian in one frame. */
interface Meeting {
  readonly vehicle: Track;
  readonly sight: Observation;
  readonly pedestrian: Track;
  readonly stand: Observation;
}

/** The vehicle has passed; the pedestrian has not reached its way yet. */
interface Passing {
  readonly vehicle: Track;
  readonly sight: Observation;
  readonly pedestrianId: number;
  readonly from: Point;
  readonly walking: Point;
  /** The way that the pedestrian had to go still, at most, px. */
  readonly gapPx: number;
  readonly sinceMs: number;
  readonly speedMps: number;
}

interface Walk {
  readonly pace: Pace;
  /** When it still walked on at about this pace. */
  atMs: number;
}

/**
 * Yielding on a zebra: a vehicle passes in front of a pedestrian who walks on the zebra towards its way, so that the pedestrian
 * reaches that way less than `maxGapMs` after it has left (post-encroachment time, upper bound), or breaks step on the
 * zebra and else would have.
 *
 * ```
 *   ═╪═╪═╪═╪═╪═   P ──▶ gap ──▶┊ V ┊        V first, P there within maxGapMs: case
 *   ═╪═╪═╪═╪═╪═                ┊ ▲ ┊        P first, or P at the kerb, or P walks away: nothing
 * ```
 */
export class ZebraYieldRule implements EventRule {
  readonly name: string;
  readonly horizonMs: number;
  readonly #rule: ZebraYieldParameters;
  readonly #polygon: readonly Point[];
  readonly #depressionDeg: number;
  readonly #approach: Point;
  readonly #gauge = new StandingGauge();
  readonly #cooldown: Cooldown;
  readonly #told = new ToldMemory();
  readonly #walks = new Map<number, Walk>();
  readonly #pairs = new Map<number, Map<number, Pair>>();
  #passings: Passing[] = [];

  constructor(rule: ZebraYieldParameters, scene: Scene) {
    this.name = rule.name;
    this.#rule = rule;
    this.horizonMs = rule.maxGapMs + DECISION_MS;
    this.#polygon = findZone(scene, rule.zebra);
    this.#depressionDeg = scene.view.depressionDeg;
    const { from, to } = rule.approach;
    const norm = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
    this.#approach = [(to[0] - from[0]) / norm, (to[1] - from[1]) / norm];
    this.#cooldown = new Cooldown(rule.cooldownMs);
  }

  update(context: RuleContext): RuleMatch[] {
    this.#gauge.update(context);
    this.#told.update(context);
    this.#forget(context);
    const inSight = context.tracks.filter(({ seen, groundSeen }) => seen && groundSeen);
    const pedestrians = inSight.filter(({ label }) => label === 'person');
    for (const pedestrian of pedestrians) this.#walk(pedestrian, context);
    const matches = this.#settle(context);
    for (const vehicle of inSight) {
      if (!this.#rule.labels.includes(vehicle.label) || !this.#isOfApproach(vehicle)) continue;
      for (const pedestrian of pedestrians) this.#meet(vehicle, pedestrian, context);
    }
    return matches;
  }

  #forget({ tracks }: RuleContext): void {
    const alive = new Set(tracks.map(({ trackId }) => trackId));
    for (const map of [this.#walks, this.#pairs]) {
      for (const trackId of map.keys()) if (!alive.has(trackId)) map.delete(trackId);
    }
    for (const pairs of this.#pairs.values()) {
      for (const trackId of pairs.keys()) if (!alive.has(trackId)) pairs.delete(trackId);
    }
  }

  #isOfApproach({ trackId }: Track): boolean {
    const heading = this.#gauge.headingOf(trackId);
    if (heading === undefined) return false;
    return heading[0] * this.#approach[0] + heading[1] * this.#approach[1] >= MAX_ANGLE_COS;
  }

  /** Remembers how somebody walked last, while on the zebra. */
  #walk(pedestrian: Track, context: RuleContext): void {
    if (locateInZone(this.#polygon, pedestrian.box) !== 'surely') return;
    const nowMs = context.frame.mediaTimeMs;
    const pace = computePace(context.history.of(pedestrian.trackId), nowMs);
    const height = pedestrian.box[3] - pedestrian.box[1];
    if (pace === undefined) return;
    const heightsPerS = (1000 * pace.speed) / height;
    if (heightsPerS < MIN_PACE_HEIGHTS || heightsPerS > MAX_PACE_HEIGHTS) return;
    const known = this.#walks.get(pedestrian.trackId);
    // a pace that falls off is the end of a walk, not another one: the surest pace of the walk stands
    const isSurer =
      known === undefined || pace.speed - pace.speedError >= known.pace.speed - known.pace.speedError;
    if (isSurer || nowMs - known.atMs > PACE_AGE_MS) {
      this.#walks.set(pedestrian.trackId, { pace, atMs: nowMs });
    } else if (pace.speed >= WALKS_ON_SHARE * known.pace.speed) known.atMs = nowMs;
  }

  /**
   * Follows a vehicle past a pedestrian. Their sights are kept from before the pedestrian was known to walk: who steps out just
   * as the vehicle comes has no pace yet.
   */
  #meet(vehicle: Track, pedestrian: Track, context: RuleContext): void {
    const nowMs = context.frame.mediaTimeMs;
    const walk = this.#walks.get(pedestrian.trackId);
    const pairs = this.#pairs.get(vehicle.trackId) ?? new Map<number, Pair>();
    this.#pairs.set(vehicle.trackId, pairs);
    const isOn = locateInZone(this.#polygon, pedestrian.box) === 'surely';
    if (walk === undefined || nowMs - walk.atMs > PACE_AGE_MS || !isOn) {
      pairs.delete(pedestrian.trackId);
      return;
    }
    const { velocity, speed } = walk.pace;
    const walking: Point = [velocity[0] / speed, velocity[1] / speed];
    const pair = pairs.get(pedestrian.trackId) ?? { doneMs: nowMs - MAX_PASSING_MS, before: undefined };
    pairs.set(pedestrian.trackId, pair);
    for (const [sight, stand] of this.#listSights(vehicle, pedestrian, pair.doneMs, context)) {
      const encounter = computeEncounter({ label: vehicle.label, sight }, stand, {
        depressionDeg: this.#depressionDeg,
        heading: this.#approach,
        walking,
      });
      if (encounter === undefined) continue;
      const passing = this.#advance(pair, { vehicle, sight, pedestrian, stand }, { encounter, walking });
      if (passing !== undefined) this.#passings.push(passing);
    }
    pair.doneMs = nowMs;
  }

  /** Sights of both in the same frames, later than a moment. */
  #listSights(
    { trackId }: Track,
    pedestrian: Track,
    afterMs: number,
    { history }: RuleContext,
  ): (readonly [sight: Observation, stand: Observation])[] {
    const isNew = ({ groundSeen, frame }: Observation): boolean => groundSeen && frame.mediaTimeMs > afterMs;
    const stands = new Map(
      history.of(pedestrian.trackId).flatMap((stand) => (isNew(stand) ? [[stand.frame.index, stand]] : [])),
    );
    return history.of(trackId).flatMap((sight) => {
      const stand = isNew(sight) ? stands.get(sight.frame.index) : undefined;
      return stand === undefined ? [] : [[sight, stand] as const];
    });
  }

  /** Takes the next sight of a pair. */
  #advance(
    pair: Pair,
    who: Meeting,
    { encounter, walking }: { encounter: Encounter; walking: Point },
  ): Passing | undefined {
    const atMs = who.sight.frame.mediaTimeMs;
    const { front, frontError, rear, rearError, gap, gapError } = encounter;
    if (front < -frontError) {
      pair.before = { atMs, front, notPastMs: atMs, isOn: false, isFirst: false };
    }
    const { before } = pair;
    if (before === undefined) return undefined;
    if (front <= frontError) before.isOn ||= isInside(this.#polygon, computeGroundPoint(who.stand.box));
    if (front > frontError && gap > gapError) before.isFirst = true;
    if (rear <= rearError) {
      before.notPastMs = atMs;
      return undefined;
    }
    pair.before = undefined;
    return this.#pass(who, { encounter, walking, before });
  }

  /** The rear is surely past: keeps it where the pedestrian may still have been in time for it. */
  #pass(
    { vehicle, sight, pedestrian, stand }: Meeting,
    { encounter, walking, before }: { encounter: Encounter; walking: Point; before: Before },
  ): Passing | undefined {
    const durationMs = sight.frame.mediaTimeMs - before.atMs;
    if (durationMs > MAX_PASSING_MS || !isInside(this.#polygon, encounter.crossing)) return undefined;
    // who is surely on its way by now was there before it, unless it went first: then it is close behind it
    const isThere = encounter.gap < -encounter.gapError;
    if (isThere && !before.isFirst) return undefined;
    if (!before.isOn || locateInZone(this.#polygon, stand.box) !== 'surely') return undefined;
    const speedMps = ((encounter.front - before.front) / encounter.pxPerMetre / durationMs) * 1000;
    if (speedMps < minSpeedOf(vehicle.label)) return undefined;
    return {
      vehicle,
      sight,
      pedestrianId: pedestrian.trackId,
      from: computeGroundPoint(stand.box),
      walking,
      gapPx: isThere ? 0 : Math.max(0, encounter.gap) + encounter.gapError,
      sinceMs: before.notPastMs,
      speedMps,
    };
  }

  /** Decides the passings of before: the pedestrian has come there, has broken step, or had time enough. */
  #settle(context: RuleContext): RuleMatch[] {
    const nowMs = context.frame.mediaTimeMs;
    const open: Passing[] = [];
    const matches: RuleMatch[] = [];
    for (const passing of this.#passings) {
      const { vehicle, sinceMs } = passing;
      if (nowMs - sinceMs > this.#rule.maxGapMs || this.#told.has(vehicle.trackId)) continue;
      const reading = this.#readGap(passing, context);
      if (reading === undefined || this.#cooldown.isCooling(vehicle.trackId, nowMs)) {
        open.push(passing);
        continue;
      }
      this.#told.tell(vehicle, nowMs);
      this.#cooldown.start(vehicle.trackId, nowMs);
      matches.push(this.#explain(passing, reading));
    }
    this.#passings = open;
    return matches;
  }

  /** The post-encroachment time, at most, ms; undefined as long as it is not known, or where it was long enough. */
  #readGap(passing: Passing, context: RuleContext): { gapMs: number; isMeasured: boolean } | undefined {
    const pedestrian = context.tracks.find(({ trackId }) => trackId === passing.pedestrianId);
    const stand = context.history.of(passing.pedestrianId).at(-1);
    const walk = this.#walks.get(passing.pedestrianId);
    if (!pedestrian?.seen || !pedestrian.groundSeen || stand === undefined || walk === undefined)
      return undefined;
    const nowMs = context.frame.mediaTimeMs;
    const [x, y] = computeGroundPoint(pedestrian.box);
    const went = (x - passing.from[0]) * passing.walking[0] + (y - passing.from[1]) * passing.walking[1];
    const gapMs = nowMs - passing.sinceMs;
    if (went >= passing.gapPx) return { gapMs, isMeasured: true };
    if (locateInZone(this.#polygon, pedestrian.box) !== 'surely' || went < -computeEdgeError(stand))
      return undefined;
    const pace = computePace(context.history.of(passing.pedestrianId), nowMs);
    if (pace === undefined || pace.speed - pace.speedError > BROKE_STEP_SHARE * walk.pace.speed)
      return undefined;
    const slowest = walk.pace.speed - walk.pace.speedError;
    if (slowest <= 0) return undefined;
    const expectedMs = passing.gapPx / slowest + (passing.sight.frame.mediaTimeMs - passing.sinceMs);
    return expectedMs < this.#rule.maxGapMs ? { gapMs: expectedMs, isMeasured: false } : undefined;
  }

  #explain(passing: Passing, { gapMs, isMeasured }: { gapMs: number; isMeasured: boolean }): RuleMatch {
    const { vehicle, sight, pedestrianId, speedMps } = passing;
    const who = nameOf(vehicle.label);
    const gap = formatSeconds(gapMs);
    const how = isMeasured
      ? {
          vi: `người đi bộ tới chỗ xe vừa qua chậm nhất ${gap.vi} giây sau`,
          en: `the pedestrian reached its way at most ${gap.en} s after it`,
        }
      : {
          vi: `người đi bộ phải dừng bước; nếu đi tiếp đã tới chỗ xe qua chậm nhất ${gap.vi} giây sau`,
          en: `the pedestrian broke step and would have reached its way at most ${gap.en} s after it`,
        };
    return {
      rule: this.name,
      kind: 'ZEBRA_YIELD',
      trackId: vehicle.trackId,
      label: vehicle.label,
      observation: sight,
      alternatives: [],
      measures: {
        gapMs: Math.round(gapMs),
        gapMeasured: isMeasured ? 1 : 0,
        speedMps: Math.round(speedMps * 10) / 10,
        pedestrianTrackId: pedestrianId,
      },
      explanation: {
        vi: `${who.vi} (số hiệu ${vehicle.trackId}) đi qua vạch sang đường "${this.#rule.zebra}" trước người đi bộ (số hiệu ${pedestrianId}) đang ở trên vạch: ${how.vi}.`,
        en: `${who.en} (track ${vehicle.trackId}) drove over zebra "${this.#rule.zebra}" in front of a pedestrian on it (track ${pedestrianId}): ${how.en}.`,
      },
    };
  }
}

function minSpeedOf(label: RoadUserLabel): number {
  return isTwoWheeler(label) ? MIN_SPEED_TWO_WHEELER_MPS : MIN_SPEED_MPS;
}
