import type { Track } from '../track/track.ts';
import { GroundPath, type PathPoint } from './ground-path.ts';
import type { ManoeuvreMemory } from './manoeuvre-memory.ts';
import type { RuleContext, RuleMatch } from './rule.ts';

/** A road user in sight with what a rule knows about it and what became known of its path with this frame. */
export interface Followed<S> {
  readonly track: Track;
  readonly state: S;
  readonly points: readonly PathPoint[];
}

/** The frame rate is taken over so many frames. */
const RATE_FRAMES = 8;

/** Follows the paths of all road users for one rule, and keeps what the rule knows about each until its track is gone. */
export class PathFollower<S> {
  readonly #create: () => S;
  readonly #known = new Map<number, { path: GroundPath; label: string; takenMs: number; state: S }>();

  #frames: readonly number[] = [];

  constructor(create: () => S) {
    this.#create = create;
  }

  /** Usual time between two frames, ms; the median of the last ones. */
  #measureRate(nowMs: number): number {
    this.#frames = [...this.#frames, nowMs].slice(-RATE_FRAMES);
    const steps = this.#frames.slice(1).map((atMs, i) => atMs - (this.#frames[i] ?? atMs));
    return steps.sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
  }

  follow(context: RuleContext): Followed<S>[] {
    const alive = new Set(context.tracks.map(({ trackId }) => trackId));
    for (const trackId of this.#known.keys()) if (!alive.has(trackId)) this.#known.delete(trackId);
    const { pictureWidth: width, pictureHeight: height } = context;
    const picture = { width, height, frameMs: this.#measureRate(context.frame.mediaTimeMs) };
    return context.tracks.flatMap((track) => {
      if (!track.seen) return [];
      const known = this.#known.get(track.trackId) ?? {
        path: new GroundPath(),
        label: track.label,
        takenMs: Number.NEGATIVE_INFINITY,
        state: this.#create(),
      };
      this.#known.set(track.trackId, known);
      if (known.label !== track.label) known.path.changeClass();
      known.label = track.label;
      const { takenMs } = known;
      const sights = context.history.of(track.trackId);
      const since = sights.findLastIndex((sight) => sight.frame.mediaTimeMs <= takenMs);
      const points = sights.slice(since + 1).flatMap((sight) => known.path.take(sight, picture));
      known.takenMs = sights.at(-1)?.frame.mediaTimeMs ?? takenMs;
      return [{ track, state: known.state, points }];
    });
  }
}

/** How a rule about driving comes to its cases: S is what it knows about a road user, F what it finds in a place of a path. */
export interface Manoeuvres<S, F> {
  readonly follower: PathFollower<S>;
  readonly memory: ManoeuvreMemory;
  readonly watch: (state: S, track: Track, point: PathPoint) => F | readonly F[] | undefined;
  readonly judge: (track: Track, found: F, context: RuleContext) => RuleMatch | undefined;
}

/** Watches what became known of every path with this frame, and tells what is found, one manoeuvre as one case. */
export function tellManoeuvres<S, F>(
  { follower, memory, watch, judge }: Manoeuvres<S, F>,
  context: RuleContext,
): RuleMatch[] {
  memory.follow(context);
  return follower.follow(context).flatMap(({ track, state, points }) => {
    // all places are watched before anything is told
    const findings = points.flatMap((point): readonly F[] => {
      const found = watch(state, track, point);
      if (found === undefined) return [];
      return isList(found) ? found : [found];
    });
    return findings.flatMap((found) => memory.tell(track, context, () => judge(track, found, context)));
  });
}

function isList<F>(found: F | readonly F[]): found is readonly F[] {
  return Array.isArray(found);
}
