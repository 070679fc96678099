import type { OverloadedRule as OverloadedParameters, Scene } from '@ngatu/contract';
import { computeGroundPoint, type Point } from '../geometry/box.ts';
import type { Track } from '../track/track.ts';
import { Cooldown } from './cooldown.ts';
import { nameOf } from './explanation.ts';
import { isFreeSight, judgeBoxes, judgeShares, type LoadSight } from './overloaded-sight.ts';
import type { EventRule, Observation, RuleContext, RuleMatch } from './rule.ts';
import { SequentialVote, type VoteOptions } from './sequential-vote.ts';
import { ToldMemory } from './told-memory.ts';
import { findZone, locateInZone } from './zone-position.ts';

/**
 * By boxes of people a legally loaded two-wheeler in free view shows one person too many in 15 % of its sights at most, an overloaded one in half
 * of them at least. Assumed, on the side of the road user; eight sights in a row decide.
 */
const BOX_VOTE: VoteOptions = { innocentShare: 0.15, guiltyShare: 0.5, alpha: 1e-4, spacingMs: 160 };
/** By a network in 5 % at most (measured: 17 of 759 single sights, 3.6 % at the upper end of the interval), and in 40 % at least: five in a row. */
const NETWORK_VOTE: VoteOptions = { ...BOX_VOTE, innocentShare: 0.05, guiltyShare: 0.4 };
/** Those who stand beside it do not come along: travel while it is watched, in heights of its box. */
const MIN_TRAVEL_HEIGHTS = 1;

/** A network tells three and more from fewer, not four from three. */
const MOST_COUNTED = 3;

interface Ride {
  readonly vote: SequentialVote;
  readonly start: Observation;
  most: number;
}

/**
 * Overloaded: more people than allowed sit on a two-wheeler. Every free sight is a vote; a sequential test decides. Sights in a
 * crowd are no votes. Who rides on it is counted by a network where one serves, else by the boxes of people.
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
    const sight = this.#judgeLoad(track, context);
    if (sight === undefined) return undefined;
    const ride = this.#rides.get(track.trackId) ?? {
      vote: new SequentialVote(this.#isCounted(context) ? NETWORK_VOTE : BOX_VOTE),
      start: observation,
      most: 0,
    };
    this.#rides.set(track.trackId, ride);
    if (!ride.vote.add(sight.isOver, context.frame.mediaTimeMs) || !sight.isOver) return undefined;
    ride.most = Math.max(ride.most, sight.people);
    if (!ride.vote.isDecided || !hasTravelled(ride.start, observation)) return undefined;
    this.#told.tell(track, context.frame.mediaTimeMs);
    return this.#explain(track, ride, observation);
  }

  #isCounted({ occupants }: RuleContext): boolean {
    return occupants !== undefined && this.#rule.maxOccupants < MOST_COUNTED;
  }

  /** By the network where one counts: what it did not look at says nothing. */
  #judgeLoad({ trackId, occupants }: Track, context: RuleContext): LoadSight | undefined {
    const { maxOccupants } = this.#rule;
    if (!this.#isCounted(context)) return judgeBoxes(occupants, maxOccupants);
    const shares = context.occupants?.get(trackId);
    return shares === undefined ? undefined : judgeShares(shares, maxOccupants);
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
        vi: `${who.vi} (số hiệu ${track.trackId}) chở quá số người: thấy hơn ${maxOccupants} người trên xe trong ${vote.votesFor}/${vote.votes} lần quan sát không bị che khuất, cùng lúc từ ${most} người trở lên.`,
        en: `${who.en} (track ${track.trackId}) carries too many people: more than ${maxOccupants} on it in ${vote.votesFor} of ${vote.votes} unobstructed sights, ${most} or more at once.`,
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
