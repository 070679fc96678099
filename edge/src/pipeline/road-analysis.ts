import type { Directive, Measurement, Scene } from '@ngatu/contract';
import type { Box } from '../geometry/box.ts';
import { applyDirectives } from '../rules/exculpation.ts';
import type { LineCrossing } from '../rules/line-count.ts';
import type {
  FrameMark,
  HeadFinding,
  RuleContext,
  RuleMatch,
  RuleMemory,
  SignalView,
} from '../rules/rule.ts';
import { RuleSet } from '../rules/rule-set.ts';
import { TrackHistory } from '../rules/track-history.ts';
import type { OccupantShares, RoadUser, Track } from '../track/track.ts';
import { Tracker } from '../track/tracker.ts';
import type { OccupantLookup } from './rider-counts.ts';

/** What was found on the road in one frame. */
export interface RoadFinding {
  /** Every living track, also tentative and lost ones. */
  readonly tracks: readonly Track[];
  readonly matches: readonly RuleMatch[];
  readonly crossings: readonly LineCrossing[];
  /** Figures of the traffic windows that have ended. */
  readonly measurements: readonly Measurement[];
}

/** What a signal showed at a media time; undefined where it was not read then. */
export type SignalLookup = (name: string, mediaTimeMs: number) => SignalView | undefined;

/** What was declared for the camera at an instant on the node's clock, ms since 1970. */
export type DeclaredLookup = (capturedAtMs: number) => readonly Directive[];

/** The head of a person, by the very box that the detector gave of the person. */
export type HeadLookup = ReadonlyMap<Box, HeadFinding>;

/** What networks besides the detector said of this picture; absent where none serves. */
export interface RiderLooks {
  readonly heads?: HeadLookup | undefined;
  readonly occupants?: OccupantLookup | undefined;
}

/** Road users of a picture → tracks → rules for one session of one camera: everything behind the networks. Pure. */
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

  /** The figures of traffic windows that are still open; call once, when the stream has ended. */
  finish(): readonly Measurement[] {
    return this.#rules.finish();
  }

  /** What must outlive this session; give it to `recall` of the next one. */
  remember(): RuleMemory {
    return this.#rules.remember();
  }

  recall(memory: RuleMemory): void {
    this.#rules.recall(memory);
  }

  /** Takes the road users of the next frame (`fuseRiders`), in order of presentation; boxes in source pixels. */
  update(
    frame: FrameMark,
    users: readonly RoadUser[],
    signalAt: SignalLookup,
    directivesAt: DeclaredLookup = () => [],
    { heads, occupants }: RiderLooks = {},
  ): RoadFinding {
    const tracks = this.#tracker.update(users, frame.mediaTimeMs);
    this.#history.add(frame, tracks);
    const { width, height } = this.#scene.picture;
    const context: RuleContext = {
      frame,
      pictureWidth: width,
      pictureHeight: height,
      tracks: tracks.filter((track) => track.state === 'confirmed' || track.state === 'lost'),
      history: this.#history,
      signalAt,
      ...(heads === undefined ? {} : { heads: listHeads(tracks, heads) }),
      ...(occupants === undefined ? {} : { occupants: listOccupants(tracks, occupants) }),
    };
    const found = this.#rules.update(context);
    return { tracks, ...found, matches: applyDirectives(found.matches, directivesAt) };
  }
}

function listHeads(tracks: readonly Track[], heads: HeadLookup): Map<number, HeadFinding[]> {
  const found = new Map<number, HeadFinding[]>();
  for (const { trackId, seen, occupants } of tracks) {
    if (!seen) continue;
    const own = occupants.flatMap(({ box }) => heads.get(box) ?? []);
    if (own.length > 0) found.set(trackId, own);
  }
  return found;
}

function listOccupants(tracks: readonly Track[], counted: OccupantLookup): Map<number, OccupantShares> {
  const found = new Map<number, OccupantShares>();
  for (const { trackId, vehicleBox } of tracks) {
    const shares = vehicleBox === undefined ? undefined : counted.get(vehicleBox);
    if (shares !== undefined) found.set(trackId, shares);
  }
  return found;
}
