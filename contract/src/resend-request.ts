import { type Static, Type } from '@sinclair/typebox';
import { OutboxId, Timestamp } from './id.ts';

/** Stretches that one request names at most. */
export const RESEND_RANGES_MAX = 100;

/**
 * Payload of the `resend` topic: the centre misses these numbers of an outbox. A node sends again what it still has, and explains the
 * rest in a numbered message of its own, so that no hole stays open. Asked again until it is closed.
 */
export const ResendRequest = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    outboxId: OutboxId,
    askedAt: Timestamp,
    ranges: Type.Array(
      Type.Object(
        { from: Type.Integer({ minimum: 1 }), to: Type.Integer({ minimum: 1 }) },
        { additionalProperties: false, description: 'Both inclusive.' },
      ),
      { minItems: 1, maxItems: RESEND_RANGES_MAX },
    ),
  },
  { additionalProperties: false, $id: 'ResendRequest' },
);
export type ResendRequest = Static<typeof ResendRequest>;
