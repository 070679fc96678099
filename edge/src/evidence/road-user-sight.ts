import { isTwoWheeler, type RoadUserLabel } from '@ngatu/contract';
import type { Detection } from '../detect/detection.ts';
import { type Box, computeArea, computeIntersection, computeIou } from '../geometry/box.ts';
import type { Track } from '../track/track.ts';

/** A road user as it was seen in one analysed picture. Boxes in source pixels. */
export interface SeenRoadUser {
  /** Absent where a detection belongs to no track. */
  readonly trackId?: number;
  readonly label: RoadUserLabel;
  readonly box: Box;
  /** Boxes of the persons that were joined into it. */
  readonly occupants: readonly Box[];
}

/** Every road user of one analysed picture. */
export interface Sight {
  /** Presentation time within the session, ms. */
  readonly mediaTimeMs: number;
  readonly users: readonly SeenRoadUser[];
}

/** A detection that lies in a track by this share, or over it by this IoU, is that track's. */
const EXPLAINED_SHARE = 0.8;
const EXPLAINED_IOU = 0.55;
/** How long the sights are kept, ms: evidence is made within its deadline of a minute. */
const KEPT_MS = 150_000;
/** Sights kept of one camera at most: 150 s at 30 pictures a second. */
const MAX_SIGHTS = 4_500;

/**
 * Who was seen in a picture: tracks that were seen just now, and whatever else was detected, however weakly. Tracks that are
 * only predicted are left out: what they may hide was seen in the pictures beside this one.
 */
export function describeSight(
  mediaTimeMs: number,
  detections: readonly Detection[],
  tracks: readonly Track[],
): Sight {
  const seen = tracks.filter((track) => track.seen && track.state !== 'removed');
  const users: SeenRoadUser[] = seen.map(({ trackId, label, box, occupants }) => ({
    trackId,
    label,
    box,
    occupants: occupants.map((occupant) => occupant.box),
  }));
  for (const { label, box } of detections) {
    if (!seen.some((track) => explains(track, { label, box }))) users.push({ label, box, occupants: [] });
  }
  return { mediaTimeMs, users };
}

/** A person is explained only by itself: behind a rider somebody else may stand. */
function explains(track: Track, { label, box }: Pick<Detection, 'label' | 'box'>): boolean {
  if (label === 'person') {
    const persons = track.label === 'person' ? [track.box] : track.occupants.map((one) => one.box);
    return persons.some((person) => computeIou(person, box) > EXPLAINED_IOU);
  }
  if (computeIou(track.box, box) > EXPLAINED_IOU) return true;
  return (
    isTwoWheeler(label) &&
    isTwoWheeler(track.label) &&
    computeIntersection(track.box, box) > EXPLAINED_SHARE * computeArea(box)
  );
}

/**
 * What a camera saw lately, in memory: who has to be blurred in a picture, and where. After a restart it is empty, and the
 * pictures of that time are blurred outside their subject.
 */
export class RoadUserLog {
  /** The session that runs, and the one before it: its last events still wait for their pictures when a stream breaks off. */
  #sessions: { readonly name: string; readonly sights: Sight[] }[] = [];

  /** Sights of one session come in order of presentation. */
  add(session: string, sight: Sight): void {
    let current = this.#sessions[0];
    if (current?.name !== session) {
      current = { name: session, sights: [] };
      this.#sessions = [current, ...this.#sessions.slice(0, 1)];
    }
    const { sights } = current;
    sights.push(sight);
    let drop = Math.max(0, sights.length - MAX_SIGHTS);
    while ((sights[drop]?.mediaTimeMs ?? sight.mediaTimeMs) < sight.mediaTimeMs - KEPT_MS) drop += 1;
    if (drop > 0) sights.splice(0, drop);
  }

  /** The sights of `session` from `fromMs` to `toMs` of its media time, rising. */
  list(session: string, fromMs: number, toMs: number): readonly Sight[] {
    const sights = this.#sessions.find(({ name }) => name === session)?.sights ?? [];
    return sights.filter(({ mediaTimeMs }) => mediaTimeMs >= fromMs && mediaTimeMs <= toMs);
  }
}
