import {
  ENVELOPES,
  type Envelope,
  type ErrorCode,
  findSchemaIssues,
  MESSAGE_MAX_BYTES,
  NodeState,
  NUMBERED_CHANNELS,
  type NumberedChannel,
  OutboxId,
  parseTopic,
  SCHEMA_VERSION,
  type TopicParts,
} from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';
import type { CommitItem, DeadLetter } from '../store/event-store.ts';

/** What a payload turned out to be. */
export type Intake =
  | { readonly kind: 'item'; readonly item: CommitItem }
  | { readonly kind: 'state'; readonly site: string; readonly node: string; readonly state: NodeState }
  | { readonly kind: 'refused'; readonly letter: DeadLetter };

/** The least that names a message. Looser than `EnvelopeHead`, so that a version that is not known is answered too. */
const Numbered = Type.Object({
  outboxId: OutboxId,
  seq: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
});
type Numbered = Static<typeof Numbered>;

/** What an ingestor takes. */
const UPLINK_CHANNELS = [...NUMBERED_CHANNELS, 'state'] as const;

/** Of a payload that is too large, only this much is looked at and kept. */
const LARGE_PREFIX_BYTES = 4 * 1024;
const REASON_MAX_LENGTH = 400;

interface Refusal {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly head?: Numbered;
}

/** Judges one message of the broker. Never throws: what cannot be accepted is a dead letter with its reason. */
export function decodeMessage(topic: string, payload: Uint8Array, receivedAt: string): Intake {
  const parts = parseTopic(topic);
  const channel = UPLINK_CHANNELS.find((name) => name === parts?.channel);
  if (parts === undefined || channel === undefined) {
    const refusal: Refusal = { code: 'TOPIC_INVALID', reason: 'not a topic of ngatu that an ingestor takes' };
    return { kind: 'refused', letter: buildLetter({ topic, payload, receivedAt }, undefined, refusal) };
  }
  const { site, node } = parts;
  const refuse = (refusal: Refusal): Intake => {
    return { kind: 'refused', letter: buildLetter({ topic, payload, receivedAt }, parts, refusal) };
  };
  if (payload.length > MESSAGE_MAX_BYTES) return refuse(refuseLarge(payload));
  const value = decodeJson(payload);
  if (value === undefined)
    return refuse({ code: 'MESSAGE_NOT_JSON', reason: 'the payload is not UTF-8 JSON' });
  if (channel !== 'state') {
    const envelope = checkEnvelope(value, parts, channel);
    if ('code' in envelope) return refuse(envelope);
    const { outboxId, seq, publishedAt, body } = envelope;
    // The schema of the channel was checked against just this body.
    const message = { channel, body } as CommitItem['message'];
    return { kind: 'item', item: { site, node, outboxId, seq, publishedAt, message } };
  }
  const refusal = checkSchema(NodeState, value);
  return refusal === undefined ? { kind: 'state', site, node, state: value as NodeState } : refuse(refusal);
}

function decodeJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return undefined;
  }
}

function checkEnvelope(
  value: unknown,
  { site, node }: TopicParts,
  channel: NumberedChannel,
): Envelope | Refusal {
  const head = findSchemaIssues(Numbered, value, 1).length === 0 ? { head: value as Numbered } : {};
  const refusal = checkSchema(ENVELOPES[channel], value);
  if (refusal !== undefined) return { ...refusal, ...head };
  const envelope = value as Envelope;
  const { body } = envelope;
  if (body.site !== site || body.node !== node) {
    const reason = `the topic names ${site}/${node}, the payload ${body.site}/${body.node}`;
    return { code: 'TOPIC_INVALID', reason, ...head };
  }
  const impossible = findImpossibleTime(body, '');
  if (impossible !== undefined) return { code: 'MESSAGE_INVALID', reason: impossible, ...head };
  return envelope;
}

function checkSchema(schema: Parameters<typeof findSchemaIssues>[0], value: unknown): Refusal | undefined {
  const issues = findSchemaIssues(schema, value, 3);
  if (issues.length === 0) return undefined;
  const version =
    typeof value === 'object' && value !== null && 'schemaVersion' in value ? value.schemaVersion : undefined;
  if (typeof version === 'number' && version !== SCHEMA_VERSION) {
    return { code: 'MESSAGE_VERSION', reason: `schema version ${version} is not known here` };
  }
  const reason = issues.map((issue) => `${issue.path === '' ? '/' : issue.path}: ${issue.reason}`).join('; ');
  return { code: 'MESSAGE_INVALID', reason: reason.slice(0, REASON_MAX_LENGTH) };
}

const TIME_FIELDS = new Set(['at', 'capturedAt', 'createdAt', 'detectedAt', 'droppedAt', 'from', 'to']);

/** A time that matches the pattern and is none (month 13), or an interval that ends before it begins. */
function findImpossibleTime(value: unknown, path: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, field] of Object.entries(value)) {
    const isTime = TIME_FIELDS.has(name) && typeof field === 'string' && !Array.isArray(value);
    if (isTime && path.endsWith('/tags') === false && Number.isNaN(Date.parse(field))) {
      return `${path}/${name}: there is no such time`;
    }
    const inner = findImpossibleTime(field, `${path}/${name}`);
    if (inner !== undefined) return inner;
  }
  const { from, to } = value as { from?: unknown; to?: unknown };
  if (typeof from === 'string' && typeof to === 'string' && path.includes('/intervals/') && from > to) {
    return `${path}: it ends before it begins`;
  }
  return undefined;
}

/** Our own envelopes begin with their head, so that a payload that is refused unread can still be answered. */
function refuseLarge(payload: Uint8Array): Refusal {
  const refusal: Refusal = {
    code: 'MESSAGE_TOO_LARGE',
    reason: `${payload.length} bytes, limit ${MESSAGE_MAX_BYTES}`,
  };
  const prefix = new TextDecoder().decode(payload.subarray(0, LARGE_PREFIX_BYTES));
  const found = /^\s*\{\s*"schemaVersion":\s*\d+,\s*"outboxId":\s*"([^"]+)",\s*"seq":\s*(\d+),/.exec(prefix);
  const head = { outboxId: found?.[1], seq: Number(found?.[2]) };
  return findSchemaIssues(Numbered, head, 1).length === 0 ? { ...refusal, head: head as Numbered } : refusal;
}

function buildLetter(
  message: { topic: string; payload: Uint8Array; receivedAt: string },
  parts: TopicParts | undefined,
  { code, reason, head }: Refusal,
): DeadLetter {
  const tooLarge = message.payload.length > MESSAGE_MAX_BYTES;
  const letter = {
    ...message,
    payload: tooLarge ? message.payload.slice(0, LARGE_PREFIX_BYTES) : message.payload,
    code,
    reason,
  };
  if (parts === undefined || parts.channel === 'state' || head === undefined) return letter;
  return {
    ...letter,
    settles: { site: parts.site, node: parts.node, outboxId: head.outboxId, seq: head.seq },
  };
}
