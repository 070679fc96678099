import type { Scene, StopParkRule as StopParkParameters } from '@ngatu/contract';
import { computeGroundPoint, type Point } from '../geometry/box.ts';
import { computeSignedDistance } from '../geometry/polygon.ts';
import type { Track } from '../track/track.ts';
import { Cooldown } from './cooldown.ts';
import { formatSeconds, nameOf } from './explanation.ts';
import { CENTRE, computeEdgeError, computeGroundOutline, measureParts } from './ground-outline.ts';
import { isSameVehicle, type Place } from './place.ts';
import { PlaceMemory } from './place-memory.ts';
import type { EventRule, RememberedPlace, RuleContext, RuleMatch } from './rule.ts';
import { StandingGauge } from './standing-gauge.ts';
import { findZone, locateInZone } from './zone-position.ts';

/** A neighbour that stands longer than any red light is no queue but parked as well, ms. */
const MAX_QUEUE_MS = 180_000;
/** A neighbour stands within so many box sizes, from middle to middle. */
const NEIGHBOUR_WIDTHS = 1.8;
const NEIGHBOUR_HEIGHTS = 1.5;

/**
 * Stopping and parking: a vehicle stands inside the zone for `standMs`. What stands is a place, not a track: it outlives
 * occlusion, missed findings and other ids, and is one case until it is seen empty.
 *
 * ```
 *   arrives      stands: time counts, but not in a queue          leaves
 *   ──────▶ ┌──────┐──────────────┬───────────────────────┬──────▶
 *           │ place│   standMs → one case     (told: nothing)   empty: forgotten
 *           └──────┘
 * ```
 */
export class StopParkRule implements EventRule {
  readonly name: string;
  readonly horizonMs = 0;
  readonly #rule: StopParkParameters;
  readonly #polygon: readonly Point[];
  readonly #gauge = new StandingGauge();
  readonly #memory = new PlaceMemory(this.#gauge);
  readonly #cooldown: Cooldown;
  readonly #depressionDeg: number;

  constructor(rule: StopParkParameters, scene: Scene) {
    this.name = rule.name;
    this.#rule = rule;
    this.#polygon = findZone(scene, rule.zone);
    this.#depressionDeg = scene.view.depressionDeg;
    this.#cooldown = new Cooldown(rule.cooldownMs);
  }

  remember(): readonly RememberedPlace[] {
    return this.#memory.places.flatMap(({ isTold, box, label, lastSeenAtMs }) =>
      isTold ? [{ box, label, lastSeenAtMs }] : [],
    );
  }

  recall(places: readonly RememberedPlace[]): void {
    this.#memory.recall(places);
  }

  update(context: RuleContext): RuleMatch[] {
    this.#gauge.update(context);
    this.#memory.update(context);
    const nowMs = context.frame.mediaTimeMs;
    const { places } = this.#memory;
    for (const place of places) place.count(this.#rule.queueExempt && isInQueue(place, places, nowMs));
    const due = new Map<number, Place>();
    for (const place of places) {
      if (place.isTold || !place.isSeenAt(nowMs)) continue;
      if (place.countedMs >= this.#rule.standMs) due.set(place.trackId, place);
    }
    const tracks = context.tracks.filter(
      ({ trackId, seen, groundSeen }) => seen && groundSeen && due.has(trackId),
    );
    return this.#cooldown.judgeEach(tracks, nowMs, (track) => {
      const place = due.get(track.trackId);
      return place === undefined ? undefined : this.#judge(track, place, context);
    });
  }

  /** The middle of its ground is inside by more than its error; where nobody knows how it stands, its lower edge is. */
  #isSurelyInside({ box, label, heading }: Place): boolean {
    const outline =
      heading && computeGroundOutline(label, box, { depressionDeg: this.#depressionDeg, heading });
    if (outline === undefined) return locateInZone(this.#polygon, box) === 'surely';
    const edgeErrorPx = computeEdgeError(box);
    const [middle] = measureParts(outline, CENTRE, {
      distanceOf: (point) => computeSignedDistance(this.#polygon, point),
      sideErrorPx: edgeErrorPx,
      depthErrorPx: edgeErrorPx,
    });
    return middle !== undefined && middle.distance > middle.error;
  }

  #judge(track: Track, place: Place, context: RuleContext): RuleMatch | undefined {
    if (!this.#rule.labels.includes(place.label)) return undefined;
    if (!this.#isSurelyInside(place)) return undefined;
    const observation = context.history.of(track.trackId).at(-1);
    if (observation === undefined || observation.frame.index !== context.frame.index) return undefined;
    place.isTold = true;
    if (this.#memory.places.some((other) => other !== place && other.isTold && isSameVehicle(other, place))) {
      return undefined;
    }
    const who = nameOf(place.label);
    const stood = formatSeconds(place.countedMs);
    const queued = formatSeconds(place.exemptMs);
    const from = place.arrivalSeen
      ? { vi: '', en: '' }
      : {
          vi: ' Xe đã đứng ở đó khi camera bắt đầu thấy.',
          en: ' It stood there already when it was first seen.',
        };
    return {
      rule: this.name,
      kind: 'STOP_PARK',
      trackId: track.trackId,
      label: place.label,
      observation,
      alternatives: [],
      measures: {
        standingMs: Math.round(place.countedMs),
        queuedMs: Math.round(place.exemptMs),
        hiddenMs: Math.round(place.hiddenMs),
        stoodSinceMediaMs: Math.round(place.sinceMs),
      },
      explanation: {
        vi: `${who.vi} (số hiệu ${track.trackId}) đứng yên trong khu vực cấm dừng, đỗ "${this.#rule.zone}" ít nhất ${stood.vi} giây, không kể ${queued.vi} giây chờ trong hàng xe.${from.vi}`,
        en: `${who.en} (track ${track.trackId}) stood in no-stopping zone "${this.#rule.zone}" for at least ${stood.en} s, not counting ${queued.en} s in a queue.${from.en}`,
      },
    };
  }
}

/**
 * True where somebody beside it stands too, and not for longer than a light is red. A queue comes: what stood there already before
 * this one came to stand (parked cars, things that are taken for vehicles) is none. Where its own arrival was not seen, nobody knows.
 */
function isInQueue(place: Place, places: readonly Place[], nowMs: number): boolean {
  const [x, y] = computeGroundPoint(place.box);
  return places.some((other) => {
    if (other === place || other.isTold || !other.isInSight(nowMs)) return false;
    if (place.arrivalSeen && !other.arrivalSeen) return false;
    if (nowMs - other.sinceMs > MAX_QUEUE_MS || isSameVehicle(other, place)) return false;
    const [ox, oy] = computeGroundPoint(other.box);
    const width = (place.box[2] - place.box[0] + other.box[2] - other.box[0]) / 2;
    const height = (place.box[3] - place.box[1] + other.box[3] - other.box[1]) / 2;
    return Math.abs(ox - x) <= NEIGHBOUR_WIDTHS * width && Math.abs(oy - y) <= NEIGHBOUR_HEIGHTS * height;
  });
}
