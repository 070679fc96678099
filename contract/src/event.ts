import { type Static, Type } from '@sinclair/typebox';
import { EventId, LocalizedText, Sha256, Slug, Timestamp, WireBox, WirePoint } from './id.ts';

/** What may be flagged. The codes are those of the law table in the domain (`RED_LIGHT` …). */
export const EVENT_KINDS = [
  'RED_LIGHT',
  'STOP_LINE',
  'WRONG_WAY',
  'LANE',
  'SOLID_LINE',
  'FORBIDDEN_TURN',
  'SPEED',
  'STOP_PARK',
  'OVERLOADED',
  'FORBIDDEN_AREA',
  'ZEBRA_YIELD',
  'BLOCKED_JUNCTION',
  'NO_HELMET',
  'NO_MASK',
] as const;
export const EventKind = Type.Union(
  EVENT_KINDS.map((kind) => Type.Literal(kind)),
  { description: 'What was flagged.' },
);
export type EventKind = (typeof EVENT_KINDS)[number];

export const ROAD_USER_LABELS = ['person', 'bicycle', 'motorbike', 'car', 'bus', 'truck'] as const;
export const RoadUserLabel = Type.Union(ROAD_USER_LABELS.map((label) => Type.Literal(label)));
export type RoadUserLabel = (typeof ROAD_USER_LABELS)[number];

/** Who is ridden: people sit on it, not in it. */
export function isTwoWheeler(label: RoadUserLabel): label is 'bicycle' | 'motorbike' {
  return label === 'bicycle' || label === 'motorbike';
}

/**
 * State of a signal head. `off` means that no lens is lit (dead bulb, flicker, unlit phase); `unknown` means that the
 * picture does not tell.
 */
export const SIGNAL_STATES = ['red', 'amber', 'green', 'off', 'unknown'] as const;
export const SignalState = Type.Union(SIGNAL_STATES.map((state) => Type.Literal(state)));
export type SignalState = (typeof SIGNAL_STATES)[number];

/** Why a match is let pass: what speaks for the road user. The case is kept with the reason, but nobody is flagged. */
export const LET_PASS_REASONS = [
  'emergency-vehicle',
  'officer-directing',
  'stuck-lamp',
  'dark-lamp',
  'phase-just-begun',
  'pushed-by-queue',
] as const;
export const LetPassReason = Type.Union(LET_PASS_REASONS.map((reason) => Type.Literal(reason)));
export type LetPassReason = (typeof LET_PASS_REASONS)[number];

/** The person boxes that were joined into the road user; the count says nothing about who they are. */
const Occupant = Type.Object(
  { box: WireBox, confidence: Type.Number({ minimum: 0, maximum: 1 }) },
  { additionalProperties: false },
);

/**
 * A rule fired on a road user: the case that a reviewer decides. Payload of the `event` channel (in an envelope), and
 * one line of `events.jsonl` (there with `frameIndex` on top and without `detectedAt`).
 */
export const Event = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    eventId: EventId,
    kind: EventKind,
    site: Slug,
    node: Slug,
    camera: Slug,
    rule: Slug,
    capturedAt: Timestamp,
    detectedAt: Type.Optional(Timestamp),
    clockErrorMs: Type.Number({
      minimum: 0,
      description: 'Bound on |capturedAt − true time|, ms; 0 on the media clock of a replay.',
    }),
    frame: Type.Object(
      {
        session: Slug,
        index: Type.Integer({
          minimum: 0,
          description: 'Source frame, decode order from 0 within the session.',
        }),
        mediaTimeMs: Type.Number({ minimum: 0, description: 'Presentation time within the session, ms.' }),
        width: Type.Integer({ minimum: 1 }),
        height: Type.Integer({ minimum: 1 }),
      },
      {
        additionalProperties: false,
        description: 'The decisive frame; width and height of the source picture.',
      },
    ),
    model: Type.Object({ name: Slug, sha256: Sha256 }, { additionalProperties: false }),
    sceneSha256: Sha256,
    subject: Type.Object(
      {
        trackId: Type.Integer({ minimum: 1 }),
        label: RoadUserLabel,
        confidence: Type.Number({ minimum: 0, maximum: 1 }),
        box: WireBox,
        groundPoint: WirePoint,
        occupants: Type.Array(Occupant, { maxItems: 8 }),
      },
      { additionalProperties: false },
    ),
    signal: Type.Optional(
      Type.Object(
        {
          state: SignalState,
          sinceMs: Type.Number({ minimum: 0, description: 'How long the state had been shown, ms.' }),
          confidence: Type.Number({ minimum: 0, maximum: 1 }),
        },
        { additionalProperties: false },
      ),
    ),
    /** Other readings of the same case that the error bounds do not exclude (stop line beside red light). */
    alternatives: Type.Array(EventKind, { maxItems: 4, uniqueItems: true }),
    letPass: Type.Optional(
      Type.Object(
        { reason: LetPassReason, explanation: LocalizedText },
        {
          additionalProperties: false,
          description: 'The exculpatory pass let it go: no flag, no evidence, kept with its reason.',
        },
      ),
    ),
    measures: Type.Record(Type.String({ pattern: '^[a-z][A-Za-z0-9]*$' }), Type.Number(), {
      description: 'Figures that the rule decided on, by name with the unit last.',
    }),
    explanation: LocalizedText,
  },
  { additionalProperties: false, $id: 'Event' },
);
export type Event = Static<typeof Event>;
