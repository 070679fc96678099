import { isTwoWheeler, type RoadUserLabel } from '@ngatu/contract';
import type { Box } from '../geometry/box.ts';
import { KalmanBox } from './kalman-box.ts';
import type { Occupant, RoadUser, Track, TrackState } from './track.ts';

/** How fast the learned proportions of rider and two-wheeler follow, share per observation. */
const PROPORTION_GAIN = 0.3;
/** A measured box counts this much in the estimate, the filter the rest. */
const MEASURED_SHARE = 0.5;
/** How much less a finding of confidence 0 says about the place than one of confidence 1, as a factor of its deviation − 1. */
const DOUBT_SIGMA = 0.4;
/** A velocity is known from this many sights on. */
const MIN_VELOCITY_HITS = 3;

/** A learned proportion after one more observation. */
function follow(known: number | undefined, observed: number): number {
  return known === undefined ? observed : known + PROPORTION_GAIN * (observed - known);
}

/** One road user while it is followed. The filter stands at the time of the last frame. */
export class LiveTrack {
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
  label: RoadUserLabel;
  occupants: readonly Occupant[];
  vehicleBox: Box | undefined;
  readonly #votes = new Map<RoadUserLabel, number>();
  /** Height of the whole road user over that of its rider, and over that of its vehicle; learned where both were found. */
  #heightPerRider: number | undefined;
  #heightPerVehicle: number | undefined;
  /** Height when the ground contact was last in sight, px: what is covered later is filled in from it. */
  #clearHeight: number | undefined;

  constructor(trackId: number, user: RoadUser, nowMs: number) {
    this.trackId = trackId;
    this.filter = new KalmanBox(user.box);
    this.firstSeenMs = nowMs;
    this.lastSeenMs = nowMs;
    this.confidence = user.confidence;
    this.box = user.box;
    this.groundSeen = !user.groundHidden && (user.vehicleBox !== undefined || user.label === 'person');
    this.occupants = user.occupants;
    this.vehicleBox = user.vehicleBox;
    this.label = user.label;
    if (!user.groundHidden) this.#clearHeight = this.filter.height;
    this.#vote(user);
    this.#learnProportions(user);
  }

  get hasVelocity(): boolean {
    return this.hits >= MIN_VELOCITY_HITS;
  }

  /** The most likely box: what was measured and what the motion says, weighed. */
  get estimate(): Box {
    if (!this.seen) return this.box;
    const [a, b] = [this.box, this.filter.box];
    const mix = (i: 0 | 1 | 2 | 3): number => MEASURED_SHARE * a[i] + (1 - MEASURED_SHARE) * b[i];
    return [mix(0), mix(1), mix(2), mix(3)];
  }

  /** The box that `user` would have if it were this track: what was not found is filled in from what is known. */
  complete(user: RoadUser): Box {
    const isTwo = isTwoWheeler(this.label);
    if (!isTwo && !user.groundHidden) return user.box;
    const [x1, y1, x2, y2] = user.box;
    if (user.groundHidden && this.hasVelocity && this.#clearHeight !== undefined) {
      // who rides away gets smaller, and a covered box never makes anybody taller
      const whole = Math.min(this.#clearHeight, this.filter.height);
      if (y2 - y1 < whole) return [x1, y1, x2, y1 + whole];
    }
    if (!isTwo) return user.box;
    if (user.label === 'person') {
      return this.#heightPerRider === undefined
        ? user.box
        : [x1, y1, x2, y1 + (y2 - y1) * this.#heightPerRider];
    }
    return user.occupants.length === 0 && this.#isRiderless(user)
      ? [x1, y2 - (y2 - y1) * (this.#heightPerVehicle ?? 1), x2, y2]
      : user.box;
  }

  /** A two-wheeler was found without its rider where it fits what is known better with one added. Its size stays its own: it may ride away. */
  #isRiderless({ box, holdsRiders }: RoadUser): boolean {
    if (holdsRiders === true || this.#heightPerVehicle === undefined) return false;
    const over = this.filter.height / (box[3] - box[1]);
    return over > Math.sqrt(this.#heightPerVehicle);
  }

  update(user: RoadUser, nowMs: number, confirmHits: number): void {
    const inferred = isTwoWheeler(this.label) && user.label === 'person';
    const box = this.complete(user);
    this.filter.update(box, inferred ? 3 : 1 + DOUBT_SIGMA * (1 - user.confidence));
    this.box = box;
    this.groundSeen = !inferred && !user.groundHidden;
    if (this.groundSeen) this.#clearHeight = this.filter.height;
    this.seen = true;
    this.confidence = user.confidence;
    this.occupants = inferred ? [{ box: user.box, confidence: user.confidence }] : user.occupants;
    this.vehicleBox = user.vehicleBox;
    this.lastSeenMs = nowMs;
    this.hits += 1;
    this.#vote(user);
    this.#learnProportions(user);
    if (this.state === 'lost' || (this.state === 'tentative' && this.hits >= confirmHits))
      this.state = 'confirmed';
  }

  miss(): void {
    this.seen = false;
    this.vehicleBox = undefined;
    this.groundSeen = false;
    this.box = this.filter.box;
    if (this.state === 'confirmed') this.state = 'lost';
  }

  snapshot(): Track {
    const { trackId, state, label, confidence, box, groundSeen, seen, occupants, firstSeenMs, lastSeenMs } =
      this;
    return {
      ...{ trackId, state, label, confidence, box, groundSeen, seen, occupants, firstSeenMs, lastSeenMs },
      ...(this.vehicleBox === undefined ? {} : { vehicleBox: this.vehicleBox }),
    };
  }

  #vote(user: RoadUser): void {
    this.#votes.set(user.label, (this.#votes.get(user.label) ?? 0) + user.confidence);
    this.label = this.#elect();
  }

  #elect(): RoadUserLabel {
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

  #learnProportions(user: RoadUser): void {
    const rider = user.occupants[0];
    if (rider === undefined || !isTwoWheeler(user.label)) return;
    const riderHeight = rider.box[3] - rider.box[1];
    if (riderHeight > 0)
      this.#heightPerRider = follow(this.#heightPerRider, (user.box[3] - rider.box[1]) / riderHeight);
    const { vehicleBox } = user;
    if (vehicleBox === undefined || user.holdsRiders === true) return;
    const vehicleHeight = vehicleBox[3] - vehicleBox[1];
    if (vehicleHeight > 0)
      this.#heightPerVehicle = follow(
        this.#heightPerVehicle,
        Math.max(1, (user.box[3] - user.box[1]) / vehicleHeight),
      );
  }
}
