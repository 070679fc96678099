import type { ForbiddenTurnRule as ForbiddenTurnParameters, LocalizedText, Scene } from '@ngatu/contract';
import type { Point } from '../geometry/box.ts';
import type { DirectedLine } from '../geometry/polyline.ts';
import type { Track } from '../track/track.ts';
import { formatSeconds, nameOf } from './explanation.ts';
import { CENTRE, computeGroundOutline, layOnGround } from './ground-outline.ts';
import { findDecisiveSight, type PathPoint } from './ground-path.ts';
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
} from './tripwire-passage.ts';

/** The direction must have turned by what the turn is called, degrees; perspective bends what the picture shows. */
const MIN_U_TURN_DEG = 100;
const MAX_STRAIGHT_DEG = 80;
/** A turn to one side does not show as one of more than this to the other side. */
const MAX_OPPOSITE_DEG = 20;

const TURN_NAMES: Readonly<Record<ForbiddenTurnParameters['turn'], LocalizedText>> = {
  left: { vi: 'rẽ trái', en: 'turned left' },
  right: { vi: 'rẽ phải', en: 'turned right' },
  'u-turn': { vi: 'quay đầu', en: 'made a U-turn' },
  straight: { vi: 'đi thẳng', en: 'went straight on' },
};

interface Turning {
  readonly entry: PassageWatch;
  readonly exit: PassageWatch;
  entered?: { readonly atMs: number; readonly heading: Point } | undefined;
}

/** A turn that was made, with the angle by which the direction changed; to the right positive. */
interface Turn {
  readonly exit: Passage;
  readonly durationMs: number;
  readonly turnDeg: number;
}

/**
 * Forbidden turn: the middle of the road user's ground passes the entry forward and then the exit forward, both between their ends
 * and by more than its error, and its direction turned accordingly. States per road user: unknown → entered → left by
 * the exit → told; cool-down. Who backs out over the entry has not entered; who is first seen beyond it never fires.
 *
 * ```
 *              exit ║ ◄── forward
 *        ╭──────────╫──── ●  decisive: surely beyond the exit
 *        │          ║
 *   ═════╪═════  entry (forward is up)
 *        │
 *        ● surely before the entry
 * ```
 */
export class ForbiddenTurnRule implements EventRule {
  readonly name: string;
  readonly horizonMs = PASSAGE_HORIZON_MS;
  readonly #rule: ForbiddenTurnParameters;
  readonly #entry: DirectedLine;
  readonly #exit: DirectedLine;
  readonly #depressionDeg: number;
  readonly #memory: ManoeuvreMemory;
  readonly #follower = new PathFollower<Turning>(() => ({
    entry: new PassageWatch(),
    exit: new PassageWatch(),
  }));

  constructor(rule: ForbiddenTurnParameters, scene: Scene) {
    this.name = rule.name;
    this.#rule = rule;
    this.#entry = findTripwire(scene, rule.entry);
    this.#exit = findTripwire(scene, rule.exit);
    this.#depressionDeg = scene.view.depressionDeg;
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

  #watch(state: Turning, track: Track, point: PathPoint): Turn | undefined {
    if (point.start !== undefined && point.start !== 'class') {
      state.entry.forget();
      state.exit.forget();
    }
    if (point.start === 'swap') state.entered = undefined;
    const { atMs, sideErrorPx, depthErrorPx, heading } = point;
    const view = { depressionDeg: this.#depressionDeg, heading };
    const outline = computeGroundOutline(track.label, point.box, view);
    if (outline === undefined) return undefined;
    const input = { parts: CENTRE, atMs, sideErrorPx, depthErrorPx };
    const entry = state.entry.take(computeLineSight(this.#entry, outline, input));
    // beside its ends the entry is none, neither in nor out
    if (entry?.overrunPx === 0) {
      const isForward = entry.direction === 'forward';
      state.entered = isForward ? { atMs: entry.crossedAtMs, heading } : undefined;
    }
    const exit = state.exit.take(computeLineSight(this.#exit, outline, input));
    if (exit?.direction !== 'forward' || exit.overrunPx > 0 || state.entered === undefined) return undefined;
    const durationMs = exit.crossedAtMs - state.entered.atMs;
    const turnDeg = this.#computeTurn(state.entered.heading, heading);
    state.entered = undefined;
    if (durationMs <= 0 || durationMs > this.#rule.maxDurationMs || !this.#isNamedTurn(turnDeg))
      return undefined;
    return { exit, durationMs, turnDeg };
  }

  /** Angle on the ground between two directions in the picture, degrees, −180 to 180; to the right positive. */
  #computeTurn(from: Point, to: Point): number {
    const sin = Math.sin((this.#depressionDeg * Math.PI) / 180);
    const [ax, ay] = layOnGround(from, sin);
    const [bx, by] = layOnGround(to, sin);
    return (Math.atan2(ax * by - ay * bx, ax * bx + ay * by) * 180) / Math.PI;
  }

  #isNamedTurn(turnDeg: number): boolean {
    switch (this.#rule.turn) {
      case 'u-turn':
        return Math.abs(turnDeg) >= MIN_U_TURN_DEG;
      case 'straight':
        return Math.abs(turnDeg) <= MAX_STRAIGHT_DEG;
      case 'left':
        return turnDeg <= MAX_OPPOSITE_DEG || turnDeg >= 180 - MAX_OPPOSITE_DEG;
      case 'right':
        return turnDeg >= -MAX_OPPOSITE_DEG || turnDeg <= MAX_OPPOSITE_DEG - 180;
    }
  }

  #judge(track: Track, { exit, durationMs, turnDeg }: Turn, context: RuleContext): RuleMatch | undefined {
    const { turn, entry, labels, exit: exitName } = this.#rule;
    if (!labels.includes(track.label)) return undefined;
    const decisive = { atMs: exit.sureAtMs, horizonMs: PASSAGE_HORIZON_MS };
    const observation = findDecisiveSight(context, track.trackId, decisive);
    if (observation === undefined) return undefined;
    const who = nameOf(track.label);
    const what = TURN_NAMES[turn];
    const seconds = formatSeconds(durationMs);
    const [margin, error] = [exit.marginPx.toFixed(0), exit.errorPx.toFixed(0)];
    return {
      rule: this.name,
      kind: 'FORBIDDEN_TURN',
      trackId: track.trackId,
      label: track.label,
      observation,
      alternatives: [],
      measures: {
        ...measurePassage(exit),
        turnDeg: Math.round(turnDeg),
        durationMs: Math.round(durationMs),
      },
      explanation: {
        vi: `${who.vi} (số hiệu ${track.trackId}) ${what.vi} nơi cấm: qua "${entry}" rồi ra "${exitName}" sau ${seconds.vi} giây; đã qua "${exitName}" ${margin} điểm ảnh, sai số ±${error}.`,
        en: `${who.en} (track ${track.trackId}) ${what.en} where that is forbidden: over "${entry}" and out over "${exitName}" ${seconds.en} s later; ${margin} px beyond "${exitName}", error ±${error} px.`,
      },
    };
  }
}
