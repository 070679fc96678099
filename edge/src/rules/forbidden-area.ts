import type { ForbiddenAreaRule as ForbiddenAreaParameters, Scene } from '@ngatu/contract';
import type { Box, Point } from '../geometry/box.ts';
import type { Track } from '../track/track.ts';
import { formatSeconds, nameOf } from './explanation.ts';
import { ManoeuvreMemory } from './manoeuvre-memory.ts';
import type { EventRule, Observation, RuleContext, RuleMatch } from './rule.ts';
import { movedAsWhole } from './stop-line-position.ts';
import { findZone, locateInZone } from './zone-position.ts';

/** Seen surely inside at least this often, and in at least this share of the sights of the stay. */
const MIN_SURE_SIGHTS = 3;
const MIN_SURE_SHARE = 0.5;
/** A box that touches the picture's edge within this share of the picture came into view there. */
const EDGE_SHARE = 0.02;

/** How fast the mean boxes follow, share per second. */
const MEAN_GAIN_PER_S = 4;

/** Since when a road user has been inside without a break. */
interface Stay {
  /** First sight surely inside. */
  readonly entry: Observation;
  readonly sights: number;
  readonly sureSights: number;
  readonly mean: Box;
}

/** What is known of one road user. */
interface Follow {
  lastMs: number;
  newest: Observation;
  /** Mean box of the newest sights outside; undefined until it was seen there. */
  outside: Box | undefined;
  stay: Stay | undefined;
  isTold: boolean;
  /** It came into view at the edge of the picture. */
  readonly cameFromEdge: boolean;
}

/**
 * Forbidden area: the ground contact entered the zone, by more than its error, and stayed inside for `dwellMs`. Who is first seen in
 * the middle of the zone never fires, because when and whether it entered is not known; who comes into view at the picture's
 * edge entered there. One stay is one case.
 *
 * ```
 *   outside │ ± error │ surely inside ───── dwellMs ─────▶ case
 *           ┆ border  ┆
 *           └ leaves when outside by more than 8 % of the height
 * ```
 */
export class ForbiddenAreaRule implements EventRule {
  readonly name: string;
  readonly horizonMs = 0;
  readonly #rule: ForbiddenAreaParameters;
  readonly #polygon: readonly Point[];
  readonly #memory: ManoeuvreMemory;
  readonly #follows = new Map<number, Follow>();

  constructor(rule: ForbiddenAreaParameters, scene: Scene) {
    this.name = rule.name;
    this.#rule = rule;
    this.#polygon = findZone(scene, rule.zone);
    this.#memory = new ManoeuvreMemory(rule.cooldownMs);
  }

  update(context: RuleContext): RuleMatch[] {
    const alive = new Set(context.tracks.map(({ trackId }) => trackId));
    for (const trackId of this.#follows.keys()) if (!alive.has(trackId)) this.#follows.delete(trackId);
    const tracks = context.tracks.filter(
      ({ seen, groundSeen, label }) => seen && groundSeen && this.#rule.labels.includes(label),
    );
    for (const { trackId } of tracks) {
      for (const sight of context.history.of(trackId)) this.#follow(trackId, sight, context);
    }
    this.#memory.follow(context);
    return tracks.flatMap((track) => this.#memory.tell(track, context, () => this.#judge(track)));
  }

  #judge(track: Track): RuleMatch | undefined {
    const follow = this.#follows.get(track.trackId);
    if (follow?.stay === undefined || follow.isTold) return undefined;
    const { newest: now, outside, cameFromEdge } = follow;
    const { entry, sights, sureSights, mean } = follow.stay;
    // where something hides its feet the lower edge alone jumps into the zone
    const hasEntered =
      outside === undefined ? cameFromEdge : movedAsWhole({ ...now, box: outside }, { ...now, box: mean });
    if (!hasEntered || sureSights < MIN_SURE_SIGHTS || sureSights < MIN_SURE_SHARE * sights) return undefined;
    if (locateInZone(this.#polygon, now.box) !== 'surely') return undefined;
    const dwellMs = now.frame.mediaTimeMs - entry.frame.mediaTimeMs;
    if (dwellMs < this.#rule.dwellMs) return undefined;
    follow.isTold = true;
    const who = nameOf(track.label);
    const seconds = formatSeconds(dwellMs);
    return {
      rule: this.name,
      kind: 'FORBIDDEN_AREA',
      trackId: track.trackId,
      label: track.label,
      observation: now,
      alternatives: [],
      measures: { dwellMs: Math.round(dwellMs), enteredAtMediaMs: Math.round(entry.frame.mediaTimeMs) },
      explanation: {
        vi: `${who.vi} (số hiệu ${track.trackId}) đi vào khu vực cấm "${this.#rule.zone}" và ở trong đó ${seconds.vi} giây.`,
        en: `${who.en} (track ${track.trackId}) entered forbidden area "${this.#rule.zone}" and stayed for ${seconds.en} s.`,
      },
    };
  }

  /** Takes a sight that is new. The history is shorter than a stay may be. */
  #follow(trackId: number, sight: Observation, context: RuleContext): void {
    const known = this.#follows.get(trackId);
    const nowMs = sight.frame.mediaTimeMs;
    if (!sight.groundSeen || nowMs <= (known?.lastMs ?? Number.NEGATIVE_INFINITY)) return;
    const follow: Follow = known ?? {
      lastMs: nowMs,
      newest: sight,
      outside: undefined,
      stay: undefined,
      isTold: false,
      cameFromEdge: isAtEdge(sight, context),
    };
    this.#follows.set(trackId, follow);
    const gain = Math.min(1, (MEAN_GAIN_PER_S * (nowMs - follow.lastMs)) / 1000);
    const position = locateInZone(this.#polygon, sight.box);
    const isSure = position === 'surely';
    if (position === 'outside' || (position === 'near' && follow.stay === undefined)) {
      follow.outside = mix(follow.outside ?? sight.box, sight.box, gain);
      follow.stay = undefined;
      if (position === 'outside') follow.isTold = false;
    } else if (follow.stay !== undefined) {
      const { entry, sights, sureSights, mean } = follow.stay;
      follow.stay = {
        entry,
        sights: sights + 1,
        sureSights: sureSights + (isSure ? 1 : 0),
        mean: mix(mean, sight.box, gain),
      };
    } else if (isSure) follow.stay = { entry: sight, sights: 1, sureSights: 1, mean: sight.box };
    follow.lastMs = nowMs;
    follow.newest = sight;
  }
}

function mix(from: Box, to: Box, share: number): Box {
  const at = (i: 0 | 1 | 2 | 3): number => from[i] + share * (to[i] - from[i]);
  return [at(0), at(1), at(2), at(3)];
}

function isAtEdge({ box }: Observation, { pictureWidth, pictureHeight }: RuleContext): boolean {
  const dx = EDGE_SHARE * pictureWidth;
  const dy = EDGE_SHARE * pictureHeight;
  return box[0] <= dx || box[1] <= dy || box[2] >= pictureWidth - dx || box[3] >= pictureHeight - dy;
}
