import type { NoHelmetRule as NoHelmetParameters, Scene } from '@ngatu/contract';
import type { Box, Point } from '../geometry/box.ts';
import type { Track } from '../track/track.ts';
import { Cooldown } from './cooldown.ts';
import { nameOf } from './explanation.ts';
import type { EventRule, HeadFinding, RuleBlock, RuleContext, RuleMatch } from './rule.ts';
import { SequentialVote, type VoteOptions } from './sequential-vote.ts';
import { ToldMemory } from './told-memory.ts';
import { findZone, locateInZone } from './zone-position.ts';

/**
 * Of the clear readings of a helmet 30 % say bare at most, of those of a bare head 70 % at least. On a set of photos that the network never saw 26 % of
 * the clear readings of helmets said bare (158 of 598; docs/helmets.md).
 */
const VOTE: VoteOptions = { innocentShare: 0.3, guiltyShare: 0.7, alpha: 1e-3, spacingMs: 120 };
/** A doubtful reading is no vote, 0–1. */
export const MIN_HEAD_CONFIDENCE = 0.8;
/** A head is the same as before where its middle lies this near, as a share of the road user's box. */
const SAME_HEAD_SHARE = 0.15;
/** A head's place within the box follows slowly. */
const FOLLOW_GAIN = 0.3;

/** One head on a two-wheeler: its middle relative to the box of the road user, 0–1. */
interface Head {
  place: Point;
  readonly vote: SequentialVote;
}

/**
 * No helmet: one and the same head on a two-wheeler was read bare often enough, against readings that say otherwise. Heads are
 * told apart by where they are on the two-wheeler. One two-wheeler is one case, with the number of bare heads.
 *
 * ```
 *     (1)(2)      head 1: bare bare bare bare → case
 *   ┌────────┐    head 2: helmet helmet bare helmet
 *   │  bike  │
 *   └────────┘
 * ```
 */
export class NoHelmetRule implements EventRule {
  readonly name: string;
  readonly horizonMs = 0;
  readonly #rule: NoHelmetParameters;
  readonly #polygon: readonly Point[] | undefined;
  readonly #cooldown: Cooldown;
  readonly #heads = new Map<number, Head[]>();
  readonly #told = new ToldMemory();
  #blockedBy: RuleBlock | undefined = 'head-model-missing';

  constructor(rule: NoHelmetParameters, scene: Scene) {
    this.name = rule.name;
    this.#rule = rule;
    this.#polygon = rule.zone === undefined ? undefined : findZone(scene, rule.zone);
    this.#cooldown = new Cooldown(rule.cooldownMs);
  }

  /** Blocked until frames come with heads; that no head was found in a frame is no block. */
  get blockedBy(): RuleBlock | undefined {
    return this.#blockedBy;
  }

  update(context: RuleContext): RuleMatch[] {
    const { heads } = context;
    this.#blockedBy = heads === undefined ? 'head-model-missing' : undefined;
    if (heads === undefined) return [];
    const alive = new Set(context.tracks.map(({ trackId }) => trackId));
    for (const trackId of this.#heads.keys()) if (!alive.has(trackId)) this.#heads.delete(trackId);
    this.#told.update(context);
    const tracks = context.tracks.filter(
      (track) => track.seen && this.#rule.labels.includes(track.label) && !this.#told.has(track.trackId),
    );
    return this.#cooldown.judgeEach(tracks, context.frame.mediaTimeMs, (track) =>
      this.#judge(track, heads.get(track.trackId) ?? [], context),
    );
  }

  #judge(track: Track, findings: readonly HeadFinding[], context: RuleContext): RuleMatch | undefined {
    if (this.#polygon !== undefined && locateInZone(this.#polygon, track.box) !== 'surely') return undefined;
    const heads = this.#heads.get(track.trackId) ?? [];
    this.#heads.set(track.trackId, heads);
    this.#assign(heads, track.box, findings, context.frame.mediaTimeMs);
    const bare = heads.filter(({ vote }) => vote.isDecided && vote.votesFor >= this.#rule.minSights);
    const observation = context.history.of(track.trackId).at(-1);
    const [first] = bare;
    if (first === undefined || observation === undefined) return undefined;
    this.#told.tell(track, context.frame.mediaTimeMs);
    const who = nameOf(track.label);
    const { vote } = first;
    return {
      rule: this.name,
      kind: 'NO_HELMET',
      trackId: track.trackId,
      label: track.label,
      observation,
      alternatives: [],
      measures: { bareHeads: bare.length, sightsBare: vote.votesFor, sightsRead: vote.votes },
      explanation: {
        vi: `Người trên ${who.vi.toLowerCase()} (số hiệu ${track.trackId}) không đội mũ bảo hiểm: đầu trần trong ${vote.votesFor}/${vote.votes} lần đọc rõ, tại cùng một vị trí trên xe. Chức năng thử nghiệm: cần người kiểm tra.`,
        en: `Somebody on a ${who.en.toLowerCase()} (track ${track.trackId}) wears no helmet: the same head was read bare in ${vote.votesFor} of ${vote.votes} clear sights. Experimental: human check needed.`,
      },
    };
  }

  /** Gives each finding to the nearest head that was not seen in this frame yet; else it is a new head. */
  #assign(heads: Head[], box: Box, findings: readonly HeadFinding[], nowMs: number): void {
    const free = new Set(heads);
    for (const { box: head, state, confidence } of findings) {
      if (confidence < MIN_HEAD_CONFIDENCE) continue;
      const place = toRelative(head, box);
      let nearest: Head | undefined;
      for (const candidate of free) {
        if (distance(candidate.place, place) > SAME_HEAD_SHARE) continue;
        if (nearest === undefined || distance(candidate.place, place) < distance(nearest.place, place)) {
          nearest = candidate;
        }
      }
      if (nearest === undefined) {
        nearest = { place, vote: new SequentialVote(VOTE) };
        heads.push(nearest);
      }
      free.delete(nearest);
      const [x, y] = nearest.place;
      nearest.place = [x + FOLLOW_GAIN * (place[0] - x), y + FOLLOW_GAIN * (place[1] - y)];
      nearest.vote.add(state === 'bare', nowMs);
    }
  }
}

function toRelative(head: Box, box: Box): Point {
  const width = Math.max(1, box[2] - box[0]);
  const height = Math.max(1, box[3] - box[1]);
  return [((head[0] + head[2]) / 2 - box[0]) / width, ((head[1] + head[3]) / 2 - box[1]) / height];
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
