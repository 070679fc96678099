import { type Box, computeArea, computeIntersection, computeIou } from '../geometry/box.ts';
import type { Track } from '../track/track.ts';
import { Place } from './place.ts';
import type { RememberedPlace, RuleContext } from './rule.ts';
import type { StandingGauge } from './standing-gauge.ts';

/** Who stood this long at a place has come to stand there, ms. */
const SETTLE_MS = 800;
/** Frames further apart than this are no evidence of what happened in between, ms. */
const MAX_STEP_MS = 2_500;
/** More places are not remembered: those that were not told and not seen for longest go first. */
const MAX_PLACES = 256;
/** A nearer road user that covers this share of a place hides it. */
const HIDING_SHARE = 0.35;

/**
 * Remembers the places at which vehicles stand, whatever ids the tracker gives them: a vehicle is known by where and how large it
 * is. Per place: standing → (hidden | missed)* → standing … → empty.
 *
 * ```
 *  seen there, standing          covered by a nearer road user
 *   ┌────┐  sights add up         ┌────┐▒▒▒▒  time says nothing
 *   │ P  │  standing time         │ P ▒▒▒▒▒▒
 *   └────┘                        └────┘▒▒▒▒
 *  in view, nobody there         others drive over its ground
 *   ┌╌╌╌╌┐  empty time grows      ┌╌╌╌╌┐
 *   ╎    ╎  → forgotten           ╎ ━━━━━━▶ → forgotten
 *   └╌╌╌╌┘                        └╌╌╌╌┘
 * ```
 */
export class PlaceMemory {
  #places: Place[] = [];
  readonly #gauge: StandingGauge;
  #lastMs: number | undefined;

  constructor(gauge: StandingGauge) {
    this.#gauge = gauge;
  }

  get places(): readonly Place[] {
    return this.#places;
  }

  /** Takes the next frame; the gauge must have taken it before. */
  update(context: RuleContext): void {
    const nowMs = context.frame.mediaTimeMs;
    const stepMs = Math.min(MAX_STEP_MS, nowMs - (this.#lastMs ?? nowMs));
    this.#lastMs = nowMs;
    const vehicles = context.tracks.filter(({ seen, label }) => seen && label !== 'person');
    const standing = vehicles.filter(({ trackId }) => this.#gauge.standingMsOf(trackId) >= SETTLE_MS);
    const undecided = vehicles.filter((track) => this.#isUndecided(track, context));
    const occupied = this.#assign([...standing, ...undecided]);
    for (const [place, track] of occupied) {
      if (standing.includes(track)) place.sight(track, context.frame);
    }
    const placed = new Set(occupied.values());
    for (const place of this.#places) {
      if (occupied.has(place)) continue;
      this.#miss(
        place,
        vehicles.filter((track) => !placed.has(track)),
        { vehicles, stepMs },
      );
    }
    this.#places = this.#places.filter((place) => !place.isEmpty);
    for (const track of standing) {
      if (!placed.has(track) && track.groundSeen) this.#open(track, context);
    }
    this.#bound();
  }

  /** Takes up the cases of before a restart. */
  recall(remembered: readonly RememberedPlace[]): void {
    for (const { box, label, lastSeenAtMs } of remembered) {
      this.#places.push(Place.recall({ box, label, lastSeenAtMs }));
    }
  }

  /** Not known to stand, not known to move: its track is too young, or its ground contact is hidden. */
  #isUndecided({ trackId, groundSeen, firstSeenMs }: Track, { frame }: RuleContext): boolean {
    if (this.#gauge.standingMsOf(trackId) >= SETTLE_MS) return false;
    if (!groundSeen) return true;
    return !this.#gauge.hasMoved(trackId) && frame.mediaTimeMs - firstSeenMs <= 2 * SETTLE_MS;
  }

  /** Each place with the one road user that fits it best; who stood there under the same id comes first. */
  #assign(candidates: readonly Track[]): Map<Place, Track> {
    const pairs = this.#places.flatMap((place) =>
      candidates.flatMap((track) => {
        const fit = place.fitOf(track);
        return fit > 0 ? [{ place, track, fit: fit + (place.trackId === track.trackId ? 1 : 0) }] : [];
      }),
    );
    pairs.sort((a, b) => b.fit - a.fit || a.track.trackId - b.track.trackId);
    const occupied = new Map<Place, Track>();
    const taken = new Set<Track>();
    for (const { place, track } of pairs) {
      if (occupied.has(place) || taken.has(track)) continue;
      occupied.set(place, track);
      taken.add(track);
    }
    return occupied;
  }

  #miss(
    place: Place,
    others: readonly Track[],
    { vehicles, stepMs }: { vehicles: readonly Track[]; stepMs: number },
  ): void {
    const left = others.some(({ trackId, box }) => trackId === place.trackId && place.isLeftBy(box));
    if (left) place.seeLeave();
    for (const { trackId, box, groundSeen } of others) {
      if (groundSeen && this.#gauge.hasMoved(trackId)) place.seePassing(trackId, box);
    }
    if (!vehicles.some(({ box }) => hides(box, place.box))) place.seeNobody(stepMs);
  }

  #open(track: Track, { frame }: RuleContext): void {
    this.#places.push(Place.open(track, frame, this.#gauge.headingOf(track.trackId)));
  }

  #bound(): void {
    if (this.#places.length <= MAX_PLACES) return;
    const worth = (place: Place): number =>
      place.lastSeenAtMs + (place.isTold ? Number.MAX_SAFE_INTEGER / 2 : 0);
    this.#places = [...this.#places].sort((a, b) => worth(b) - worth(a)).slice(0, MAX_PLACES);
  }
}

function hides(nearer: Box, box: Box): boolean {
  if (nearer[3] < box[3]) return false;
  return computeIntersection(nearer, box) >= HIDING_SHARE * computeArea(box) && computeIou(nearer, box) < 0.9;
}
