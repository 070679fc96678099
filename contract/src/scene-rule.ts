import { type Static, Type } from '@sinclair/typebox';
import { Slug } from './id.ts';
import { Arrow } from './scene-part.ts';
import { ALL_VEHICLES, Labels, labelsWithDefault, ruleBase } from './scene-rule-base.ts';
import {
  BlockedJunctionRule,
  NoHelmetRule,
  OverloadedRule,
  StopParkRule,
  TrafficRule,
  ZebraYieldRule,
} from './scene-rule-conduct.ts';
import {
  ForbiddenTurnRule,
  LaneReservedRule,
  LaneTurnRule,
  SolidLineRule,
  SpeedRule,
} from './scene-rule-lane.ts';

const maxPhaseMs = Type.Number({
  minimum: 10_000,
  maximum: 3_600_000,
  default: 300_000,
  description:
    'A phase of the light that lasts longer than this is taken for a stuck lamp: what it would flag is let pass, ms.',
});

export const RedLightRule = Type.Object(
  {
    ...ruleBase,
    kind: Type.Literal('RED_LIGHT'),
    stopLine: Slug,
    signal: Slug,
    approach: Type.Optional(Arrow),
    labels: labelsWithDefault(ALL_VEHICLES),
    graceMs: Type.Number({
      minimum: 0,
      maximum: 10_000,
      default: 300,
      description:
        'A crossing this soon after the onset of red is let pass, ms (covers the lamp reading and the frame interval).',
    }),
    maxPhaseMs,
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
    labels: labelsWithDefault(ALL_VEHICLES),
    waitMs: Type.Number({
      minimum: 0,
      maximum: 60_000,
      default: 2_000,
      description: 'Standing with the front past the line for this long on red fires, ms.',
    }),
    maxPhaseMs,
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
    labels: labelsWithDefault(ALL_VEHICLES),
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
    walkedExempt: Type.Boolean({
      default: true,
      description:
        'A two-wheeler that never goes faster than at a walk is taken for one that is pushed by hand, and let go.',
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
    labels: labelsWithDefault(['person', ...ALL_VEHICLES]),
  },
  {
    additionalProperties: false,
    description: 'Counts road users over a tripwire by class and direction, as telemetry.',
  },
);

export const Rule = Type.Union([
  RedLightRule,
  StopLineRule,
  WrongWayRule,
  LaneReservedRule,
  LaneTurnRule,
  SolidLineRule,
  ForbiddenTurnRule,
  SpeedRule,
  StopParkRule,
  OverloadedRule,
  ForbiddenAreaRule,
  ZebraYieldRule,
  BlockedJunctionRule,
  NoHelmetRule,
  LineCountRule,
  TrafficRule,
]);
export type Rule = Static<typeof Rule>;
export type RedLightRule = Static<typeof RedLightRule>;
export type StopLineRule = Static<typeof StopLineRule>;
export type WrongWayRule = Static<typeof WrongWayRule>;
export type ForbiddenAreaRule = Static<typeof ForbiddenAreaRule>;
export type LineCountRule = Static<typeof LineCountRule>;
