import { computeIou, type Point } from '../geometry/box.ts';
import { associate, associateLeaps, computeAgreement, isFarApart, isSameKind } from './association.ts';
import { computeCameraMotion } from './camera-motion.ts';
import { ConfidenceLimit } from './confidence-limit.ts';
import { LiveTrack } from './live-track.ts';
import type { RoadUser, Track } from './track.ts';

export interface TrackerOptions {
  /** Findings at least this confident are matched first (ByteTrack, arXiv 2110.06864, section 3). A least value: the limit
   * that is learned from the camera's own findings may be higher. */
  highConfidence: number;
  /** A new track begins only with a finding at least this confident; a least value too. */
  newTrackConfidence: number;
  /** A track is confirmed when it was seen this often. */
  confirmHits: number;
  /** A confirmed track that is not seen for this long is removed, ms. */
  maxLostMs: number;
  /** A track that was never confirmed is removed when it is not seen for this long, ms. */
  maxTentativeLostMs: number;
}

/** One parameter set for all scenes. Times, not frame counts: a rule may not depend on the frame rate. */
export const DEFAULT_TRACKER_OPTIONS: TrackerOptions = {
  highConfidence: 0.3,
  newTrackConfidence: 0.35,
  confirmHits: 3,
  maxLostMs: 1500,
  maxTentativeLostMs: 375,
};

/** Largest distance that still matches: of sure findings, and of doubtful ones. */
const MAX_DISTANCE_HIGH = 0.78;
const MAX_DISTANCE_LOW = 0.52;
/** Shares of the learned limit from which a finding is sure, and from which it may begin a track. */
const HIGH_SHARE = 0.8;
const NEW_TRACK_SHARE = 1.1;
/** A finding that overlaps a road user that is followed this much (IoU) is that road user found twice: it begins no track. */
const DUPLICATE_IOU = 0.6;
/** Overlap from which a finding bears witness to the motion of the camera. */
const WITNESS_AGREEMENT = 0.3;

/**
 * Multi-object tracker after ByteTrack: Kalman prediction over real time, then optimal assignment in stages — sure findings to
 * confirmed tracks, doubtful ones to what is left of these, sure ones that are left to tentative tracks. Pure: time comes in
 * with the findings. docs/tracking.md says why each part is there.
 */
export class Tracker {
  readonly #options: TrackerOptions;
  readonly #limit = new ConfidenceLimit();
  #tracks: LiveTrack[] = [];
  #nextId = 1;
  #lastMs: number | undefined;

  constructor(options: Partial<TrackerOptions> = {}) {
    this.#options = { ...DEFAULT_TRACKER_OPTIONS, ...options };
  }

  /**
   * Takes the road users of the next frame (`nowMs` must not go back) and returns every track that is alive, also those
   * that are only predicted, in the order of their ids.
   */
  update(users: readonly RoadUser[], nowMs: number): Track[] {
    const dtMs = this.#lastMs === undefined ? 0 : nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    for (const track of this.#tracks) track.filter.predict(dtMs);
    for (const { confidence } of users) this.#limit.add(confidence);
    const limit = this.#limit.value;
    const high = Math.max(this.#options.highConfidence, HIGH_SHARE * limit);
    const begin = Math.max(this.#options.newTrackConfidence, NEW_TRACK_SHARE * limit);

    const sure = users.filter((user) => user.confidence >= high);
    this.#followCamera(sure);
    const left = this.#associateAll(
      sure,
      users.filter((user) => user.confidence < high),
      nowMs,
    );
    this.#tracks = this.#tracks.filter((track) => this.#isAlive(track, nowMs));
    for (const user of left) {
      if (user.confidence < begin || this.#isFollowed(user)) continue;
      this.#tracks.push(new LiveTrack(this.#nextId, user, nowMs));
      this.#nextId += 1;
    }
    return this.#tracks.map((track) => track.snapshot());
  }

  /** The most likely box of a living track: smoother than what was measured, and late by less than a frame; else undefined. */
  estimateOf(trackId: number): Track['box'] | undefined {
    return this.#tracks.find((track) => track.trackId === trackId)?.estimate;
  }

  /** Returns the sure findings that no track took. */
  #associateAll(sure: readonly RoadUser[], doubtful: readonly RoadUser[], nowMs: number): RoadUser[] {
    const { confirmHits } = this.#options;
    const known = this.#tracks.filter(({ state }) => state !== 'tentative');
    const fresh = this.#tracks.filter(({ state }) => state === 'tentative');
    const first = associate(known, sure, { maxDistance: MAX_DISTANCE_HIGH, nowMs, confirmHits });
    const second = associate(first.tracks, doubtful, { maxDistance: MAX_DISTANCE_LOW, nowMs, confirmHits });
    const third = associate(fresh, first.users, { maxDistance: MAX_DISTANCE_HIGH, nowMs, confirmHits });
    for (const track of second.tracks) track.miss();
    const leaps = third.users.filter((user) => !this.#isFollowed(user));
    const fourth = associateLeaps(third.tracks, leaps, { nowMs, confirmHits });
    for (const track of fourth.tracks) track.miss();
    return fourth.users;
  }

  /** Moves all predictions with the camera. */
  #followCamera(sure: readonly RoadUser[]): void {
    const residuals: Point[] = [];
    for (const track of this.#tracks) {
      if (!track.seen || !track.hasVelocity) continue;
      const expected = track.filter.box;
      let best = WITNESS_AGREEMENT;
      let residual: Point | undefined;
      for (const { box, label } of sure) {
        if (isFarApart(expected, box, WITNESS_AGREEMENT) || !isSameKind(label, track.label)) continue;
        const agreement = computeAgreement(expected, box, WITNESS_AGREEMENT);
        if (agreement <= best) continue;
        best = agreement;
        residual = [
          (box[0] + box[2] - expected[0] - expected[2]) / 2,
          (box[1] + box[3] - expected[1] - expected[3]) / 2,
        ];
      }
      if (residual !== undefined) residuals.push(residual);
    }
    const [dx, dy] = computeCameraMotion(residuals);
    if (dx === 0 && dy === 0) return;
    for (const track of this.#tracks) track.filter.shift(dx, dy);
  }

  #isFollowed(user: RoadUser): boolean {
    return this.#tracks.some(
      (track) =>
        track.seen && isSameKind(track.label, user.label) && computeIou(track.box, user.box) > DUPLICATE_IOU,
    );
  }

  #isAlive(track: LiveTrack, nowMs: number): boolean {
    if (track.seen) return true;
    const { maxLostMs, maxTentativeLostMs } = this.#options;
    return nowMs - track.lastSeenMs <= (track.state === 'tentative' ? maxTentativeLostMs : maxLostMs);
  }
}
