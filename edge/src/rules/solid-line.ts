import type { Scene, SolidLineRule as SolidLineParameters } from '@ngatu/contract';
import type { Point } from '../geometry/box.ts';
import type { DirectedLine } from '../geometry/polyline.ts';
import type { Track } from '../track/track.ts';
import { nameOf } from './explanation.ts';
import { computeGroundOutline, listWheels } from './ground-outline.ts';
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

interface Watched {
  readonly watch: PassageWatch;
  /** Last known. */
  heading?: Point;
}

/**
 * Solid line: all wheels pass the line between its ends, each by more than its error. States per road user: unknown → surely on one side
 * → on the line → surely on the other side → told; cool-down. Overtaking over the line, out and back, is one case.
 *
 * ```
 *      ╎  ┃          ╎  ┃ ┌──┐        the wheels count, not the box: a mirror, a load, a bonnet or a
 *      ╎  ┃          ╎  ┃ │  │        roof over the line is no crossing, nor is one pair of wheels
 *      ╎ ┌┃─┐        ╎  ┃ └──┘
 *      ╎ │┃ │  no    ╎  ┃   yes       who swerves back before the last wheel is surely over has crossed nothing
 *      ╎ └┃─┘        ╎  ┃
 *      lane line     line ± error
 * ```
 */
export class SolidLineRule implements EventRule {
  readonly name: string;
  readonly horizonMs = PASSAGE_HORIZON_MS;
  readonly #rule: SolidLineParameters;
  readonly #line: DirectedLine;
  readonly #depressionDeg: number;
  readonly #memory: ManoeuvreMemory;
  readonly #follower = new PathFollower<Watched>(() => ({ watch: new PassageWatch() }));

  constructor(rule: SolidLineParameters, scene: Scene) {
    this.name = rule.name;
    this.#rule = rule;
    this.#line = findTripwire(scene, rule.line);
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

  #watch(state: Watched, track: Track, point: PathPoint): Passage | undefined {
    const { watch, heading = point.heading } = state;
    state.heading = point.heading;
    // from one place to the next nobody turns round: the number has gone over to somebody who comes the other way
    if (heading[0] * point.heading[0] + heading[1] * point.heading[1] < 0) watch.forget();
    if (point.start !== undefined && point.start !== 'class') watch.forget();
    const view = { depressionDeg: this.#depressionDeg, heading: point.heading };
    const outline = computeGroundOutline(track.label, point.box, view);
    if (outline === undefined) return undefined;
    const { atMs, sideErrorPx, depthErrorPx } = point;
    return watch.take(
      computeLineSight(this.#line, outline, {
        parts: listWheels(track.label),
        atMs,
        sideErrorPx,
        depthErrorPx,
      }),
    );
  }

  #judge(track: Track, passage: Passage, context: RuleContext): RuleMatch | undefined {
    const { direction, labels } = this.#rule;
    if (!labels.includes(track.label)) return undefined;
    if (direction !== 'both' && direction !== passage.direction) return undefined;
    // beside its ends the line is none: all of the vehicle stayed between them while it passed
    if (passage.overrunPx > 0) return undefined;
    // what is wide is seen astride when it passes; else the tracker has jumped
    const isWide = track.label !== 'motorbike' && track.label !== 'bicycle' && track.label !== 'person';
    if (isWide && !passage.seenAstride) return undefined;
    const decisive = { atMs: passage.sureAtMs, horizonMs: PASSAGE_HORIZON_MS };
    const observation = findDecisiveSight(context, track.trackId, decisive);
    if (observation === undefined) return undefined;
    const who = nameOf(track.label);
    const [margin, error] = [passage.marginPx.toFixed(0), passage.errorPx.toFixed(0)];
    return {
      rule: this.name,
      kind: 'SOLID_LINE',
      trackId: track.trackId,
      label: track.label,
      observation,
      alternatives: [],
      measures: measurePassage(passage),
      explanation: {
        vi: `${who.vi} (số hiệu ${track.trackId}) vượt hẳn qua vạch liền "${this.#rule.line}" bằng tất cả các bánh; bánh gần vạch nhất cách vạch ${margin} điểm ảnh, sai số ±${error}.`,
        en: `${who.en} (track ${track.trackId}) crossed solid line "${this.#rule.line}" with all wheels; the wheel nearest to the line was ${margin} px beyond it, error ±${error} px.`,
      },
    };
  }
}
