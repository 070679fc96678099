import {
  GATE_SERVICES,
  GateSelfCheck,
  GateStatus,
  GateTime,
  ScreeningAggregate,
  ScreeningRefusal,
  ScreeningResult,
  Slug,
  ThermometerReading,
  Timestamp,
} from '@ngatu/contract';
import { type Static, type TSchema, Type } from '@sinclair/typebox';

/** Schemas of fever screening; the console takes its types from here. */

const closed = { additionalProperties: false } as const;

/** Schemas that the OpenAPI document names once and refers to. */
export const SCREENING_SCHEMAS: readonly TSchema[] = [ScreeningResult, ScreeningAggregate, GateStatus];

const { properties: status } = GateStatus;

/** A gate as everybody may see it who looks after machines: no passage, and nothing of whoever stands there now. */
const GateOverview = Type.Object(
  {
    site: Slug,
    node: Slug,
    gate: Slug,
    heardAt: Type.Unsafe<string>({ ...Timestamp, description: 'When the centre last heard of it.' }),
    service: Type.Union(
      [...GATE_SERVICES, 'unreported' as const].map((service) => Type.Literal(service)),
      { description: '`unreported`: nothing was heard of it for a while.' },
    ),
    reason: Type.Optional(ScreeningRefusal),
    since: Type.Optional(Timestamp),
    learning: Type.Optional(status.site),
    warmUntil: status.warmUntil,
    room: status.room,
    offsetC: status.offsetC,
    driftCPerHour: status.driftCPerHour,
    selfCheck: Type.Optional(GateSelfCheck),
    fault: status.fault,
    counts: Type.Unsafe<ScreeningAggregate>({ $ref: 'ScreeningAggregate#' }),
    time: Type.Array(GateTime, { description: 'How the period was spent, as far as the gate told.' }),
  },
  closed,
);
export type GateOverview = Static<typeof GateOverview>;

export const GateReport = Type.Object(
  {
    from: Timestamp,
    to: Timestamp,
    feverFromC: Type.Number({ description: 'From this on a thermometer reading counts as fever, °C.' }),
    gates: Type.Array(GateOverview),
  },
  closed,
);
export type GateReport = Static<typeof GateReport>;

export const GateQuery = Type.Object(
  { from: Type.Optional(Timestamp), to: Type.Optional(Timestamp) },
  closed,
);

const GateNames = { site: Slug, node: Slug, gate: Slug };
export const GateParams = Type.Object(GateNames, closed);
export const PassageParams = Type.Object(
  { ...GateNames, screeningId: ScreeningResult.properties.screeningId },
  closed,
);

const Reading = Type.Object(
  {
    celsius: ThermometerReading.properties.celsius,
    place: ThermometerReading.properties.place,
    at: Timestamp,
    enteredBy: Type.String(),
  },
  closed,
);

export const PassageAnswer = Type.Object(
  {
    result: Type.Unsafe<ScreeningResult>({ $ref: 'ScreeningResult#' }),
    reading: Type.Optional(Reading),
    entryUntil: Type.Unsafe<string>({
      ...Timestamp,
      description: 'Until then a thermometer reading is taken.',
    }),
  },
  closed,
);
export type PassageAnswer = Static<typeof PassageAnswer>;

export const PassageQuery = Type.Object(
  { limit: Type.Integer({ minimum: 1, maximum: 200, default: 30 }) },
  closed,
);

export const PassageList = Type.Object(
  {
    status: Type.Optional(Type.Unsafe<GateStatus>({ $ref: 'GateStatus#' })),
    heardAt: Timestamp,
    items: Type.Array(PassageAnswer, { description: 'Newest first, as long as they are kept.' }),
    selfChecks: Type.Array(GateSelfCheck, { description: 'Newest first.' }),
  },
  closed,
);
export type PassageList = Static<typeof PassageList>;

export const ReadingRequest = Type.Object(
  { celsius: ThermometerReading.properties.celsius, place: ThermometerReading.properties.place },
  closed,
);
export type ReadingRequest = Static<typeof ReadingRequest>;
