import type { OverloadedRule as OverloadedParameters, Scene } from '@ngatu/contract';
import { computeGroundPoint, type Point } from '../geometry/box.ts';
import type { Track } from '../track/track.ts';
import { Cooldown } from './cooldown.ts';
import { nameOf } from './explanation.ts';
import { countOccupants, isFreeSight } from './overloaded-sight.ts';
import type { EventRule, Observation, RuleContext, RuleMatch } from './rule.ts';
import { SequentialVote, type VoteOptions } from './sequential-vote.ts';
import { ToldMemory } from './told-memory.ts';
import { findZone, locateInZone } from './zone-position.ts';

/**
 * A legally loaded two-wheeler in free view shows one person too many in 15 % of its sights at most, an overloaded one in half of
 * them at least. Assumed, on the side of the road user; eight sights in a row decide.
 */
const VOTE: VoteOptions = { innocentShare: 0.15, guiltyShare: 0.5, alpha: 1e-4, spacingMs: 160 };
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
    const count = countOccupants(track.occupants);
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

  #isFreeSight(track: Track, { tracks, pictureWidth, pictureHeight }: RuleContext): boolean {
    if (this.#polygon !== undefined && locateInZone(this.#polygon, track.box) !== 'surely') return false;
    const others = tracks.filter(({ trackId }) => trackId !== track.trackId).map(({ box }) => box);
    return isFreeSight(track, others, { width: pictureWidth, height: pictureHeight });
  }
}

function hasTravelled(from: Observation, to: Observation): boolean {
  const [x1, y1] = computeGroundPoint(from.box);
  const [x2, y2] = computeGroundPoint(to.box);
  return Math.hypot(x2 - x1, y2 - y1) >= MIN_TRAVEL_HEIGHTS * (to.box[3] - to.box[1]);
}
