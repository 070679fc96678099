import type { OverloadedRule as OverloadedParameters, Scene } from '@ngatu/contract';
import {
  type Box,
  computeArea,
  computeGroundPoint,
  computeIntersection,
  computeIou,
  type Point,
} from '../geometry/box.ts';
import type { Occupant, Track } from '../track/track.ts';
import { Cooldown } from './cooldown.ts';
import { nameOf } from './explanation.ts';
import type { EventRule, Observation, RuleContext, RuleMatch } from './rule.ts';
import { SequentialVote, type VoteOptions } from './sequential-vote.ts';
import { ToldMemory } from './told-memory.ts';
import { findZone, locateInZone } from './zone-position.ts';

/**
 * A legally loaded two-wheeler in free view shows one person too many in 15 % of its sights at most, an overloaded one in half of
 * them at least. Assumed, on the side of the road user; eight sights in a row decide.
 */
const VOTE: VoteOptions = { innocentShare: 0.15, guiltyShare: 0.5, alpha: 1e-4, spacingMs: 160 };
/** A person weaker than this is not counted. */
const MIN_CONFIDENCE = 0.3;
/** Two persons that overlap by more, or of which one lies in the other and is more than half of it, are one found twice. */
const SAME_PERSON_IOU = 0.7;
const SAME_PERSON_PART = 0.9;
/** Another road user that covers this share of the two-wheeler may lend it a rider. */
const CROWDED_SHARE = 0.05;
/** Who is nearer to the edge of the picture than this is not seen whole, px. */
const EDGE_PX = 2;
/** Seen from behind or before, who sits on it sits in one line. */
const NARROW_ASPECT = 0.85;
const MAX_SPREAD_WIDTHS = 0.6;
/** Those who stand beside it do not come along: travel while it is watched, in heights of its box. */
const MIN_TRAVEL_HEIGHTS = 1;

interface Ride {
  readonly vote: SequentialVote;
  readonly start: Observation;
  /** The newest sight with too many on it. */
  decisive: Observation | undefined;
  most: number;
}

/**
 * Overloaded: more people than allowed sit on a two-wheeler. Every free sight is a vote; a sequential test decides. Sights in a
 * crowd are no votes.
 *
 * ```
 *    o o o            ┌──┐┌──┐
 *   ┌──────┐   vote   │o ││o │  no vote: the boxes overlap,
 *   │ bike │          │ bi│ke│  whose rider is whose?
 *   └──────┘          └──┘└──┘
 * ```
 */
export class OverloadedRule implements EventRule {
  readonly name: string;
  readonly horizonMs = 0;
  readonly #rule: OverloadedParameters;
  readonly #polygon: readonly Point[] | undefined;
  readonly #cooldown: Cooldown;
  readonly #rides = new Map<number, Ride>();
  readonly #told = new ToldMemory();

  constructor(rule: OverloadedParameters, scene: Scene) {
    this.name = rule.name;
    this.#rule = rule;
    this.#polygon = rule.zone === undefined ? undefined : findZone(scene, rule.zone);
    this.#cooldown = new Cooldown(rule.cooldownMs);
  }

  update(context: RuleContext): RuleMatch[] {
    const alive = new Set(context.tracks.map(({ trackId }) => trackId));
    for (const trackId of this.#rides.keys()) if (!alive.has(trackId)) this.#rides.delete(trackId);
    this.#told.update(context);
    const tracks = context.tracks.filter(
      ({ trackId, seen, label }) => seen && this.#rule.labels.includes(label) && !this.#told.has(trackId),
    );
    return this.#cooldown.judgeEach(tracks, context.frame.mediaTimeMs, (track) =>
      this.#judge(track, context),
    );
  }

  #judge(track: Track, context: RuleContext): RuleMatch | undefined {
    const observation = context.history.of(track.trackId).at(-1);
    if (observation === undefined || !this.#isFreeSight(track, context)) return undefined;
    const ride = this.#rides.get(track.trackId) ?? {
      vote: new SequentialVote(VOTE),
      start: observation,
      decisive: undefined,
      most: 0,
    };
    this.#rides.set(track.trackId, ride);
    const count = countPersons(track.occupants);
    const isOver = count > this.#rule.maxOccupants;
    if (!ride.vote.add(isOver, context.frame.mediaTimeMs) || !isOver) return undefined;
    ride.decisive = observation;
    ride.most = Math.max(ride.most, count);
    if (!ride.vote.isDecided || !hasTravelled(ride.start, observation)) return undefined;
    this.#told.tell(track, context.frame.mediaTimeMs);
    return this.#explain(track, ride, observation);
  }

  #explain(track: Track, { vote, most }: Ride, observation: Observation): RuleMatch {
    const who = nameOf(track.label);
    const { maxOccupants } = this.#rule;
    return {
      rule: this.name,
      kind: 'OVERLOADED',
      trackId: track.trackId,
      label: track.label,
      observation,
      alternatives: [],
      measures: {
        occupantsMost: most,
        occupantsAllowed: maxOccupants,
        sightsFree: vote.votes,
        sightsOver: vote.votesFor,
      },
      explanation: {
        vi: `${who.vi} (số hiệu ${track.trackId}) chở quá số người: thấy hơn ${maxOccupants} người trên xe trong ${vote.votesFor}/${vote.votes} lần quan sát không bị che khuất, nhiều nhất ${most} người.`,
        en: `${who.en} (track ${track.trackId}) carries too many people: more than ${maxOccupants} on it in ${vote.votesFor} of ${vote.votes} unobstructed sights, ${most} at most.`,
      },
    };
  }

  /** It is seen whole, and nobody else's rider can be taken for one of this. */
  #isFreeSight(track: Track, { tracks, pictureWidth, pictureHeight }: RuleContext): boolean {
    const [x1, y1, x2, y2] = track.box;
    if (Math.min(x1, y1, pictureWidth - x2, pictureHeight - y2) < EDGE_PX) return false;
    if (this.#polygon !== undefined && locateInZone(this.#polygon, track.box) !== 'surely') return false;
    if (isSpreadSideways(track)) return false;
    const area = computeArea(track.box);
    return tracks.every(
      (other) =>
        other.trackId === track.trackId || computeIntersection(other.box, track.box) < CROWDED_SHARE * area,
    );
  }
}

/** How many different persons the boxes show. */
function countPersons(occupants: readonly Occupant[]): number {
  const kept: Box[] = [];
  const sorted = occupants.filter(({ confidence }) => confidence >= MIN_CONFIDENCE);
  sorted.sort((a, b) => b.confidence - a.confidence);
  for (const { box } of sorted) if (!kept.some((other) => areSamePerson(other, box))) kept.push(box);
  return kept.length;
}

function areSamePerson(a: Box, b: Box): boolean {
  if (computeIou(a, b) >= SAME_PERSON_IOU) return true;
  const [smaller, larger] = [computeArea(a), computeArea(b)].sort((x, y) => x - y) as [number, number];
  return smaller > 0.5 * larger && computeIntersection(a, b) >= SAME_PERSON_PART * smaller;
}

function isSpreadSideways({ box, occupants }: Track): boolean {
  if ((box[2] - box[0]) / (box[3] - box[1]) >= NARROW_ASPECT || occupants.length < 2) return false;
  const centres = occupants.map(({ box: [x1, , x2] }) => (x1 + x2) / 2);
  const width = occupants.reduce((sum, { box: [x1, , x2] }) => sum + x2 - x1, 0) / occupants.length;
  return Math.max(...centres) - Math.min(...centres) > MAX_SPREAD_WIDTHS * width;
}

function hasTravelled(from: Observation, to: Observation): boolean {
  const [x1, y1] = computeGroundPoint(from.box);
  const [x2, y2] = computeGroundPoint(to.box);
  return Math.hypot(x2 - x1, y2 - y1) >= MIN_TRAVEL_HEIGHTS * (to.box[3] - to.box[1]);
}
