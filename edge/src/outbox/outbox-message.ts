import {
  ENVELOPES,
  type EnvelopeBody,
  findSchemaIssues,
  MESSAGE_MAX_BYTES,
  NgatuError,
  type NumberedChannel,
} from '@ngatu/contract';
import { computeDropRank, DROP_RANK } from './drop-rank.ts';

/** A message that waits for its number. */
export type OutboxMessage = {
  [C in NumberedChannel]: { readonly channel: C; readonly body: EnvelopeBody[C] };
}[NumberedChannel];

/** What the envelope adds to a body, bytes, rounded up. */
const ENVELOPE_BYTES = 256;

export interface EncodedMessage {
  readonly channel: NumberedChannel;
  readonly eventId?: string;
  /** The event that it is about. */
  readonly caseId?: string;
  readonly camera?: string;
  /** When it is dropped; absent where it is that of the event that it is about. */
  readonly dropRank?: number;
  readonly body: string;
  /** What the entry counts against the limit of the outbox, bytes. */
  readonly sizeBytes: number;
}

/**
 * The stored form of a message. What the centre would refuse for good is refused here, where the fault can be found.
 * @throws NgatuError MESSAGE_INVALID, MESSAGE_TOO_LARGE
 */
export function encodeOutboxMessage(message: OutboxMessage): EncodedMessage {
  const issue = findSchemaIssues(ENVELOPES[message.channel].properties.body, message.body, 1)[0];
  if (issue !== undefined) {
    throw new NgatuError(
      'MESSAGE_INVALID',
      `Cannot append a message of channel "${message.channel}": ${issue.path || '/'}: ${issue.reason}`,
    );
  }
  const body = JSON.stringify(message.body);
  const sizeBytes = Buffer.byteLength(body) + ENVELOPE_BYTES;
  if (sizeBytes > MESSAGE_MAX_BYTES) {
    throw new NgatuError(
      'MESSAGE_TOO_LARGE',
      `Cannot append a message of channel "${message.channel}": ${sizeBytes} bytes, limit ${MESSAGE_MAX_BYTES}`,
    );
  }
  return {
    channel: message.channel,
    ...describeCase(message),
    ...('camera' in message.body && message.body.camera !== undefined ? { camera: message.body.camera } : {}),
    body,
    sizeBytes,
  };
}

function describeCase(message: OutboxMessage): Pick<EncodedMessage, 'eventId' | 'caseId' | 'dropRank'> {
  switch (message.channel) {
    case 'event': {
      const { eventId } = message.body;
      return { eventId, caseId: eventId, dropRank: computeDropRank(message.body) };
    }
    case 'evidence':
      return { caseId: message.body.eventId };
    case 'screening':
      return { dropRank: DROP_RANK.screening };
    case 'telemetry':
      return { dropRank: DROP_RANK.telemetry };
  }
}
