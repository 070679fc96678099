import type { Track } from '../track/track.ts';
import type { FrameMark, Observation } from './rule.ts';

/** A road user is remembered with at most this many observations; the oldest go first. */
const MAX_OBSERVATIONS = 400;

/** What was seen of each living track, oldest first. Predictions are not observations. */
export class TrackHistory {
  readonly #observations = new Map<number, Observation[]>();

  /** Takes the tracks of the next frame; tracks that are no longer among them are forgotten. */
  add(frame: FrameMark, tracks: readonly Track[]): void {
    const alive = new Set<number>();
    for (const track of tracks) {
      alive.add(track.trackId);
      if (!track.seen) continue;
      const { box, groundSeen, confidence, occupants } = track;
      const list = this.#observations.get(track.trackId) ?? [];
      list.push({ frame, box, groundSeen, confidence, occupants });
      if (list.length > MAX_OBSERVATIONS) list.shift();
      this.#observations.set(track.trackId, list);
    }
    for (const trackId of this.#observations.keys()) {
      if (!alive.has(trackId)) this.#observations.delete(trackId);
    }
  }

  of(trackId: number): readonly Observation[] {
    return this.#observations.get(trackId) ?? [];
  }
}
