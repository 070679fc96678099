import type { Scene } from '@ngatu/contract';
import type { Detection } from '../detect/detection.ts';
import type { LineCrossing } from '../rules/line-count.ts';
import type { FrameMark, RuleContext, RuleMatch, SignalView } from '../rules/rule.ts';
import { RuleSet } from '../rules/rule-set.ts';
import { TrackHistory } from '../rules/track-history.ts';
import { fuseRiders } from '../track/rider-fusion.ts';
import type { Track } from '../track/track.ts';
import { Tracker } from '../track/tracker.ts';

/** What was found on the road in one frame. */
export interface RoadFinding {
  /** Every living track, also tentative and lost ones. */
  readonly tracks: readonly Track[];
  readonly matches: readonly RuleMatch[];
  readonly crossings: readonly LineCrossing[];
}

/** What a signal showed at a media time; undefined where it was not read then. */
export type SignalLookup = (name: string, mediaTimeMs: number) => SignalView | undefined;

/** Detections → tracks → rules for one session of one camera: everything behind the detector. Pure. */
export class RoadAnalysis {
  readonly #scene: Scene;
  readonly #tracker = new Tracker();
  readonly #history = new TrackHistory();
  readonly #rules: RuleSet;

  /** @throws RangeError where a rule names what the scene has not; a loaded scene was checked for that */
  constructor(scene: Scene) {
    this.#scene = scene;
    this.#rules = new RuleSet(scene);
  }

  /** What happened longer ago than this is decided: no match about it comes any more, ms. */
  get horizonMs(): number {
    return this.#rules.horizonMs;
  }

  /** Takes the detections of the next frame, in order of presentation; boxes in source pixels. */
  update(frame: FrameMark, detections: readonly Detection[], signalAt: SignalLookup): RoadFinding {
    const tracks = this.#tracker.update(fuseRiders(detections), frame.mediaTimeMs);
    this.#history.add(frame, tracks);
    const { width, height } = this.#scene.picture;
    const context: RuleContext = {
      frame,
      pictureWidth: width,
      pictureHeight: height,
      tracks: tracks.filter((track) => track.state === 'confirmed' || track.state === 'lost'),
      history: this.#history,
      signalAt,
    };
    return { tracks, ...this.#rules.update(context) };
  }
}
