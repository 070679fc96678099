import { type Static, Type } from '@sinclair/typebox';
import { ERROR_CODES, type ErrorCode } from './error-code.ts';
import { Event } from './event.ts';
import { EvidenceManifest } from './evidence.ts';
import { OutboxId, Timestamp } from './id.ts';
import { ScreeningReport } from './screening-report.ts';
import { Telemetry } from './telemetry.ts';
import type { NumberedChannel } from './topic.ts';

/** The version that this build writes; an ingestor dead-letters versions that it does not know. */
export const SCHEMA_VERSION = 1;

/** A larger payload is refused unread. */
export const MESSAGE_MAX_BYTES = 256 * 1024;

const delivery = {
  schemaVersion: Type.Literal(SCHEMA_VERSION),
  outboxId: OutboxId,
  seq: Type.Integer({ minimum: 1, description: 'Number in the outbox, from 1, without holes.' }),
  publishedAt: Timestamp,
};

/** The part of every numbered message that can be trusted to answer it even where its body is refused. */
export const EnvelopeHead = Type.Object(delivery, { additionalProperties: true });

/** Payload schema of each numbered channel. */
export const ENVELOPES = {
  event: Type.Object({ ...delivery, body: Event }, { additionalProperties: false, $id: 'EventEnvelope' }),
  evidence: Type.Object(
    { ...delivery, body: EvidenceManifest },
    { additionalProperties: false, $id: 'EvidenceEnvelope' },
  ),
  screening: Type.Object(
    { ...delivery, body: ScreeningReport },
    { additionalProperties: false, $id: 'ScreeningEnvelope' },
  ),
  telemetry: Type.Object(
    { ...delivery, body: Telemetry },
    { additionalProperties: false, $id: 'TelemetryEnvelope' },
  ),
} as const;

export type EnvelopeBody = {
  event: Event;
  evidence: EvidenceManifest;
  screening: ScreeningReport;
  telemetry: Telemetry;
};
export type Envelope<C extends NumberedChannel = NumberedChannel> = {
  [K in C]: { schemaVersion: 1; outboxId: string; seq: number; publishedAt: string; body: EnvelopeBody[K] };
}[C];

/**
 * Payload of the `ack` topic: what the ingestor has committed. An entry leaves the outbox only by standing here.
 * `rejected` numbers are dead-lettered at the centre with the same code; sending them again would not help.
 */
export const Ack = Type.Object(
  {
    schemaVersion: Type.Literal(SCHEMA_VERSION),
    outboxId: OutboxId,
    committed: Type.Array(Type.Integer({ minimum: 1 }), { maxItems: 1000 }),
    rejected: Type.Array(
      Type.Object(
        {
          seq: Type.Integer({ minimum: 1 }),
          code: Type.Union((Object.keys(ERROR_CODES) as ErrorCode[]).map((code) => Type.Literal(code))),
          reason: Type.String({ maxLength: 500 }),
        },
        { additionalProperties: false },
      ),
      { maxItems: 1000 },
    ),
  },
  { additionalProperties: false, $id: 'Ack' },
);
export type Ack = Static<typeof Ack>;
