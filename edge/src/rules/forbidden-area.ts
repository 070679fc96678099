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

  constructor(rule: ForbiddenAreaParameters, scene: Scene) {
    const zone = scene.zones.find(({ name }) => name === rule.zone);
    if (zone === undefined) throw new RangeError(`Scene "${scene.name}" has no zone "${rule.zone}"`);
    this.name = rule.name;
    this.#rule = rule;
    this.#polygon = zone.polygon;
    this.#cooldown = new Cooldown(rule.cooldownMs);
  }

  update(context: RuleContext): RuleMatch[] {
    const matches: RuleMatch[] = [];
    for (const track of context.tracks) {
      if (!track.seen || !track.groundSeen || !this.#rule.labels.includes(track.label)) continue;
      if (this.#cooldown.isCooling(track.trackId, context.frame.mediaTimeMs)) continue;
      const match = this.#judge(track, context);
      if (match === undefined) continue;
      this.#cooldown.start(track.trackId, context.frame.mediaTimeMs);
      matches.push(match);
    }
    return matches;
  }

  #judge(track: Track, context: RuleContext): RuleMatch | undefined {
    const observations = context.history.of(track.trackId).filter((o) => o.groundSeen);
    let from = observations.length;
    while (from > 0 && this.#isStillInside(observations[from - 1] as Observation)) from -= 1;
    const inside = observations.slice(from);
    const entry = inside[0];
    const now = inside.at(-1);
    if (entry === undefined || now === undefined || inside.length < MIN_OBSERVATIONS) return undefined;
    if (!isInside(this.#polygon, computeGroundPoint(now.box))) return undefined;
    const dwellMs = now.frame.mediaTimeMs - entry.frame.mediaTimeMs;
    if (dwellMs < this.#rule.dwellMs) return undefined;
    if (from === 0 && !isAtEdge(entry, context)) return undefined;
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
