import { type Static, Type } from '@sinclair/typebox';
import { EventKind } from '../event.ts';
import { LocalizedText } from '../id.ts';

/** How a fact is known: V read at the primary source, S from a secondary source, U not verified. */
export const CERTAINTIES = ['V', 'S', 'U'] as const;
export const Certainty = Type.Union(CERTAINTIES.map((certainty) => Type.Literal(certainty)));
export type Certainty = (typeof CERTAINTIES)[number];

/** Groups of vehicles that the decree punishes alike: its Article 6 (cars and the like) and Article 7 (motorbikes and the like). */
export const VEHICLE_GROUPS = ['car', 'motorbike'] as const;
export const VehicleGroup = Type.Union(VEHICLE_GROUPS.map((group) => Type.Literal(group)));
export type VehicleGroup = (typeof VEHICLE_GROUPS)[number];

/** Forms of one offence that the decree tells apart and the picture may not. */
export const LAW_VARIANTS = ['expressway', 'bridge', 'jam', 'rider', 'passenger'] as const;
export const LawVariant = Type.Union(LAW_VARIANTS.map((variant) => Type.Literal(variant)));
export type LawVariant = (typeof LAW_VARIANTS)[number];

const CivilDate = Type.String({
  pattern: '^\\d{4}-\\d{2}-\\d{2}$',
  description: 'Day in Vietnam (UTC+7, no daylight saving); begins at its midnight there.',
});

/** One clause over one period, as dated data: what it says, from when to when, and how that is known. */
export const LawRow = Type.Object(
  {
    kind: EventKind,
    group: VehicleGroup,
    decree: Type.String({ description: 'Number of the decree.' }),
    article: Type.Integer({ minimum: 1, description: 'Điều.' }),
    clause: Type.String({ pattern: '^\\d+\\.[a-zđ]$', description: 'Khoản and điểm: `9.b`.' }),
    variant: Type.Optional(LawVariant),
    /** Speed: band of km/h over the limit. */
    overKmh: Type.Optional(
      Type.Object(
        {
          from: Type.Number({ minimum: 0 }),
          fromInclusive: Type.Boolean(),
          to: Type.Optional(Type.Number({ minimum: 0 })),
          toInclusive: Type.Optional(Type.Boolean()),
        },
        { additionalProperties: false },
      ),
    ),
    title: LocalizedText,
    fineMinVnd: Type.Integer({ minimum: 1 }),
    fineMaxVnd: Type.Integer({ minimum: 1 }),
    points: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 12,
        description: 'Deducted from the licence; absent where it is not recorded.',
      }),
    ),
    validFrom: CivilDate,
    validUntil: Type.Optional({ ...CivilDate, description: 'First day on which the row no longer holds.' }),
    source: LocalizedText,
    certainty: Certainty,
    verifiedOn: Type.Optional({
      ...CivilDate,
      description: 'When it was read there; absent where not recorded.',
    }),
  },
  { additionalProperties: false, $id: 'LawRow' },
);
export type LawRow = Static<typeof LawRow>;
