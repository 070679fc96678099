import { type Static, Type } from '@sinclair/typebox';

/** A name that may stand in a topic, a path and a file name: lower-case letters, digits and single hyphens. */
export const Slug = Type.String({
  pattern: '^[a-z0-9]+(-[a-z0-9]+)*$',
  maxLength: 64,
  description: 'Name of lower-case letters, digits and hyphens.',
});

export const Sha256 = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: 'SHA-256, 64 hexadecimal digits.',
});

/** RFC 3339 UTC with milliseconds, as `Date.toISOString` writes it. */
export const Timestamp = Type.String({
  pattern:
    '^\\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d\\.\\d{3}Z$',
  description: 'RFC 3339 UTC with milliseconds.',
});

/** Derived from what happened, so that a replay, a restart or a redelivery names the same event (DESIGN invariant 2). */
export const EventId = Type.String({
  pattern: '^ev-[0-9a-f]{32}$',
  description: 'Derived from camera, rule, instant and place of the decisive moment.',
});
export type EventId = Static<typeof EventId>;

/** Identity of one outbox database. A node whose disk was replaced numbers from 1 again under a new one. */
export const OutboxId = Type.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
  description: 'UUID of the outbox database that numbered the message.',
});

const Fraction = Type.Number({ minimum: 0, maximum: 1 });

/** Box in 0–1 of the frame's width and height, [x1, y1, x2, y2]. */
export const WireBox = Type.Tuple([Fraction, Fraction, Fraction, Fraction], {
  description: 'Box [x1, y1, x2, y2] as fractions 0–1 of the frame width and height.',
});

/** Point in 0–1 of the frame's width and height, [x, y]. */
export const WirePoint = Type.Tuple([Fraction, Fraction], {
  description: 'Point [x, y] as fractions 0–1 of the frame width and height.',
});

/** The words of a sentence in the two languages of the console. */
export const LocalizedText = Type.Object(
  { vi: Type.String({ maxLength: 600 }), en: Type.String({ maxLength: 600 }) },
  { additionalProperties: false },
);
export type LocalizedText = Static<typeof LocalizedText>;
