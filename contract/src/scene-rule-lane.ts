import { type Static, Type } from '@sinclair/typebox';
import { Slug } from './id.ts';
import { Arrow } from './scene-part.ts';
import { ALL_VEHICLES, Labels, labelsWithDefault, ruleBase } from './scene-rule-base.ts';

/** Rules about where on the road somebody drives, whereto, and how fast. */

const strict = (description: string) => ({ additionalProperties: false, description });

export const LaneReservedRule = Type.Object(
  {
    ...ruleBase,
    kind: Type.Literal('LANE_RESERVED'),
    zone: Slug,
    allowed: Type.Unsafe<Static<typeof Labels>>({ ...Labels, description: 'Who may use the lane.' }),
    labels: labelsWithDefault(ALL_VEHICLES),
    along: Type.Optional(Arrow),
    lookAlikeExempt: Type.Boolean({
      default: true,
      description:
        'Who is easily taken for somebody allowed is let go: a truck where buses may drive, a bicycle where motorbikes may, and the other way round.',
    }),
    minTravelHeights: Type.Number({
      minimum: 0.2,
      maximum: 50,
      default: 2,
      description:
        'How far it must travel along inside the lane, in heights of its own box: crossing it is no use of it.',
    }),
    minDurationMs: Type.Number({
      minimum: 0,
      maximum: 60_000,
      default: 1_000,
      description: 'And for how long, ms.',
    }),
  },
  strict('Drives in a lane that is kept for others (bus or motorbike lane).'),
);

export const LaneTurnRule = Type.Object(
  {
    ...ruleBase,
    kind: Type.Literal('LANE_TURN'),
    lane: Slug,
    exits: Type.Array(Slug, {
      minItems: 1,
      maxItems: 8,
      uniqueItems: true,
      description:
        'Tripwires of the movements that this lane does not allow; crossing one forward takes the movement.',
    }),
    labels: labelsWithDefault(ALL_VEHICLES),
    maxDurationMs: Type.Number({
      minimum: 1_000,
      maximum: 120_000,
      default: 20_000,
      description: 'From leaving the lane to the exit at most, ms.',
    }),
  },
  strict('Leaves a lane for a movement that the lane does not allow (turns from the wrong lane).'),
);

export const SolidLineRule = Type.Object(
  {
    ...ruleBase,
    kind: Type.Literal('SOLID_LINE'),
    line: Slug,
    direction: Type.Union([Type.Literal('both'), Type.Literal('forward'), Type.Literal('backward')], {
      default: 'both',
      description: 'Which crossing counts: a line that is broken on one side may be crossed from there.',
    }),
    labels: labelsWithDefault(ALL_VEHICLES),
  },
  strict('Crosses a solid line with all wheels.'),
);

export const ForbiddenTurnRule = Type.Object(
  {
    ...ruleBase,
    kind: Type.Literal('FORBIDDEN_TURN'),
    turn: Type.Union([
      Type.Literal('left'),
      Type.Literal('right'),
      Type.Literal('u-turn'),
      Type.Literal('straight'),
    ]),
    entry: Slug,
    exit: Slug,
    labels: labelsWithDefault(ALL_VEHICLES),
    maxDurationMs: Type.Number({
      minimum: 1_000,
      maximum: 120_000,
      default: 30_000,
      description: 'From crossing the entry forward to crossing the exit forward at most, ms.',
    }),
  },
  strict('Makes a turn that is forbidden here: crosses one tripwire forward and then the other.'),
);

export const SpeedRule = Type.Object(
  {
    ...ruleBase,
    kind: Type.Literal('SPEED'),
    zone: Slug,
    limitKmh: Type.Number({ minimum: 5, maximum: 150, description: 'Limit on this road, km/h.' }),
    limits: Type.Optional(
      Type.Record(Type.String(), Type.Number({ minimum: 5, maximum: 150 }), {
        description: 'Other limits by class (`truck: 50`), km/h.',
      }),
    ),
    toleranceKmh: Type.Number({
      minimum: 0,
      maximum: 30,
      default: 5,
      description: 'Only what is surely faster than the limit and this is flagged, km/h.',
    }),
    labels: labelsWithDefault(ALL_VEHICLES),
    minTravelM: Type.Number({
      minimum: 2,
      maximum: 500,
      default: 8,
      description: 'Way inside the zone over which the speed is measured at least, m.',
    }),
  },
  strict('Drives faster than the limit: the lower bound of the 95 % interval exceeds limit and tolerance.'),
);

export type LaneReservedRule = Static<typeof LaneReservedRule>;
export type LaneTurnRule = Static<typeof LaneTurnRule>;
export type SolidLineRule = Static<typeof SolidLineRule>;
export type ForbiddenTurnRule = Static<typeof ForbiddenTurnRule>;
export type SpeedRule = Static<typeof SpeedRule>;
