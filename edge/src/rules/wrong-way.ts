import type { Scene, WrongWayRule as WrongWayParameters } from '@ngatu/contract';
import { computeGroundPoint, type Point } from '../geometry/box.ts';
import { isInside } from '../geometry/polygon.ts';
import type { Track } from '../track/track.ts';
import { Cooldown } from './cooldown.ts';
import { formatSeconds, nameOf } from './explanation.ts';
import type { EventRule, Observation, RuleContext, RuleMatch } from './rule.ts';

/** Seen at least this often inside the zone. */
const MIN_OBSERVATIONS = 4;
/** Of the steps inside the zone at least this share went against the direction: a swerve is no wrong way. */
const MIN_AGAINST_SHARE = 0.75;
/** A step shorter than this share of the box height says nothing about direction. */
const MIN_STEP_HEIGHTS = 0.02;

/**
 * Wrong way: inside the zone the ground point travels against the allowed direction, far and long enough. The path is
 * judged from where it entered the zone (or turned round in it), start to end, and step by step.
 */
export class WrongWayRule implements EventRule {
  readonly name: string;
  readonly horizonMs = 0;
  readonly #rule: WrongWayParameters;
  readonly #polygon: readonly Point[];
  readonly #allowed: Point;
  readonly #cooldown: Cooldown;

  constructor(rule: WrongWayParameters, scene: Scene) {
    const zone = scene.zones.find(({ name }) => name === rule.zone);
    if (zone === undefined) throw new RangeError(`Scene "${scene.name}" has no zone "${rule.zone}"`);
    this.name = rule.name;
    this.#rule = rule;
    this.#polygon = zone.polygon;
    const { from, to } = rule.allowed;
    const norm = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
    this.#allowed = [(to[0] - from[0]) / norm, (to[1] - from[1]) / norm];
    this.#cooldown = new Cooldown(rule.cooldownMs);
  }

  update(context: RuleContext): RuleMatch[] {
    const tracks = context.tracks.filter(({ seen, label }) => seen && this.#rule.labels.includes(label));
    return this.#cooldown.judgeEach(tracks, context.frame.mediaTimeMs, (track) =>
      this.#judge(track, context.history.of(track.trackId)),
    );
  }

  #judge(track: Track, observations: readonly Observation[]): RuleMatch | undefined {
    const path = this.#sinceTurn(this.#lastStretchInside(observations));
    const start = path[0];
    const end = path.at(-1);
    if (start === undefined || end === undefined || path.length < MIN_OBSERVATIONS) return undefined;
    const durationMs = end.frame.mediaTimeMs - start.frame.mediaTimeMs;
    if (durationMs < this.#rule.minDurationMs) return undefined;
    const [x1, y1] = computeGroundPoint(start.box);
    const [x2, y2] = computeGroundPoint(end.box);
    const travel = Math.hypot(x2 - x1, y2 - y1);
    const height = (start.box[3] - start.box[1] + end.box[3] - end.box[1]) / 2;
    if (height <= 0 || travel < this.#rule.minTravelHeights * height) return undefined;
    const cos = ((x2 - x1) * this.#allowed[0] + (y2 - y1) * this.#allowed[1]) / travel;
    const angle = (Math.acos(Math.min(1, Math.max(-1, cos))) * 180) / Math.PI;
    if (angle < this.#rule.minAngleDeg || this.#againstShare(path) < MIN_AGAINST_SHARE) return undefined;
    const who = nameOf(track.label);
    const seconds = formatSeconds(durationMs);
    return {
      rule: this.name,
      kind: 'WRONG_WAY',
      trackId: track.trackId,
      label: track.label,
      observation: end,
      alternatives: [],
      measures: {
        angleDeg: Math.round(angle),
        travelPx: Math.round(travel),
        travelHeights: Math.round((travel / height) * 10) / 10,
        durationMs: Math.round(durationMs),
      },
      explanation: {
        vi: `${who.vi} (số hiệu ${track.trackId}) đi ngược chiều trong khu vực "${this.#rule.zone}" suốt ${seconds.vi} giây, lệch ${angle.toFixed(0)}° so với chiều cho phép, quãng đường bằng ${(travel / height).toFixed(1).replace('.', ',')} lần chiều cao của xe trên hình.`,
        en: `${who.en} (track ${track.trackId}) went against the direction of zone "${this.#rule.zone}" for ${seconds.en} s, ${angle.toFixed(0)}° off the allowed direction, over ${(travel / height).toFixed(1)} times its own height in the picture.`,
      },
    };
  }

  /** The newest unbroken stretch of observations inside the zone, oldest first. */
  #lastStretchInside(observations: readonly Observation[]): readonly Observation[] {
    let from = observations.length;
    while (from > 0) {
      const observation = observations[from - 1] as Observation;
      if (!isInside(this.#polygon, computeGroundPoint(observation.box))) break;
      from -= 1;
    }
    return observations.slice(from);
  }

  /** From where it had come furthest along the allowed direction. */
  #sinceTurn(path: readonly Observation[]): readonly Observation[] {
    const along = path.map(({ box }) => {
      const [x, y] = computeGroundPoint(box);
      return x * this.#allowed[0] + y * this.#allowed[1];
    });
    return path.slice(along.indexOf(Math.max(...along)));
  }

  #againstShare(path: readonly Observation[]): number {
    let against = 0;
    let steps = 0;
    let from = 0;
    for (let i = 1; i < path.length; i++) {
      const [x1, y1] = computeGroundPoint((path[from] as Observation).box);
      const [x2, y2] = computeGroundPoint((path[i] as Observation).box);
      const box = (path[i] as Observation).box;
      // a step lasts until it is long enough, whatever the frame rate
      if (Math.hypot(x2 - x1, y2 - y1) < MIN_STEP_HEIGHTS * (box[3] - box[1])) continue;
      from = i;
      steps += 1;
      if ((x2 - x1) * this.#allowed[0] + (y2 - y1) * this.#allowed[1] < 0) against += 1;
    }
    return steps === 0 ? 0 : against / steps;
  }
}
