import { EventId } from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';

/** Schemas of the requests to see an original; the console takes its types from here. */

const closed = { additionalProperties: false } as const;
const Instant = Type.String({ format: 'date-time' });
const Text = Type.String({ minLength: 3, maxLength: 500 });

const OPENING_STATES = ['waiting', 'open', 'closed', 'refused', 'lapsed'] as const;

/** A request to see an original, as it stands now. */
export const OpeningStatus = Type.Object(
  {
    openingId: Type.String(),
    eventId: EventId,
    state: Type.Union(
      OPENING_STATES.map((state) => Type.Literal(state)),
      { description: '`waiting` for a second person; `open` until `openUntil`; `closed` after it.' },
    ),
    reason: Type.String(),
    requestedBy: Type.String(),
    requestedAt: Instant,
    lapsesAt: Instant,
    decidedBy: Type.Optional(Type.String()),
    decidedAt: Type.Optional(Instant),
    decisionReason: Type.Optional(Type.String()),
    openUntil: Type.Optional(Instant),
  },
  closed,
);
export type OpeningStatus = Static<typeof OpeningStatus>;

export const OpeningList = Type.Object(
  {
    items: Type.Array(OpeningStatus, { description: 'Newest first.' }),
    needsSecondPerson: Type.Boolean(),
    isOpen: Type.Boolean({ description: 'Whether the person who asks may see the original now.' }),
  },
  closed,
);
export type OpeningList = Static<typeof OpeningList>;

export const OpeningRequest = Type.Object({ reason: Text }, closed);
export const OpeningDecision = Type.Object(
  {
    decision: Type.Union([Type.Literal('granted'), Type.Literal('refused')]),
    reason: Text,
  },
  closed,
);
