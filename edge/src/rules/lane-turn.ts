import type { LaneTurnRule as LaneTurnParameters, Scene } from '@ngatu/contract';
import type { Track } from '../track/track.ts';
import { formatSeconds, nameOf } from './explanation.ts';
import { CENTRE, computeGroundOutline, type GroundOutline } from './ground-outline.ts';
import { findDecisiveSight, type PathPoint } from './ground-path.ts';
import { type LaneSight, LaneZone } from './lane-zone.ts';
import { ManoeuvreMemory } from './manoeuvre-memory.ts';
import { PathFollower, tellManoeuvres } from './path-follower.ts';
import type { EventRule, RuleContext, RuleMatch } from './rule.ts';
import {
  computeLineSight,
  findTripwire,
  measurePassage,
  PASSAGE_HORIZON_MS,
  type Passage,
  PassageWatch,
  SURE_MS,
} from './tripwire-passage.ts';

/** The lane in which somebody surely was last. */
interface Stay {
  readonly lane: LaneZone;
  readonly sinceMs: number;
  lastMs: number;
  /** Where it was furthest inside. */
  sight: LaneSight;
}

interface Turning {
  readonly exits: readonly PassageWatch[];
  /** In a lane, not yet for long enough to be believed. */
  entering?: Stay | undefined;
  stay?: Stay | undefined;
}

interface Turn {
  readonly exit: string;
  readonly passage: Passage;
  readonly stay: Stay;
  readonly durationMs: number;
}

/**
 * Turn from the wrong lane: surely in the lane (both sides by more than their error), then over one of the exits that the lane does
 * not allow. The lane in which it surely was last counts: who changes in time into a lane that another rule names is let go.
 * States per road user: unknown → in the lane → left it → over the exit → told; cool-down.
 *
 * ```
 *              ╭─────────║── ● exit (forward to the right): decisive when surely beyond
 *   stop line ═╪═══╪═════
 *        ║  ╎  ↑  ╎  ↗  ║       the lane on the left is for straight on:
 *        ║  ╎  ●  ╎  ✓  ║       ● leaves it to the right, ✓ leaves the right lane to the right
 * ```
 */
export class LaneTurnRule implements EventRule {
  readonly name: string;
  readonly horizonMs = PASSAGE_HORIZON_MS;
  readonly #rule: LaneTurnParameters;
  readonly #lane: LaneZone;
  readonly #otherLanes: readonly LaneZone[];
  readonly #exits: readonly { readonly name: string; readonly line: ReturnType<typeof findTripwire> }[];
  readonly #depressionDeg: number;
  readonly #memory: ManoeuvreMemory;
  readonly #follower: PathFollower<Turning>;

  constructor(rule: LaneTurnParameters, scene: Scene) {
    this.name = rule.name;
    this.#rule = rule;
    this.#lane = new LaneZone(scene, rule.lane);
    const others = scene.rules.flatMap((one) => (one.kind === 'LANE_TURN' ? [one.lane] : []));
    this.#otherLanes = [...new Set(others)]
      .filter((name) => name !== rule.lane)
      .map((name) => new LaneZone(scene, name));
    this.#exits = rule.exits.map((name) => ({ name, line: findTripwire(scene, name) }));
    this.#depressionDeg = scene.view.depressionDeg;
    this.#memory = new ManoeuvreMemory(rule.cooldownMs);
    this.#follower = new PathFollower(() => ({ exits: rule.exits.map(() => new PassageWatch()) }));
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

  #watch(state: Turning, track: Track, point: PathPoint): Turn[] {
    if (point.start !== undefined && point.start !== 'class') {
      for (const watch of state.exits) watch.forget();
      state.entering = undefined;
    }
    if (point.start === 'swap') state.stay = undefined;
    const { atMs, sideErrorPx, depthErrorPx, heading } = point;
    const view = { depressionDeg: this.#depressionDeg, heading };
    const outline = computeGroundOutline(track.label, point.box, view);
    if (outline === undefined) return [];
    this.#followLane(state, outline, point);
    const input = { parts: CENTRE, atMs, sideErrorPx, depthErrorPx };
    return this.#exits.flatMap(({ name, line }, i) => {
      const passage = state.exits[i]?.take(computeLineSight(line, outline, input));
      if (passage?.direction !== 'forward' || passage.overrunPx > 0) return [];
      const { stay } = state;
      state.stay = undefined;
      if (stay === undefined || stay.lane !== this.#lane) return [];
      const durationMs = passage.crossedAtMs - stay.lastMs;
      if (durationMs > this.#rule.maxDurationMs || passage.crossedAtMs < stay.sinceMs) return [];
      return [{ exit: name, passage, stay, durationMs: Math.max(0, durationMs) }];
    });
  }

  #followLane(state: Turning, outline: GroundOutline, point: PathPoint): void {
    const { atMs } = point;
    for (const lane of [this.#lane, ...this.#otherLanes]) {
      const sight = lane.locate(outline, point);
      if (sight.place !== 'in' || sight.marginPx <= sight.errorPx) continue;
      const known = state.entering?.lane === lane ? state.entering : undefined;
      const stay = known ?? { lane, sinceMs: atMs, lastMs: atMs, sight };
      stay.lastMs = atMs;
      if (sight.marginPx - sight.errorPx > stay.sight.marginPx - stay.sight.errorPx) stay.sight = sight;
      state.entering = stay;
      if (atMs - stay.sinceMs >= SURE_MS) state.stay = stay;
      return;
    }
    state.entering = undefined;
  }

  #judge(track: Track, turn: Turn, context: RuleContext): RuleMatch | undefined {
    if (!this.#rule.labels.includes(track.label)) return undefined;
    const { passage, stay, exit, durationMs } = turn;
    const decisive = { atMs: passage.sureAtMs, horizonMs: PASSAGE_HORIZON_MS };
    const observation = findDecisiveSight(context, track.trackId, decisive);
    if (observation === undefined) return undefined;
    const who = nameOf(track.label);
    const seconds = formatSeconds(durationMs);
    const { marginPx, errorPx } = stay.sight;
    const lane = { margin: marginPx.toFixed(0), error: errorPx.toFixed(0) };
    const out = { margin: passage.marginPx.toFixed(0), error: passage.errorPx.toFixed(0) };
    return {
      rule: this.name,
      kind: 'LANE',
      trackId: track.trackId,
      label: track.label,
      observation,
      alternatives: [],
      measures: {
        ...measurePassage(passage),
        laneMarginPx: Math.round(marginPx * 10) / 10,
        laneErrorPx: Math.round(errorPx * 10) / 10,
        durationMs: Math.round(durationMs),
      },
      explanation: {
        vi: `${who.vi} (số hiệu ${track.trackId}) đi từ làn "${this.#rule.lane}" (cách mép làn ${lane.margin} điểm ảnh, sai số ±${lane.error}) ra "${exit}" sau ${seconds.vi} giây, hướng mà làn này không cho phép; đã qua "${exit}" ${out.margin} điểm ảnh, sai số ±${out.error}.`,
        en: `${who.en} (track ${track.trackId}) left lane "${this.#rule.lane}" (${lane.margin} px inside it, error ±${lane.error} px) and went out over "${exit}" ${seconds.en} s later, a movement that this lane does not allow; ${out.margin} px beyond "${exit}", error ±${out.error} px.`,
      },
    };
  }
}
