import { Event, findSchemaIssues, SealedFacts } from '@ngatu/contract';
import type { BlurSubject } from '../evidence/blur-zone.ts';

/** What the outbox keeps beside an evidence job until it is finished: the event as it was appended, and what its seal will say. */
export interface EvidenceContext {
  readonly event: Event;
  readonly facts?: SealedFacts;
}

const CONTEXT_VERSION = 1;

export function encodeEvidenceContext({ event, facts }: EvidenceContext): string {
  return JSON.stringify({ version: CONTEXT_VERSION, event, facts });
}

/** Undefined where it is absent or of another version: the evidence is then made without it. */
export function decodeEvidenceContext(text: string | undefined): EvidenceContext | undefined {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('version' in value) || !('event' in value))
    return undefined;
  const { version, event } = value;
  if (version !== CONTEXT_VERSION || findSchemaIssues(Event, event, 1).length > 0) return undefined;
  const facts = 'facts' in value ? value.facts : undefined;
  const isReadable = facts !== undefined && findSchemaIssues(SealedFacts, facts, 1).length === 0;
  return { event: event as Event, ...(isReadable ? { facts: facts as SealedFacts } : {}) };
}

/** The road user of an event in source pixels, as those see it who must leave it unblurred. */
export function describeSubject({ subject, frame: { width, height } }: Event): BlurSubject {
  const toPixels = ([x1, y1, x2, y2]: readonly [number, number, number, number]) =>
    [x1 * width, y1 * height, x2 * width, y2 * height] as const;
  return {
    ...{ trackId: subject.trackId, label: subject.label, box: toPixels(subject.box) },
    occupants: subject.occupants.map(({ box }) => toPixels(box)),
  };
}
