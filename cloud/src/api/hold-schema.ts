import { EventId } from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';

/** Schemas of legal holds; the console takes its types from here. */

const closed = { additionalProperties: false } as const;
const Instant = Type.String({ format: 'date-time' });

/** A case is not deleted while one of its holds is not lifted. */
export const Hold = Type.Object(
  {
    holdId: Type.String(),
    eventId: EventId,
    reason: Type.String(),
    placedBy: Type.String(),
    placedAt: Instant,
    liftedBy: Type.Optional(Type.String()),
    liftedAt: Type.Optional(Instant),
    liftReason: Type.Optional(Type.String()),
  },
  closed,
);
export type Hold = Static<typeof Hold>;

export const HoldList = Type.Object({ items: Type.Array(Hold, { description: 'Oldest first.' }) }, closed);
export type HoldList = Static<typeof HoldList>;

export const HoldRequest = Type.Object({ reason: Type.String({ minLength: 3, maxLength: 500 }) }, closed);
export const HoldParams = Type.Object(
  { eventId: EventId, holdId: Type.String({ pattern: '^hold-[0-9a-f]{24}$' }) },
  closed,
);
