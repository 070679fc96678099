import { type Static, Type } from '@sinclair/typebox';
import { LocalizedText, Slug, Timestamp } from './id.ts';
import { ScreeningAggregate, ScreeningRefusal, ScreeningResult } from './screening.ts';

const closed = { additionalProperties: false } as const;

/** From this on a thermometer reading confirms a fever, whatever the place, °C (oral reference of the PhysioNet study; V). */
export const FEVER_CONFIRMED_FROM_C = 37.5;
/** A reading may be entered for this long after the passage, ms. */
export const READING_ENTRY_MS = 3_600_000;

/** Where a gate stands. `blind`: no picture comes. */
export const GATE_STATES = [
  'blind',
  'warming-up',
  'checking',
  'out-of-service',
  'idle',
  'positioning',
  'measuring',
  'passed',
  'measure',
  'refused',
] as const;
export const GateState = Type.Union(GATE_STATES.map((state) => Type.Literal(state)));
export type GateState = (typeof GATE_STATES)[number];

/** What the time of a gate was: it served, it stood aside with a reason, or it saw nothing. */
export const GATE_SERVICES = ['serving', 'standing-aside', 'blind'] as const;
export const GateService = Type.Union(GATE_SERVICES.map((service) => Type.Literal(service)));
export type GateService = (typeof GATE_SERVICES)[number];

/** The service that a state belongs to. */
export function computeGateService(state: GateState): GateService {
  if (state === 'blind') return 'blind';
  return state === 'warming-up' || state === 'checking' || state === 'out-of-service'
    ? 'standing-aside'
    : 'serving';
}

const Celsius = Type.Number({ minimum: -100, maximum: 200, description: '°C' });

/** The log of one self-check. */
export const GateSelfCheck = Type.Object(
  {
    at: Timestamp,
    passed: Type.Boolean(),
    items: Type.Array(
      Type.Object(
        {
          name: Slug,
          value: Type.Optional(Type.Number({ description: 'Absent where it could not be measured.' })),
          limit: Type.Number(),
          unit: Type.Union([Type.Literal('Cel'), Type.Literal('1')]),
          passed: Type.Boolean(),
        },
        closed,
      ),
      { maxItems: 16 },
    ),
  },
  closed,
);
export type GateSelfCheck = Static<typeof GateSelfCheck>;

/** What a gate shows now. It tells of whoever stands before it: for those who may read single results. */
export const GateStatus = Type.Object(
  {
    at: Timestamp,
    since: Timestamp,
    state: GateState,
    refusal: Type.Optional(ScreeningRefusal),
    cue: Type.Object(
      {
        text: LocalizedText,
        colour: Type.Union([
          Type.Literal('grey'),
          Type.Literal('blue'),
          Type.Literal('green'),
          Type.Literal('amber'),
        ]),
        sound: Type.Optional(
          Type.Union([
            Type.Literal('step-in'),
            Type.Literal('hold-still'),
            Type.Literal('done'),
            Type.Literal('attention'),
          ]),
        ),
      },
      closed,
    ),
    warmUntil: Type.Optional(Timestamp),
    room: Type.Optional(
      Type.Object(
        { at: Timestamp, celsius: Celsius, relativeHumidity: Type.Number({ minimum: 0, maximum: 1.5 }) },
        closed,
      ),
    ),
    offsetC: Type.Optional(
      Type.Number({ minimum: -50, maximum: 50, description: 'The camera against its blackbody, °C.' }),
    ),
    driftCPerHour: Type.Optional(Type.Number({ minimum: -1_000, maximum: 1_000 })),
    site: Type.Object(
      {
        phase: Type.Union([Type.Literal('learning'), Type.Literal('following'), Type.Literal('held')]),
        readings: Type.Integer({ minimum: 0 }),
        wanted: Type.Integer({ minimum: 0, description: 'Readings after which the site is known.' }),
      },
      closed,
    ),
    selfCheck: Type.Optional(GateSelfCheck),
    fault: Type.Optional(Type.String({ pattern: '^[A-Z][A-Z0-9_]*$', maxLength: 64 })),
  },
  { ...closed, $id: 'GateStatus' },
);
export type GateStatus = Static<typeof GateStatus>;

/** How the time of a window was spent. */
export const GateTime = Type.Object(
  { service: GateService, reason: Type.Optional(ScreeningRefusal), ms: Type.Integer({ minimum: 0 }) },
  closed,
);
export type GateTime = Static<typeof GateTime>;

/**
 * Body of the `screening` channel: health data on a topic of their own. Single results, what the gate shows, and the counts of a window;
 * no identity and no picture.
 */
export const ScreeningReport = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    site: Slug,
    node: Slug,
    gate: Slug,
    results: Type.Array(ScreeningResult, { maxItems: 50 }),
    status: Type.Optional(GateStatus),
    window: Type.Optional(
      Type.Object({ counts: ScreeningAggregate, time: Type.Array(GateTime, { maxItems: 64 }) }, closed),
    ),
    selfChecks: Type.Array(GateSelfCheck, { maxItems: 10 }),
  },
  { ...closed, $id: 'ScreeningReport' },
);
export type ScreeningReport = Static<typeof ScreeningReport>;
