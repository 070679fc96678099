import type { RoadUserLabel } from '@ngatu/contract';
import { type Box, computeIou } from '../geometry/box.ts';
import { assignOptimally } from './assignment.ts';
import { KalmanBox } from './kalman-box.ts';
import type { Occupant, RoadUser, Track, TrackState } from './track.ts';

export interface TrackerOptions {
  /** Findings at least this confident are matched first (ByteTrack, arXiv 2110.06864, section 3). */
  highConfidence: number;
  /** A new track begins only with a finding at least this confident. */
  newTrackConfidence: number;
  /** A track is confirmed when it was seen this often. */
  confirmHits: number;
  /** A confirmed track that is not seen for this long is removed, ms. */
  maxLostMs: number;
}

/** One parameter set for all scenes. Times, not frame counts: a rule may not depend on the frame rate. */
export const DEFAULT_TRACKER_OPTIONS: TrackerOptions = {
  highConfidence: 0.35,
  newTrackConfidence: 0.35,
  confirmHits: 3,
  maxLostMs: 1500,
};

/** Largest distance 1 − IoU of the enlarged boxes that still matches, by stage. */
const MAX_DISTANCE_FIRST = 0.8;
const MAX_DISTANCE_SECOND = 0.6;
/** Boxes are enlarged by this share of their size on each side before IoU, so that fast movers at low frame rates meet
 * themselves again (C-BIoU, arXiv 2211.14317, section 3). */
const BUFFER = 0.2;
const BUFFER_WITHOUT_VELOCITY = 0.5;
/** How fast the learned proportions of rider and two-wheeler follow, share per observation. */
const PROPORTION_GAIN = 0.3;

const isTwoWheeler = (label: RoadUserLabel): boolean => label === 'motorbike' || label === 'bicycle';

/** Road users that may be one and the same seen twice: a rider may be found without the bike. */
function group(label: RoadUserLabel): 'light' | 'heavy' {
  return label === 'person' || isTwoWheeler(label) ? 'light' : 'heavy';
}

class LiveTrack {
  readonly trackId: number;
  readonly filter: KalmanBox;
  readonly firstSeenMs: number;
  lastSeenMs: number;
  hits = 1;
  state: TrackState = 'tentative';
  seen = true;
  groundSeen: boolean;
  confidence: number;
  box: Box;
  occupants: readonly Occupant[];
  readonly #votes = new Map<RoadUserLabel, number>();
  /** Height of the whole road user over that of its rider, and width likewise; learned where both were found. */
  #heightPerRider: number | undefined;

  constructor(trackId: number, user: RoadUser, nowMs: number) {
    this.trackId = trackId;
    this.filter = new KalmanBox(user.box);
    this.firstSeenMs = nowMs;
    this.lastSeenMs = nowMs;
    this.confidence = user.confidence;
    this.box = user.box;
    this.groundSeen = !user.groundHidden && (user.vehicleBox !== undefined || user.label === 'person');
    this.occupants = user.occupants;
    this.#vote(user);
    this.#learnProportions(user);
  }

  get label(): RoadUserLabel {
    let best: RoadUserLabel = 'person';
    let most = -1;
    for (const [label, votes] of this.#votes) {
      if (votes > most) {
        best = label;
        most = votes;
      }
    }
    if (best !== 'person') return best;
    // a rider is found more often than the bike below: a fair share of bike findings decides
    for (const label of ['motorbike', 'bicycle'] as const) {
      if ((this.#votes.get(label) ?? 0) >= 0.25 * most) return label;
    }
    return best;
  }

  get hasVelocity(): boolean {
    return this.hits >= 3;
  }

  /** The box that `user` would have if it were this track: what was not found is filled in from what is known. */
  complete(user: RoadUser): Box {
    const [x1, y1, x2, y2] = user.box;
    const known = this.filter.box[3] - this.filter.box[1];
    if (user.groundHidden && this.hasVelocity && y2 - y1 < known) return [x1, y1, x2, y1 + known];
    if (!isTwoWheeler(this.label)) return user.box;
    if (user.label === 'person') {
      return this.#heightPerRider === undefined
        ? user.box
        : [x1, y1, x2, y1 + (y2 - y1) * this.#heightPerRider];
    }
    return user.occupants.length === 0 && y2 - y1 < 0.85 * known ? [x1, y2 - known, x2, y2] : user.box;
  }

  update(user: RoadUser, nowMs: number, confirmHits: number): void {
    const inferred = isTwoWheeler(this.label) && user.label === 'person';
    const box = this.complete(user);
    this.filter.update(box, inferred ? 3 : 1);
    this.box = box;
    this.groundSeen = !inferred && !user.groundHidden;
    this.seen = true;
    this.confidence = user.confidence;
    this.occupants =
      inferred || (user.label === 'person' && isTwoWheeler(this.label))
        ? [{ box: user.box, confidence: user.confidence }]
        : user.occupants;
    this.lastSeenMs = nowMs;
    this.hits += 1;
    this.#vote(user);
    this.#learnProportions(user);
    if (this.state === 'lost' || (this.state === 'tentative' && this.hits >= confirmHits))
      this.state = 'confirmed';
  }

  miss(): void {
    this.seen = false;
    this.groundSeen = false;
    this.box = this.filter.box;
    if (this.state === 'confirmed') this.state = 'lost';
  }

  #vote(user: RoadUser): void {
    this.#votes.set(user.label, (this.#votes.get(user.label) ?? 0) + user.confidence);
  }

  #learnProportions(user: RoadUser): void {
    const rider = user.occupants[0];
    if (rider === undefined || !isTwoWheeler(user.label)) return;
    const riderHeight = rider.box[3] - rider.box[1];
    if (riderHeight <= 0) return;
    const ratio = (user.box[3] - rider.box[1]) / riderHeight;
    this.#heightPerRider =
      this.#heightPerRider === undefined
        ? ratio
        : this.#heightPerRider + PROPORTION_GAIN * (ratio - this.#heightPerRider);
  }

  snapshot(): Track {
    const { trackId, state, label, confidence, box, groundSeen, seen, occupants, firstSeenMs, lastSeenMs } =
      this;
    return { trackId, state, label, confidence, box, groundSeen, seen, occupants, firstSeenMs, lastSeenMs };
  }
}

/**
 * ByteTrack-like multi-object tracker: Kalman prediction over real time, optimal assignment on buffered IoU first of the
 * confident findings, then of the doubtful ones with what is left. Pure: time comes in with the findings.
 */
export class Tracker {
  readonly #options: TrackerOptions;
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

    const high = users.filter((user) => user.confidence >= this.#options.highConfidence);
    const low = users.filter((user) => user.confidence < this.#options.highConfidence);
    const first = this.#match(this.#tracks, high, MAX_DISTANCE_FIRST, nowMs);
    const second = this.#match(first.tracks, low, MAX_DISTANCE_SECOND, nowMs);
    for (const track of second.tracks) track.miss();
    this.#tracks = this.#tracks.filter((track) => this.#isAlive(track, nowMs));
    for (const user of first.users) {
      if (user.confidence < this.#options.newTrackConfidence) continue;
      this.#tracks.push(new LiveTrack(this.#nextId, user, nowMs));
      this.#nextId += 1;
    }
    return this.#tracks.map((track) => track.snapshot());
  }

  #isAlive(track: LiveTrack, nowMs: number): boolean {
    if (track.seen) return true;
    // a track that was never confirmed gets one short second chance
    const limit = track.state === 'tentative' ? this.#options.maxLostMs / 4 : this.#options.maxLostMs;
    return nowMs - track.lastSeenMs <= limit;
  }

  #match(
    tracks: readonly LiveTrack[],
    users: readonly RoadUser[],
    maxDistance: number,
    nowMs: number,
  ): { tracks: LiveTrack[]; users: RoadUser[] } {
    const cost = new Float64Array(tracks.length * users.length);
    tracks.forEach((track, row) => {
      const predicted = track.filter.box;
      const buffer = track.hasVelocity ? BUFFER : BUFFER_WITHOUT_VELOCITY;
      const expected = enlarge(predicted, buffer);
      users.forEach((user, column) => {
        const distance =
          group(track.label) === group(user.label)
            ? 1 - computeIou(expected, enlarge(track.complete(user), buffer))
            : Number.POSITIVE_INFINITY;
        cost[row * users.length + column] = distance;
      });
    });
    const columns = assignOptimally(cost, tracks.length, users.length, maxDistance);
    const taken = new Set<number>();
    const openTracks: LiveTrack[] = [];
    tracks.forEach((track, row) => {
      const column = columns[row] ?? -1;
      const user = users[column];
      if (user === undefined) {
        openTracks.push(track);
        return;
      }
      taken.add(column);
      track.update(user, nowMs, this.#options.confirmHits);
    });
    return { tracks: openTracks, users: users.filter((_, column) => !taken.has(column)) };
  }
}

function enlarge([x1, y1, x2, y2]: Box, share: number): Box {
  const dx = (x2 - x1) * share;
  const dy = (y2 - y1) * share;
  return [x1 - dx, y1 - dy, x2 + dx, y2 + dy];
}
