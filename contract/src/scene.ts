import { type Static, Type } from '@sinclair/typebox';
import { RoadUserLabel } from './event.ts';
import { Slug } from './id.ts';

/**
 * A scene says what the picture of one camera means: where the stop line lies, which lamp rules it, where people must not
 * walk. All coordinates are pixels of the source picture (`picture`), origin top left, x to the right, y down.
 */

const Coordinate = Type.Number({ minimum: -10_000, maximum: 20_000 });
const PixelPoint = Type.Tuple([Coordinate, Coordinate], { description: 'Point [x, y] in source pixels.' });

const Labels = Type.Array(RoadUserLabel, {
  minItems: 1,
  uniqueItems: true,
  description: 'Road users the rule looks at.',
});

const ALL_VEHICLES = ['motorbike', 'bicycle', 'car', 'bus', 'truck'] as const;

export const Zone = Type.Object(
  {
    name: Slug,
    polygon: Type.Array(PixelPoint, {
      minItems: 3,
      maxItems: 64,
      description: 'Corners in order; closed by itself.',
    }),
  },
  { additionalProperties: false, description: 'An area on the ground.' },
);
export type Zone = Static<typeof Zone>;

export const Tripwire = Type.Object(
  {
    name: Slug,
    points: Type.Array(PixelPoint, {
      minItems: 2,
      maxItems: 64,
      description: 'The line on the ground as a polyline from one end to the other.',
    }),
    forwardTowards: Type.Tuple([Coordinate, Coordinate], {
      description: 'Any point on the far side of the line: who crosses towards its side crosses forward.',
    }),
  },
  { additionalProperties: false, description: 'A directed line on the ground.' },
);
export type Tripwire = Static<typeof Tripwire>;

export const SignalHead = Type.Object(
  {
    name: Slug,
    box: Type.Tuple([Coordinate, Coordinate, Coordinate, Coordinate], {
      description:
        'The lamp head [x1, y1, x2, y2] in source pixels, just around its lenses; without the countdown.',
    }),
    lenses: Type.Array(Type.Union([Type.Literal('red'), Type.Literal('amber'), Type.Literal('green')]), {
      minItems: 2,
      maxItems: 3,
      uniqueItems: true,
      default: ['red', 'amber', 'green'],
      description:
        'Lenses in the order they stand in the box: top to bottom, or left to right in a wide box.',
    }),
  },
  { additionalProperties: false, description: 'A traffic light that is read from the picture.' },
);
export type SignalHead = Static<typeof SignalHead>;

const Arrow = Type.Object(
  { from: PixelPoint, to: PixelPoint },
  { additionalProperties: false, description: 'A direction of travel, drawn as an arrow in the picture.' },
);

const ruleBase = {
  name: Slug,
  cooldownMs: Type.Number({
    minimum: 0,
    maximum: 3_600_000,
    default: 60_000,
    description: 'The same road user does not fire the same rule again within this time, ms.',
  }),
};

export const RedLightRule = Type.Object(
  {
    ...ruleBase,
    kind: Type.Literal('RED_LIGHT'),
    stopLine: Slug,
    signal: Slug,
    approach: Type.Optional(Arrow),
    labels: Type.Unsafe<Static<typeof Labels>>({ ...Labels, default: [...ALL_VEHICLES] }),
    graceMs: Type.Number({
      minimum: 0,
      maximum: 10_000,
      default: 300,
      description:
        'A crossing this soon after the onset of red is not flagged, ms (covers the lamp reading and the frame interval).',
    }),
  },
  {
    additionalProperties: false,
    description: 'Passes the stop line with the rear wheels while the lamp shows red.',
  },
);

export const StopLineRule = Type.Object(
  {
    ...ruleBase,
    kind: Type.Literal('STOP_LINE'),
    stopLine: Slug,
    signal: Slug,
    approach: Type.Optional(Arrow),
    labels: Type.Unsafe<Static<typeof Labels>>({ ...Labels, default: [...ALL_VEHICLES] }),
    waitMs: Type.Number({
      minimum: 0,
      maximum: 60_000,
      default: 2_000,
      description: 'Standing with the front past the line for this long on red fires, ms.',
    }),
  },
  {
    additionalProperties: false,
    description: 'Stops on red with the front past the stop line and the rear before it.',
  },
);

export const WrongWayRule = Type.Object(
  {
    ...ruleBase,
    kind: Type.Literal('WRONG_WAY'),
    zone: Slug,
    allowed: Arrow,
    labels: Type.Unsafe<Static<typeof Labels>>({ ...Labels, default: [...ALL_VEHICLES] }),
    minAngleDeg: Type.Number({
      minimum: 91,
      maximum: 180,
      default: 120,
      description:
        'Angle between the travel and the allowed direction from which it counts as against it, degrees.',
    }),
    minTravelHeights: Type.Number({
      minimum: 0.2,
      maximum: 50,
      default: 1.5,
      description: 'How far it must travel against the direction inside the zone, in heights of its own box.',
    }),
    minDurationMs: Type.Number({
      minimum: 0,
      maximum: 60_000,
      default: 700,
      description: 'And for how long, ms.',
    }),
  },
  { additionalProperties: false, description: 'Travels against the allowed direction inside a zone.' },
);

export const ForbiddenAreaRule = Type.Object(
  {
    ...ruleBase,
    kind: Type.Literal('FORBIDDEN_AREA'),
    zone: Slug,
    labels: Labels,
    dwellMs: Type.Number({
      minimum: 0,
      maximum: 600_000,
      default: 1_000,
      description: 'How long the ground point must be inside before it fires, ms.',
    }),
  },
  { additionalProperties: false, description: 'Is inside a zone where its class must not be.' },
);

export const LineCountRule = Type.Object(
  {
    name: Slug,
    kind: Type.Literal('LINE_COUNT'),
    tripwire: Slug,
    labels: Type.Unsafe<Static<typeof Labels>>({ ...Labels, default: ['person', ...ALL_VEHICLES] }),
  },
  {
    additionalProperties: false,
    description: 'Counts road users over a tripwire by class and direction, as telemetry.',
  },
);

export const Rule = Type.Union([RedLightRule, StopLineRule, WrongWayRule, ForbiddenAreaRule, LineCountRule]);
export type Rule = Static<typeof Rule>;
export type RedLightRule = Static<typeof RedLightRule>;
export type StopLineRule = Static<typeof StopLineRule>;
export type WrongWayRule = Static<typeof WrongWayRule>;
export type ForbiddenAreaRule = Static<typeof ForbiddenAreaRule>;
export type LineCountRule = Static<typeof LineCountRule>;

export const Scene = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    name: Slug,
    picture: Type.Object(
      {
        width: Type.Integer({ minimum: 32, maximum: 8192, description: 'Source picture width, px.' }),
        height: Type.Integer({ minimum: 32, maximum: 8192, description: 'Source picture height, px.' }),
      },
      { additionalProperties: false },
    ),
    analysis: Type.Object(
      {
        maxWidth: Type.Integer({
          minimum: 160,
          maximum: 1920,
          default: 960,
          description: 'The picture is scaled down to this width for the detector where it is wider, px.',
        }),
        maxFps: Type.Number({
          minimum: 0.5,
          maximum: 60,
          default: 12.5,
          description:
            'At most this many frames a second are analysed; the others are skipped, not resampled.',
        }),
      },
      { additionalProperties: false, default: {} },
    ),
    view: Type.Object(
      {
        depressionDeg: Type.Number({
          minimum: 3,
          maximum: 90,
          default: 25,
          description:
            'How steeply the camera looks down at the stop line, degrees below the horizon; 90 is straight down.',
        }),
      },
      { additionalProperties: false, default: {} },
    ),
    zones: Type.Array(Zone, { maxItems: 64, default: [] }),
    tripwires: Type.Array(Tripwire, { maxItems: 64, default: [] }),
    signals: Type.Array(SignalHead, { maxItems: 8, default: [] }),
    rules: Type.Array(Rule, { maxItems: 64, default: [] }),
  },
  { additionalProperties: false, $id: 'Scene', description: 'What the picture of one camera means.' },
);
export type Scene = Static<typeof Scene>;
