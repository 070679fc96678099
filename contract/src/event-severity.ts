import type { Event, EventKind } from './event.ts';

/**
 * How grave a case is, for what must wait or give way: `let-pass` flags nobody, `order` hinders traffic, `safety` endangers life.
 */
export const EVENT_SEVERITIES = ['let-pass', 'order', 'safety'] as const;
export type EventSeverity = (typeof EVENT_SEVERITIES)[number];

/** The kinds that hinder; every other one endangers. A new kind counts as grave until it is listed here. */
export const ORDER_KINDS: ReadonlySet<EventKind> = new Set<EventKind>([
  'STOP_LINE',
  'LANE',
  'SOLID_LINE',
  'STOP_PARK',
  'FORBIDDEN_AREA',
  'BLOCKED_JUNCTION',
  'NO_MASK',
]);

export function computeEventSeverity(event: Pick<Event, 'kind' | 'letPass'>): EventSeverity {
  if (event.letPass !== undefined) return 'let-pass';
  return ORDER_KINDS.has(event.kind) ? 'order' : 'safety';
}
