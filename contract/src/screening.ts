import { type Static, Type } from '@sinclair/typebox';
import { LocalizedText, Slug, Timestamp } from './id.ts';

/** UCUM codes of the units that a matrix of temperatures may come in. */
export const TemperatureUnit = Type.Union([Type.Literal('Cel'), Type.Literal('[degF]'), Type.Literal('K')], {
  description: 'UCUM: Cel, [degF] or K.',
});
export type TemperatureUnit = Static<typeof TemperatureUnit>;

/** One thermal picture as a thermal camera's own software posts it by HTTP or MQTT. */
export const TemperatureMatrix = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    capturedAt: Type.Optional(Timestamp),
    unit: TemperatureUnit,
    width: Type.Integer({ minimum: 8, maximum: 4096 }),
    height: Type.Integer({ minimum: 8, maximum: 4096 }),
    values: Type.Array(Type.Union([Type.Number(), Type.Null()]), {
      maxItems: 1_310_720,
      description: 'Row by row, width × height numbers; null is a pixel that cannot be read.',
    }),
  },
  { additionalProperties: false, $id: 'TemperatureMatrix' },
);
export type TemperatureMatrix = Static<typeof TemperatureMatrix>;

/** Why a gate gave no reading. Each has an instruction to show in the two languages. */
export const SCREENING_REFUSALS = [
  'no-person',
  'several-people',
  'too-far',
  'out-of-picture',
  'eyes-covered',
  'forehead-covered',
  'face-covered',
  'turned-away',
  'moving',
  'hot-object',
  'warm-background',
  'too-few-frames',
  'frames-disagree',
  'blackbody-missing',
  'blackbody-unstable',
  'blackbody-out-of-tolerance',
  'ambient-out-of-limits',
  'ambient-unknown',
  'warming-up',
  'self-check-due',
  'self-check-failed',
  'not-skin',
  'no-picture',
  'picture-frozen',
] as const;
export const ScreeningRefusal = Type.Union(SCREENING_REFUSALS.map((name) => Type.Literal(name)));
export type ScreeningRefusal = (typeof SCREENING_REFUSALS)[number];

/** How sure a fact is: V read at the primary source, S in a secondary one, U general knowledge. */
export const FactCertainty = Type.Union([Type.Literal('V'), Type.Literal('S'), Type.Literal('U')]);
export type FactCertainty = Static<typeof FactCertainty>;

const Celsius = Type.Number({ minimum: -50, maximum: 100, description: '°C' });
const ExpandedC = Type.Number({ minimum: 0, maximum: 20, description: 'Expanded uncertainty, k = 2, °C.' });
/** Names one passage for as long as a thermometer reading may be added to it; drawn at random, bound to nobody. */
const ScreeningId = Type.String({ pattern: '^sc-[0-9a-f]{16}$' });

/**
 * What a gate found about one passage. It names nobody and carries no picture. `measure` means "measure with a
 * thermometer", never a diagnosis.
 */
export const ScreeningResult = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    screeningId: ScreeningId,
    gate: Slug,
    at: Timestamp,
    outcome: Type.Union([Type.Literal('pass'), Type.Literal('measure'), Type.Literal('refused')]),
    refusal: Type.Optional(ScreeningRefusal),
    instruction: LocalizedText,
    method: Type.Optional(Type.Union([Type.Literal('inner-canthi'), Type.Literal('face-maximum')])),
    skinC: Type.Optional(Celsius),
    skinUncertaintyC: Type.Optional(ExpandedC),
    estimateC: Type.Optional(Celsius),
    estimateUncertaintyC: Type.Optional(ExpandedC),
    thresholdC: Type.Optional(Celsius),
    frames: Type.Integer({ minimum: 0, maximum: 100 }),
  },
  { additionalProperties: false, $id: 'ScreeningResult' },
);
export type ScreeningResult = Static<typeof ScreeningResult>;

/** A reading of a clinical thermometer, entered by staff for a passage. It closes the loop and names nobody. */
export const ThermometerReading = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    screeningId: ScreeningId,
    at: Timestamp,
    celsius: Type.Number({ minimum: 30, maximum: 45, description: '°C' }),
    place: Type.Union([
      Type.Literal('oral'),
      Type.Literal('ear'),
      Type.Literal('axilla'),
      Type.Literal('forehead'),
    ]),
  },
  { additionalProperties: false, $id: 'ThermometerReading' },
);
export type ThermometerReading = Static<typeof ThermometerReading>;

const Count = Type.Integer({ minimum: 0 });

/** The share of a count, with its Wilson interval, 95 %. Absent where nothing was counted. */
const Share = Type.Object(
  {
    hits: Count,
    total: Count,
    value: Type.Optional(Type.Number()),
    low: Type.Optional(Type.Number()),
    high: Type.Optional(Type.Number()),
  },
  { additionalProperties: false },
);

/** What a gate did in a window of time: counts only. */
export const ScreeningAggregate = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    gate: Slug,
    from: Timestamp,
    to: Timestamp,
    passed: Count,
    measured: Count,
    refused: Type.Record(Type.String(), Count, { description: 'Refusals by reason.' }),
    confirmed: Type.Object(
      { sensitivity: Share, specificity: Share },
      {
        additionalProperties: false,
        description: 'Against the thermometer readings that staff entered, since the gate was set up.',
      },
    ),
    learningFrozen: Type.Boolean({
      description: 'More people than usual read high: the offset of the site is held.',
    }),
  },
  { additionalProperties: false, $id: 'ScreeningAggregate' },
);
export type ScreeningAggregate = Static<typeof ScreeningAggregate>;
