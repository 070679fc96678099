import type { ForbiddenAreaRule as ForbiddenAreaParameters, Scene } from '@ngatu/contract';
import { computeGroundPoint, type Point } from '../geometry/box.ts';
import { computeBorderDistance, isInside } from '../geometry/polygon.ts';
import type { Track } from '../track/track.ts';
import { Cooldown } from './cooldown.ts';
import { formatSeconds, nameOf } from './explanation.ts';
import type { EventRule, Observation, RuleContext, RuleMatch } from './rule.ts';

/** Seen inside at least this often. */
const MIN_OBSERVATIONS = 3;
/** A ground point outside by less than this share of the box height is still inside: boxes jitter at the border. */
const HYSTERESIS_HEIGHTS = 0.08;
/** A box that touches the picture's edge within this share of the picture came into view there. */
const EDGE_SHARE = 0.02;

/** Since when a road user has been inside without a break. */
interface Stay {
  readonly entry: Observation;
  readonly newest: Observation;
  readonly sights: number;
  /** False where it was first seen in the middle of the zone. */
  readonly isEntrySeen: boolean;
}

/**
 * Forbidden area: the ground point entered the zone and stayed inside for `dwellMs`. Who is first seen in the middle of the
 * zone never fires, because when and whether it entered is not known; who comes into view at the picture's edge
 * entered there.
 */
export class ForbiddenAreaRule implements EventRule {
  readonly name: string;
  readonly horizonMs = 0;
  readonly #rule: ForbiddenAreaParameters;
  readonly #polygon: readonly Point[];
  readonly #cooldown: Cooldown;
  readonly #stays = new Map<number, { newest: Observation; stay: Stay | undefined }>();

  constructor(rule: ForbiddenAreaParameters, scene: Scene) {
    const zone = scene.zones.find(({ name }) => name === rule.zone);
    if (zone === undefined) throw new RangeError(`Scene "${scene.name}" has no zone "${rule.zone}"`);
    this.name = rule.name;
    this.#rule = rule;
    this.#polygon = zone.polygon;
    this.#cooldown = new Cooldown(rule.cooldownMs);
  }

  update(context: RuleContext): RuleMatch[] {
    const alive = new Set(context.tracks.map(({ trackId }) => trackId));
    for (const trackId of this.#stays.keys()) if (!alive.has(trackId)) this.#stays.delete(trackId);
    const tracks = context.tracks.filter(
      ({ seen, groundSeen, label }) => seen && groundSeen && this.#rule.labels.includes(label),
    );
    const stays = new Map(tracks.map((track) => [track.trackId, this.#follow(track, context)]));
    return this.#cooldown.judgeEach(tracks, context.frame.mediaTimeMs, (track) => {
      const stay = stays.get(track.trackId);
      return stay === undefined ? undefined : this.#judge(track, stay);
    });
  }

  #judge(track: Track, stay: Stay): RuleMatch | undefined {
    if (!stay.isEntrySeen || stay.sights < MIN_OBSERVATIONS) return undefined;
    const { entry, newest: now } = stay;
    if (!isInside(this.#polygon, computeGroundPoint(now.box))) return undefined;
    const dwellMs = now.frame.mediaTimeMs - entry.frame.mediaTimeMs;
    if (dwellMs < this.#rule.dwellMs) return undefined;
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

  /** Takes what was newly seen of a track; undefined while it is outside. The history is shorter than a stay may be. */
  #follow(track: Track, context: RuleContext): Stay | undefined {
    const known = this.#stays.get(track.trackId);
    const since = known?.newest.frame.mediaTimeMs ?? Number.NEGATIVE_INFINITY;
    let stay = known?.stay;
    let newest = known?.newest;
    for (const sight of context.history.of(track.trackId)) {
      if (!sight.groundSeen || sight.frame.mediaTimeMs <= since) continue;
      if (!this.#isStillInside(sight)) stay = undefined;
      else {
        const isEntrySeen = stay?.isEntrySeen ?? (newest !== undefined || isAtEdge(sight, context));
        stay = { entry: stay?.entry ?? sight, newest: sight, sights: (stay?.sights ?? 0) + 1, isEntrySeen };
      }
      newest = sight;
    }
    if (newest !== undefined) this.#stays.set(track.trackId, { newest, stay });
    return stay;
  }

  #isStillInside(observation: Observation): boolean {
    const point = computeGroundPoint(observation.box);
    if (isInside(this.#polygon, point)) return true;
    const height = observation.box[3] - observation.box[1];
    return computeBorderDistance(this.#polygon, point) <= HYSTERESIS_HEIGHTS * height;
  }
}

function isAtEdge({ box }: Observation, { pictureWidth, pictureHeight }: RuleContext): boolean {
  const dx = EDGE_SHARE * pictureWidth;
  const dy = EDGE_SHARE * pictureHeight;
  return box[0] <= dx || box[1] <= dy || box[2] >= pictureWidth - dx || box[3] >= pictureHeight - dy;
}
