import { createHash } from 'node:crypto';
import type { Event, Scene } from '@ngatu/contract';
import type { ModelIdentity } from '../detect/detection.ts';
import { type Box, computeGroundPoint } from '../geometry/box.ts';
import type { RuleMatch } from '../rules/rule.ts';

/** What stays the same for all events of one session of a camera. */
export interface EventOrigin {
  readonly site: string;
  readonly node: string;
  readonly camera: string;
  readonly session: string;
  readonly sourceWidth: number;
  readonly sourceHeight: number;
  readonly clockErrorMs: number;
  readonly model: ModelIdentity;
  readonly scene: Scene;
  readonly sceneSha256: string;
}

/** Fractions on the wire keep this many decimals: a tenth of a pixel at 1,000 px. */
const FRACTION_DIGITS = 4;

/**
 * Makes the wire event of a rule match. Its id is derived from camera, rule, and instant and place of the decisive moment
 * (DESIGN invariant 2); `detectedAt` is left to the caller, whose clock it is.
 */
export function buildEvent(match: RuleMatch, origin: Omit<EventOrigin, 'scene'>): Event {
  const { observation } = match;
  const [groundX, groundY] = computeGroundPoint(observation.box);
  const capturedAt = new Date(Math.round(observation.frame.capturedAtMs)).toISOString();
  return {
    schemaVersion: 1,
    eventId: buildEventId([
      origin.site,
      origin.node,
      origin.camera,
      match.rule,
      capturedAt,
      groundX.toFixed(0),
      groundY.toFixed(0),
    ]),
    kind: match.kind,
    site: origin.site,
    node: origin.node,
    camera: origin.camera,
    rule: match.rule,
    capturedAt,
    clockErrorMs: Math.round(origin.clockErrorMs),
    frame: {
      session: origin.session,
      index: observation.frame.index,
      mediaTimeMs: round(observation.frame.mediaTimeMs, 3),
      width: origin.sourceWidth,
      height: origin.sourceHeight,
    },
    model: { name: origin.model.name, sha256: origin.model.sha256 },
    sceneSha256: origin.sceneSha256,
    subject: {
      trackId: match.trackId,
      label: match.label,
      confidence: round(observation.confidence, 3),
      box: toFractions(observation.box, origin),
      groundPoint: [toFraction(groundX, origin.sourceWidth), toFraction(groundY, origin.sourceHeight)],
      occupants: observation.occupants.map(({ box, confidence }) => ({
        box: toFractions(box, origin),
        confidence: round(confidence, 3),
      })),
    },
    ...(match.signal === undefined
      ? {}
      : {
          signal: {
            state: match.signal.state,
            sinceMs: Math.round(match.signal.sinceMs),
            confidence: round(match.signal.confidence, 3),
          },
        }),
    alternatives: [...match.alternatives],
    ...(match.letPass === undefined ? {} : { letPass: match.letPass }),
    measures: { ...match.measures },
    explanation: match.explanation,
  };
}

function buildEventId(parts: readonly string[]): string {
  return `ev-${createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32)}`;
}

function toFractions(
  box: Box,
  origin: Pick<EventOrigin, 'sourceWidth' | 'sourceHeight'>,
): [number, number, number, number] {
  const { sourceWidth: w, sourceHeight: h } = origin;
  return [toFraction(box[0], w), toFraction(box[1], h), toFraction(box[2], w), toFraction(box[3], h)];
}

function toFraction(value: number, size: number): number {
  return round(Math.min(1, Math.max(0, value / size)), FRACTION_DIGITS);
}

function round(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
