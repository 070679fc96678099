import { type Box, computeGroundPoint } from '../geometry/box.ts';
import type { Track } from '../track/track.ts';
import type { RuleContext } from './rule.ts';

/** A track that begins this soon after the last sight of another may be the same road user under another id, ms. */
const LINK_MS = 3_000;
/** … and this near to it, in longer sides of its box: at once, and more for each second in between. */
const LINK_SIDES = 1;
const LINK_SIDES_PER_S = 2;

interface Told {
  box: Box;
  lastMs: number;
  readonly label: Track['label'];
}

/**
 * Which road users have their case already. A road user that the tracker loses and finds again under another id keeps it;
 * where that is doubtful, the second one goes free.
 */
export class ToldMemory {
  readonly #told = new Map<number, Told>();

  /** Takes the next frame. */
  update({ tracks, frame }: RuleContext): void {
    for (const { trackId, seen, box } of tracks) {
      const told = this.#told.get(trackId);
      if (told === undefined) continue;
      // a living track holds its case, also while it is out of sight
      told.lastMs = frame.mediaTimeMs;
      if (seen) told.box = box;
    }
    for (const [trackId, { lastMs }] of this.#told) {
      if (frame.mediaTimeMs - lastMs > LINK_MS) this.#told.delete(trackId);
    }
    for (const track of tracks) {
      if (!this.#told.has(track.trackId) && this.#isFollower(track, frame.mediaTimeMs)) {
        this.tell(track, frame.mediaTimeMs);
      }
    }
  }

  has(trackId: number): boolean {
    return this.#told.has(trackId);
  }

  tell({ trackId, box, label }: Track, nowMs: number): void {
    this.#told.set(trackId, { box, label, lastMs: nowMs });
  }

  /** True for a track that has just begun where a told one was lost. */
  #isFollower({ box, label, firstSeenMs }: Track, nowMs: number): boolean {
    if (nowMs - firstSeenMs > LINK_MS) return false;
    const [x, y] = computeGroundPoint(box);
    const side = Math.max(box[2] - box[0], box[3] - box[1]);
    return [...this.#told.values()].some((told) => {
      // only a track that is lost can have another id now
      if (told.lastMs >= nowMs || told.label !== label) return false;
      const [tx, ty] = computeGroundPoint(told.box);
      const reach = side * (LINK_SIDES + (LINK_SIDES_PER_S * (nowMs - told.lastMs)) / 1000);
      return Math.hypot(x - tx, y - ty) <= reach;
    });
  }
}
