import type { LaneReservedRule as LaneReservedParameters, RoadUserLabel, Scene } from '@ngatu/contract';
import type { Point } from '../geometry/box.ts';
import type { Track } from '../track/track.ts';
import { formatSeconds, nameOf } from './explanation.ts';
import { computeGroundOutline, layOnGround } from './ground-outline.ts';
import { findDecisiveSight, type PathPoint } from './ground-path.ts';
import { computeAxisAngle, type LaneSight, LaneZone } from './lane-zone.ts';
import { ManoeuvreMemory } from './manoeuvre-memory.ts';
import { PathFollower, tellManoeuvres } from './path-follower.ts';
import type { EventRule, RuleContext, RuleMatch } from './rule.ts';

/** Decided within this time or never, ms: averaging, and the longest pause between sights. */
const HORIZON_MS = 1500;
/** Who heads further off the lane than this crosses it, degrees on the ground. */
const MAX_ANGLE_DEG = 30;
/** Doubtful for longer than this is no use of the lane any more, ms. */
const MAX_DOUBT_MS = 700;

/** Classes that detectors take for one another. */
const LOOK_ALIKES: readonly (readonly RoadUserLabel[])[] = [
  ['bus', 'truck'],
  ['bicycle', 'motorbike'],
];

/** An unbroken use of the lane. */
interface Use {
  readonly first: PathPoint;
  last: PathPoint;
  /** The sight that speaks most for the road user. */
  least: LaneSight;
}

interface Following {
  use?: Use | undefined;
  /** Told already; until it is surely out of the lane. */
  isTold: boolean;
}

interface Finding {
  readonly use: Use;
  readonly reachedAtMs: number;
  readonly travelPx: number;
  readonly travelHeights: number;
}

/**
 * Reserved lane: somebody for whom the lane is not kept drives along in it, with its middle inside by more than the error and both sides by what
 * is measured, far and long enough. States per road user: out → in → used (told once) → out; cool-down. Standing in it and crossing it are no use.
 *
 * ```
 *      ╎    ║ bus lane ║
 *      ╎    ║   ┌─┐    ║   ▲ minTravelHeights along the lane, for minDurationMs
 *      ╎    ║   │ │    ║   │
 *      ╎    ║   └─┘    ║   ● middle surely, both sides likely inside
 *      ╎   ┌╫┐  yes    ║
 *      ╎   └╫┘ no: over its border
 *  ────────────────────────▶ no: crosses it
 * ```
 */
export class LaneReservedRule implements EventRule {
  readonly name: string;
  readonly horizonMs = HORIZON_MS;
  readonly #rule: LaneReservedParameters;
  readonly #lane: LaneZone;
  /** On the ground, either way. */
  readonly #axis: Point;
  readonly #depressionDeg: number;
  readonly #sin: number;
  readonly #others: readonly RoadUserLabel[];
  readonly #memory: ManoeuvreMemory;
  readonly #follower = new PathFollower<Following>(() => ({ isTold: false }));

  constructor(rule: LaneReservedParameters, scene: Scene) {
    this.name = rule.name;
    this.#rule = rule;
    this.#lane = new LaneZone(scene, rule.zone);
    this.#depressionDeg = scene.view.depressionDeg;
    this.#sin = Math.sin((scene.view.depressionDeg * Math.PI) / 180);
    this.#axis =
      rule.along === undefined
        ? this.#lane.computeAxis(this.#sin)
        : layOnGround(
            [rule.along.to[0] - rule.along.from[0], rule.along.to[1] - rule.along.from[1]],
            this.#sin,
          );
    this.#others = rule.labels.filter((label) => !isAllowed(label, rule));
    this.#memory = new ManoeuvreMemory(rule.cooldownMs);
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

  #watch(state: Following, track: Track, point: PathPoint): Finding | undefined {
    // a use is made up of sights as classes that may not be here, whichever of them
    const isOther = this.#others.includes(track.label);
    if (!isOther || (point.start !== undefined && point.start !== 'class')) state.use = undefined;
    const view = { depressionDeg: this.#depressionDeg, heading: point.heading };
    const outline = computeGroundOutline(track.label, point.box, view);
    if (outline === undefined) return undefined;
    const sight = this.#lane.locate(outline, point);
    if (sight.place === 'out') state.isTold = false;
    const isAlong = computeAxisAngle(point.heading, this.#axis, this.#sin) <= MAX_ANGLE_DEG;
    const { use } = state;
    if (sight.place !== 'in' || !isAlong) {
      const hasLeft = sight.place === 'out' || !isAlong;
      if (use !== undefined && (hasLeft || point.atMs - use.last.atMs > MAX_DOUBT_MS)) state.use = undefined;
      return undefined;
    }
    if (use === undefined) {
      state.use = { first: point, last: point, least: sight };
      return undefined;
    }
    const before = use.last;
    use.last = point;
    if (sight.marginPx - sight.errorPx < use.least.marginPx - use.least.errorPx) use.least = sight;
    if (state.isTold || !isOther) return undefined;
    const finding = this.#measure(use, before);
    if (finding !== undefined) state.isTold = true;
    return finding;
  }

  /** What was driven so far, with its errors taken against it; undefined while that is too little. */
  #measure(use: Use, before: PathPoint): Finding | undefined {
    const { first, last } = use;
    const { minTravelHeights, minDurationMs } = this.#rule;
    const wayTo = ({ point, errorPx }: PathPoint): number =>
      Math.hypot(point[0] - first.point[0], point[1] - first.point[1]) - first.errorPx - errorPx;
    const height = (first.box[3] - first.box[1] + last.box[3] - last.box[1]) / 2;
    const needed = minTravelHeights * height;
    if (wayTo(last) < needed || last.atMs - first.atMs < minDurationMs) return undefined;
    const [from, to] = [wayTo(before), wayTo(last)];
    const share = to > from ? Math.min(1, Math.max(0, (needed - from) / (to - from))) : 1;
    const farAtMs = before.atMs + share * (last.atMs - before.atMs);
    const travelPx = Math.hypot(last.point[0] - first.point[0], last.point[1] - first.point[1]);
    return {
      use,
      reachedAtMs: Math.min(last.atMs, Math.max(farAtMs, first.atMs + minDurationMs, before.atMs)),
      travelPx,
      travelHeights: travelPx / height,
    };
  }

  #judge(track: Track, finding: Finding, context: RuleContext): RuleMatch | undefined {
    const { use, reachedAtMs, travelPx, travelHeights } = finding;
    const decisive = { atMs: reachedAtMs, horizonMs: HORIZON_MS };
    const observation = findDecisiveSight(context, track.trackId, decisive);
    if (observation === undefined) return undefined;
    const durationMs = use.last.atMs - use.first.atMs;
    const { marginPx, errorPx } = use.least;
    const who = nameOf(track.label);
    const seconds = formatSeconds(durationMs);
    const [margin, error, heights] = [marginPx.toFixed(0), errorPx.toFixed(0), travelHeights.toFixed(1)];
    return {
      rule: this.name,
      kind: 'LANE',
      trackId: track.trackId,
      label: track.label,
      observation,
      // so near to the border it may have driven on the line rather than in the lane
      alternatives: marginPx < 2 * errorPx ? ['SOLID_LINE'] : [],
      measures: {
        reachedAtMediaMs: Math.round(reachedAtMs),
        durationMs: Math.round(durationMs),
        travelPx: Math.round(travelPx),
        travelHeights: Math.round(travelHeights * 10) / 10,
        marginPx: Math.round(marginPx * 10) / 10,
        errorPx: Math.round(errorPx * 10) / 10,
      },
      explanation: {
        vi: `${who.vi} (số hiệu ${track.trackId}) đi trong làn dành riêng "${this.#rule.zone}" suốt ${seconds.vi} giây, quãng đường bằng ${heights.replace('.', ',')} lần chiều cao của xe trên hình; luôn cách mép làn ít nhất ${margin} điểm ảnh, sai số ±${error}.`,
        en: `${who.en} (track ${track.trackId}) drove in reserved lane "${this.#rule.zone}" for ${seconds.en} s over ${heights} times its own height in the picture; always at least ${margin} px inside it, error ±${error} px.`,
      },
    };
  }
}

function isAllowed(label: RoadUserLabel, { allowed, lookAlikeExempt }: LaneReservedParameters): boolean {
  if (allowed.includes(label)) return true;
  if (!lookAlikeExempt) return false;
  return LOOK_ALIKES.some((group) => group.includes(label) && group.some((one) => allowed.includes(one)));
}
