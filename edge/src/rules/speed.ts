import {
  type LocalizedText,
  NgatuError,
  type RoadUserLabel,
  type Scene,
  type SpeedRule as SpeedParameters,
} from '@ngatu/contract';
import { computeGroundPoint, type Point } from '../geometry/box.ts';
import { GroundPlane } from '../geometry/ground-plane.ts';
import {
  computeUsualBody,
  estimateSpeed,
  type SpeedEstimate,
  type SpeedSample,
} from '../geometry/speed-estimate.ts';
import type { Track } from '../track/track.ts';
import { Cooldown } from './cooldown.ts';
import { nameOf } from './explanation.ts';
import type { EventRule, Observation, RuleBlock, RuleContext, RuleMatch } from './rule.ts';
import { ToldMemory } from './told-memory.ts';
import { findZone, locateInZone } from './zone-position.ts';

/** A passage longer than this is measured in parts: nobody keeps one acceleration for longer, ms. */
const PART_MS = 4_000;
/** Who has not covered the way by now does not speed, ms. */
const MAX_PART_MS = 15_000;
/** Out of sight for this long, the passage is over, ms. */
const QUIET_MS = 800;
/** No road user drives faster; a track that does is two, km/h. */
const MAX_PLAUSIBLE_KMH = 220;
/** A box that ends at the picture's edge does not show the whole road user, as a share of the picture. */
const EDGE_SHARE = 0.005;

/**
 * Speed: the way of the ground contact through the zone, laid on the road by the calibration. Fires where even the lower
 * bound of the 95 % interval exceeds limit and tolerance. A passage is judged once, when the road user leaves the zone (a
 * long one in parts of 4 s): whoever looks at every frame and fires at the fastest would flag the jitter.
 *
 * ```
 *      zone ┌──────────────────┐        limit 50   tolerance 5
 *   ── ● ──►│ ● ─ ● ─ ● ─ ● ─ ●│─►          |--------|
 *           └──────────────────┘                        [───●───]  fires
 *            the way that counts                     [───●───]     does not
 * ```
 */
export class SpeedRule implements EventRule {
  readonly name: string;
  readonly horizonMs = 2_000;
  /** Set where the calibration of the scene cannot be used. */
  readonly blockedBy: RuleBlock | undefined;
  readonly #rule: SpeedParameters;
  readonly #polygon: readonly Point[];
  readonly #plane: GroundPlane | undefined;
  readonly #depressionDeg: number;
  readonly #cooldown: Cooldown;
  readonly #told = new ToldMemory();
  /** Sights inside the zone that are not judged yet, oldest first. */
  readonly #passages = new Map<number, Observation[]>();

  constructor(rule: SpeedParameters, scene: Scene) {
    this.name = rule.name;
    this.#rule = rule;
    this.#polygon = findZone(scene, rule.zone);
    this.#plane = openPlane(scene);
    this.blockedBy = this.#plane === undefined ? 'calibration-invalid' : undefined;
    this.#depressionDeg = scene.view.depressionDeg;
    this.#cooldown = new Cooldown(rule.cooldownMs);
  }

  update(context: RuleContext): RuleMatch[] {
    const plane = this.#plane;
    if (plane === undefined) return [];
    this.#told.update(context);
    const alive = new Set(context.tracks.map(({ trackId }) => trackId));
    for (const trackId of this.#passages.keys()) if (!alive.has(trackId)) this.#passages.delete(trackId);
    const tracks = context.tracks.filter(({ label }) => this.#rule.labels.includes(label));
    return this.#cooldown.judgeEach(tracks, context.frame.mediaTimeMs, (track) => {
      const passage = this.#follow(track, context, plane);
      if (passage === undefined || this.#told.has(track.trackId)) return undefined;
      const match = this.#judge(track, passage, plane);
      if (match === undefined) return undefined;
      const ageMs = context.frame.mediaTimeMs - match.observation.frame.mediaTimeMs;
      if (ageMs > this.horizonMs) return undefined;
      this.#told.tell(track, context.frame.mediaTimeMs);
      return match;
    });
  }

  /** Takes what was newly seen of a track; returns its sights when a passage, or a part of it, has ended. */
  #follow(track: Track, context: RuleContext, plane: GroundPlane): readonly Observation[] | undefined {
    const sight = track.seen ? context.history.of(track.trackId).at(-1) : undefined;
    const passage = this.#passages.get(track.trackId) ?? [];
    const last = passage.at(-1);
    const isInside = sight !== undefined && locateInZone(this.#polygon, sight.box) !== 'outside';
    const isQuiet =
      last !== undefined && context.frame.mediaTimeMs - last.frame.mediaTimeMs > QUIET_MS && !isInside;
    if ((sight !== undefined && !isInside) || isQuiet) {
      this.#passages.delete(track.trackId);
      return passage.length === 0 ? undefined : passage;
    }
    if (sight === undefined || !sight.groundSeen || isCut(sight, context)) return undefined;
    const whole = [...passage, sight];
    const first = whole[0] ?? sight;
    const durationMs = sight.frame.mediaTimeMs - first.frame.mediaTimeMs;
    const isPart = durationMs >= PART_MS && computeTravel(plane, first, sight) >= this.#rule.minTravelM;
    if (isPart || durationMs > MAX_PART_MS) {
      this.#passages.set(track.trackId, [sight]);
      return isPart ? whole : undefined;
    }
    this.#passages.set(track.trackId, whole);
    return undefined;
  }

  #judge(track: Track, passage: readonly Observation[], plane: GroundPlane): RuleMatch | undefined {
    const observation = passage.at(-1);
    if (observation === undefined || track.label === 'person') return undefined;
    const body = computeUsualBody(track.label);
    const estimate = estimateSpeed(plane, passage.map(toSample), {
      ...body,
      depressionDeg: this.#depressionDeg,
    });
    if (estimate === undefined || estimate.travelM < this.#rule.minTravelM) return undefined;
    if (estimate.speedKmh > MAX_PLAUSIBLE_KMH) return undefined;
    const limitKmh = this.#rule.limits?.[track.label] ?? this.#rule.limitKmh;
    if (estimate.lowKmh <= limitKmh + this.#rule.toleranceKmh) return undefined;
    return {
      rule: this.name,
      kind: 'SPEED',
      trackId: track.trackId,
      label: track.label,
      observation,
      alternatives: [],
      measures: toMeasures(estimate, limitKmh, this.#rule.toleranceKmh),
      explanation: explain(track, estimate, { limitKmh, toleranceKmh: this.#rule.toleranceKmh }),
    };
  }
}

/** Readiness names the reason of a calibration that cannot be used; the other rules go on. */
function openPlane({ calibration, picture }: Scene): GroundPlane | undefined {
  if (calibration === undefined) return undefined;
  try {
    return GroundPlane.fromCalibration(calibration, picture);
  } catch (error) {
    if (error instanceof NgatuError && error.code === 'CALIBRATION_INVALID') return undefined;
    throw error;
  }
}

function toSample({ frame, box }: Observation): SpeedSample {
  return { timeMs: frame.mediaTimeMs, point: computeGroundPoint(box), boxHeight: box[3] - box[1] };
}

function computeTravel(plane: GroundPlane, from: Observation, to: Observation): number {
  const [a, b] = [from, to].map(({ box }) => plane.toGround(computeGroundPoint(box)));
  return a === undefined || b === undefined ? 0 : Math.hypot(b[0] - a[0], b[1] - a[1]);
}

function isCut({ box }: Observation, { pictureWidth, pictureHeight }: RuleContext): boolean {
  const [dx, dy] = [EDGE_SHARE * pictureWidth, EDGE_SHARE * pictureHeight];
  return box[0] <= dx || box[1] <= dy || box[2] >= pictureWidth - dx || box[3] >= pictureHeight - dy;
}

function toMeasures(estimate: SpeedEstimate, limitKmh: number, toleranceKmh: number): Record<string, number> {
  const { errors } = estimate;
  return {
    speedKmh: round(estimate.speedKmh),
    speedLowKmh: round(estimate.lowKmh),
    speedHighKmh: round(estimate.highKmh),
    limitKmh,
    toleranceKmh,
    travelM: round(estimate.travelM),
    durationMs: Math.round(estimate.durationMs),
    sights: estimate.samples,
    boxErrorKmh: round(errors.boxes),
    calibrationErrorKmh: round(errors.calibration),
    contactErrorKmh: round(Math.hypot(errors.contact, errors.turn)),
  };
}

function explain(
  track: { readonly label: RoadUserLabel; readonly trackId: number },
  estimate: SpeedEstimate,
  { limitKmh, toleranceKmh }: { limitKmh: number; toleranceKmh: number },
): LocalizedText {
  const who = nameOf(track.label);
  const [speed, low, high, way] = [
    estimate.speedKmh,
    estimate.lowKmh,
    estimate.highKmh,
    estimate.travelM,
  ].map((value) => value.toFixed(1));
  const en = `${who.en} (track ${track.trackId}) drove ${speed} km/h (95 % interval ${low}–${high}) over ${way} m; the limit is ${limitKmh} km/h, and even the lower bound exceeds it by more than the tolerance of ${toleranceKmh} km/h.`;
  const vi = `${who.vi} (số hiệu ${track.trackId}) chạy ${comma(speed)} km/h (khoảng tin cậy 95 %: ${comma(low)}–${comma(high)}) trên đoạn ${comma(way)} m; giới hạn là ${limitKmh} km/h, và ngay cả cận dưới cũng vượt quá giới hạn hơn mức dung sai ${toleranceKmh} km/h.`;
  return { vi, en };
}

function comma(text = ''): string {
  return text.replace('.', ',');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
