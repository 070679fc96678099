import type { EventKind, Scene, WrongWayRule as WrongWayParameters } from '@ngatu/contract';
import type { Point } from '../geometry/box.ts';
import { computeBorderDistance, isInside } from '../geometry/polygon.ts';
import type { Track } from '../track/track.ts';
import { AgainstPath, type AgainstWay } from './against-path.ts';
import { formatSeconds, nameOf } from './explanation.ts';
import { findDecisiveSight, type PathPoint } from './ground-path.ts';
import { ManoeuvreMemory } from './manoeuvre-memory.ts';
import { PathFollower, tellManoeuvres } from './path-follower.ts';
import type { EventRule, RuleContext, RuleMatch } from './rule.ts';
import { findZone } from './zone-position.ts';

/** Decided within this time or never, ms: averaging, and the longest pause between sights. */
const HORIZON_MS = 1500;
/** Outside by less than this share of the box height is no leaving of the zone: boxes jitter at its border. */
const HYSTERESIS_HEIGHTS = 0.08;
/** A two-wheeler pushed by hand goes no faster, m/s: 5.8 km/h. */
const WALKING_MPS = 1.6;
/** Bound of the scale that is taken from the box, as a share: usual sizes of a class, and the angle of the camera. */
const SCALE_ERROR = 0.2;
/** Who reverses in its own way, no faster than this (10 km/h, m/s), parks or is pushed back: no wrong-way driver before this many times the usual way. */
const REVERSING_MPS = 2.8;
const REVERSING_FACTOR = 2;

interface Finding {
  readonly way: AgainstWay;
  readonly reachedAtMs: number;
}

/**
 * Wrong way: inside the zone the ground point travels against the allowed direction, far and long enough, with all errors taken against
 * it. The path is judged from where it had come furthest along (where it entered, or turned round). States per road
 * user: outside → inside → against (told once) → outside or turned along; cool-down.
 *
 * ```
 *    allowed ▲    ╷ ●  ╷ origin: entered, or turned round
 *            │    │ ↓  │   way: straight from origin to now; at least `minTravelHeights` after both errors
 *            │    │ ↓  │   angle: in the picture and on the ground, the smaller one, less its error
 *            │    │ ●  │   share: of all that it moved at least three quarters went against
 *                 ╵    ╵
 * ```
 */
export class WrongWayRule implements EventRule {
  readonly name: string;
  readonly horizonMs = HORIZON_MS;
  readonly #rule: WrongWayParameters;
  readonly #polygon: readonly Point[];
  readonly #mayBeUTurn: boolean;
  readonly #memory: ManoeuvreMemory;
  readonly #follower: PathFollower<AgainstPath>;

  constructor(rule: WrongWayParameters, scene: Scene) {
    this.name = rule.name;
    this.#rule = rule;
    this.#polygon = findZone(scene, rule.zone);
    this.#mayBeUTurn = scene.rules.some((one) => one.kind === 'FORBIDDEN_TURN' && one.turn === 'u-turn');
    this.#memory = new ManoeuvreMemory(rule.cooldownMs);
    const { from, to } = rule.allowed;
    const allowed: Point = [to[0] - from[0], to[1] - from[1]];
    const { depressionDeg } = scene.view;
    this.#follower = new PathFollower(() => new AgainstPath({ allowed, depressionDeg }));
  }

  update(context: RuleContext): RuleMatch[] {
    return tellManoeuvres(
      {
        follower: this.#follower,
        memory: this.#memory,
        watch: (state, track, point) => this.#watch(state, track, point),
        judge: (track, found, now) => this.#judge(track, found, now),
      },
      context,
    );
  }

  #watch(path: AgainstPath, track: Track, point: PathPoint): Finding | undefined {
    // a class that is believed only now says nothing against the way; a pause or another road user does
    if (point.start !== undefined && point.start !== 'class') path.restart(point.start === 'gap');
    if (!isInside(this.#polygon, point.point)) {
      const height = point.box[3] - point.box[1];
      const margin = Math.max(point.errorPx, HYSTERESIS_HEIGHTS * height);
      if (computeBorderDistance(this.#polygon, point.point) > margin) path.leave(point);
      return undefined;
    }
    const before = path.way;
    path.take(point, track.label);
    const { way } = path;
    if (path.isTold || way === undefined || !this.#rule.labels.includes(track.label)) return undefined;
    if (!this.#isAgainst(way) || this.#isLetGo(way, track)) return undefined;
    path.isTold = true;
    return { way, reachedAtMs: this.#computeReached(way, before) };
  }

  /** All bounds of the rule hold after the errors are taken against it. */
  #isAgainst(way: AgainstWay): boolean {
    const { minAngleDeg, minDurationMs } = this.#rule;
    return (
      this.#lackPx(way) <= 0 &&
      way.durationMs >= minDurationMs &&
      way.angleDeg - way.angleErrorDeg >= minAngleDeg &&
      way.isSteady
    );
  }

  /** How much of the way is missing, px. */
  #lackPx(way: AgainstWay): number {
    const isSlow = way.fastestMps * (1 - SCALE_ERROR) <= REVERSING_MPS;
    const factor = way.isReversing && isSlow ? REVERSING_FACTOR : 1;
    return factor * this.#rule.minTravelHeights * way.heightPx + way.errorPx - way.travelPx;
  }

  #isLetGo(way: AgainstWay, { label }: Track): boolean {
    if (!this.#rule.walkedExempt || (label !== 'bicycle' && label !== 'motorbike')) return false;
    return way.fastestMps * (1 - SCALE_ERROR) <= WALKING_MPS;
  }

  #computeReached(way: AgainstWay, before: AgainstWay | undefined): number {
    const earlier = before?.originAtMs === way.originAtMs ? before : undefined;
    if (earlier === undefined) return way.atMs;
    const [from, to] = [this.#lackPx(earlier), this.#lackPx(way)];
    const share = from > 0 && from > to ? from / (from - to) : 0;
    const farAtMs = earlier.atMs + share * (way.atMs - earlier.atMs);
    const longAtMs = way.originAtMs + this.#rule.minDurationMs;
    return Math.min(way.atMs, Math.max(earlier.atMs, farAtMs, longAtMs));
  }

  #judge(track: Track, { way, reachedAtMs }: Finding, context: RuleContext): RuleMatch | undefined {
    const decisive = { atMs: reachedAtMs, horizonMs: HORIZON_MS };
    const observation = findDecisiveSight(context, track.trackId, decisive);
    if (observation === undefined) return undefined;
    const who = nameOf(track.label);
    const seconds = formatSeconds(way.durationMs);
    const heights = (way.travelPx / way.heightPx).toFixed(1);
    const least = ((way.travelPx - way.errorPx) / way.heightPx).toFixed(1);
    const [angle, error] = [way.angleDeg.toFixed(0), way.angleErrorDeg.toFixed(0)];
    // who turned round in the zone and has not gone much further may only have made a U-turn
    const isShort = way.travelPx - way.errorPx < 2 * this.#rule.minTravelHeights * way.heightPx;
    const alternatives: EventKind[] =
      this.#mayBeUTurn && way.hasTurnedRound && isShort ? ['FORBIDDEN_TURN'] : [];
    return {
      rule: this.name,
      kind: 'WRONG_WAY',
      trackId: track.trackId,
      label: track.label,
      observation,
      alternatives,
      measures: {
        angleDeg: Math.round(way.angleDeg),
        angleErrorDeg: Math.round(way.angleErrorDeg * 10) / 10,
        travelPx: Math.round(way.travelPx),
        travelErrorPx: Math.round(way.errorPx * 10) / 10,
        travelHeights: Math.round((way.travelPx / way.heightPx) * 10) / 10,
        durationMs: Math.round(way.durationMs),
        reachedAtMediaMs: Math.round(reachedAtMs),
      },
      explanation: {
        vi: `${who.vi} (số hiệu ${track.trackId}) đi ngược chiều trong khu vực "${this.#rule.zone}" suốt ${seconds.vi} giây, lệch ${angle}° (sai số ±${error}°) so với chiều cho phép, quãng đường bằng ${heights.replace('.', ',')} lần chiều cao của xe trên hình (ít nhất ${least.replace('.', ',')}).`,
        en: `${who.en} (track ${track.trackId}) went against the direction of zone "${this.#rule.zone}" for ${seconds.en} s, ${angle}° (error ±${error}°) off the allowed direction, over ${heights} times its own height in the picture (at least ${least}).`,
      },
    };
  }
}
