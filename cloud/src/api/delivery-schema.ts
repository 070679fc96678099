import { DropItem, type NodeState, OutboxId, Slug, Timestamp } from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';
import { CONFLICT_KINDS, HOLE_STATES } from '../store/delivery-store.ts';

const closed = { additionalProperties: false };
const Count = Type.Integer({ minimum: 0 });

const Hole = Type.Object(
  {
    from: Count,
    to: Count,
    state: Type.Union(
      HOLE_STATES.map((state) => Type.Literal(state)),
      {
        description:
          'queued: the node still has the numbers; open: they should be here; asked: the node was asked for them; abandoned: their outbox was replaced.',
      },
    ),
    since: Timestamp,
    asks: Count,
    askedAt: Type.Optional(Timestamp),
  },
  closed,
);

const OutboxDelivery = Type.Object(
  {
    outboxId: OutboxId,
    current: Type.Boolean({ description: 'False where the node has replaced it.' }),
    firstAt: Type.Optional(Timestamp),
    lastAt: Type.Optional(Timestamp),
    committedThrough: Count,
    holes: Type.Array(Hole),
    holesUnlisted: Count,
    explained: Type.Record(Type.String(), Count, {
      description: 'Numbers that will never come, by reason: thinned, dropped, gone, renumbered, skipped.',
    }),
  },
  closed,
);

const Conflict = Type.Object(
  {
    kind: Type.Union(CONFLICT_KINDS.map((kind) => Type.Literal(kind))),
    one: Type.String(),
    other: Type.String(),
    certificates: Type.Optional(Type.Array(Type.String())),
    firstAt: Timestamp,
    lastAt: Timestamp,
    sightings: Count,
  },
  closed,
);

export const DeliveryReport = Type.Object(
  {
    nodes: Type.Array(
      Type.Object(
        {
          site: Slug,
          node: Slug,
          state: Type.Optional(Type.Unsafe<NodeState>({ $ref: 'NodeState#' })),
          outboxes: Type.Array(OutboxDelivery),
          conflicts: Type.Array(Conflict, {
            description: 'Two machines that speak under the name of the node.',
          }),
          droppedItems: Count,
        },
        closed,
      ),
    ),
  },
  closed,
);
export type DeliveryReport = Static<typeof DeliveryReport>;

export const DroppedQuery = Type.Object(
  { limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }) },
  closed,
);

export const DroppedList = Type.Object(
  {
    items: Type.Array(Type.Object({ site: Slug, node: Slug, outboxId: OutboxId, item: DropItem }, closed)),
  },
  closed,
);
