import type { Track } from '../track/track.ts';
import type { RuleMatch } from './rule.ts';

/** Remembers per track when a rule fired last; entries of tracks that are gone are dropped by time. */
export class Cooldown {
  readonly #firedAtMs = new Map<number, number>();
  readonly #durationMs: number;

  constructor(durationMs: number) {
    this.#durationMs = durationMs;
  }

  isCooling(trackId: number, nowMs: number): boolean {
    const firedAtMs = this.#firedAtMs.get(trackId);
    return firedAtMs !== undefined && nowMs - firedAtMs < this.#durationMs;
  }

  start(trackId: number, nowMs: number): void {
    for (const [id, at] of this.#firedAtMs) if (nowMs - at >= this.#durationMs) this.#firedAtMs.delete(id);
    this.#firedAtMs.set(trackId, nowMs);
  }

  /** The matches of those tracks that are not cooling; each begins to cool when it matches. */
  judgeEach(
    tracks: readonly Track[],
    nowMs: number,
    judge: (track: Track) => RuleMatch | undefined,
  ): RuleMatch[] {
    return tracks.flatMap((track) => {
      const match = this.isCooling(track.trackId, nowMs) ? undefined : judge(track);
      if (match === undefined) return [];
      this.start(track.trackId, nowMs);
      return [match];
    });
  }
}
