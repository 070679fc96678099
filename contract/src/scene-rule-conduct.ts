import { type Static, Type } from '@sinclair/typebox';
import { Slug } from './id.ts';
import { Arrow } from './scene-part.ts';
import { ALL_VEHICLES, labelsWithDefault, ruleBase } from './scene-rule-base.ts';

/** Rules about how somebody behaves at a place, and what is counted there. */

const strict = (description: string) => ({ additionalProperties: false, description });

export const StopParkRule = Type.Object(
  {
    ...ruleBase,
    kind: Type.Literal('STOP_PARK'),
    zone: Slug,
    labels: labelsWithDefault(ALL_VEHICLES),
    standMs: Type.Number({
      minimum: 5_000,
      maximum: 7_200_000,
      default: 120_000,
      description: 'Standing in the zone for this long fires, ms.',
    }),
    queueExempt: Type.Boolean({
      default: true,
      description: 'Time in which traffic beside it stands as well (a queue, a red light) does not count.',
    }),
  },
  strict('Stands where stopping or parking is forbidden. One vehicle is one case until it leaves.'),
);

export const OverloadedRule = Type.Object(
  {
    ...ruleBase,
    kind: Type.Literal('OVERLOADED'),
    zone: Type.Optional(Slug),
    maxOccupants: Type.Integer({
      minimum: 1,
      maximum: 3,
      default: 2,
      description: 'So many people may sit on a two-wheeler.',
    }),
    labels: labelsWithDefault(['motorbike']),
  },
  strict('Carries more people than a two-wheeler may.'),
);

export const ZebraYieldRule = Type.Object(
  {
    ...ruleBase,
    kind: Type.Literal('ZEBRA_YIELD'),
    zebra: Slug,
    approach: Arrow,
    labels: labelsWithDefault(ALL_VEHICLES),
    maxGapMs: Type.Number({
      minimum: 200,
      maximum: 10_000,
      default: 2_000,
      description:
        'Post-encroachment time below which the pedestrian had to be let pass: between one leaving the common place and the other reaching it, ms.',
    }),
  },
  strict('Drives over a zebra in front of a pedestrian who is on it.'),
);

export const BlockedJunctionRule = Type.Object(
  {
    ...ruleBase,
    kind: Type.Literal('BLOCKED_JUNCTION'),
    zone: Slug,
    labels: labelsWithDefault(ALL_VEHICLES),
    standMs: Type.Number({
      minimum: 1_000,
      maximum: 600_000,
      default: 8_000,
      description: 'Standing inside for this long fires, ms.',
    }),
  },
  strict('Enters a junction without room to leave it, and stands in it.'),
);

export const NoHelmetRule = Type.Object(
  {
    ...ruleBase,
    kind: Type.Literal('NO_HELMET'),
    zone: Type.Optional(Slug),
    labels: labelsWithDefault(['motorbike']),
    minSights: Type.Integer({
      minimum: 2,
      maximum: 50,
      default: 4,
      description: 'The same head was read bare in at least this many frames.',
    }),
  },
  strict('Rides without a helmet. Needs a head model; without one the rule is blocked and says so.'),
);

export const TrafficRule = Type.Object(
  {
    name: ruleBase.name,
    kind: Type.Literal('TRAFFIC'),
    zone: Slug,
    entries: Type.Array(Slug, {
      maxItems: 8,
      default: [],
      description: 'Tripwires by which traffic comes, forward.',
    }),
    exits: Type.Array(Slug, {
      maxItems: 8,
      default: [],
      description: 'Tripwires by which traffic leaves, forward.',
    }),
    labels: labelsWithDefault(ALL_VEHICLES),
    windowMs: Type.Number({
      minimum: 5_000,
      maximum: 900_000,
      default: 60_000,
      description: 'Window of the figures, ms; windows begin at full multiples of it.',
    }),
  },
  strict('Measures flow, occupancy, mean speed, queue length and turning movements of a zone, as telemetry.'),
);

export type StopParkRule = Static<typeof StopParkRule>;
export type OverloadedRule = Static<typeof OverloadedRule>;
export type ZebraYieldRule = Static<typeof ZebraYieldRule>;
export type BlockedJunctionRule = Static<typeof BlockedJunctionRule>;
export type NoHelmetRule = Static<typeof NoHelmetRule>;
export type TrafficRule = Static<typeof TrafficRule>;
