import { computeEventSeverity, EVENT_SEVERITIES, type Event } from '@ngatu/contract';

/** Telemetry goes first, then cases by severity, the gravest last; screening with the let-pass cases. What tells of drops never goes. */
export const DROP_RANK = { telemetry: 0, screening: 1, gravest: EVENT_SEVERITIES.length, record: 9 } as const;

/** The rank of an event and of what belongs to it: 1 let-pass, 2 order, 3 safety. */
export function computeDropRank(event: Pick<Event, 'kind' | 'letPass'>): number {
  return 1 + EVENT_SEVERITIES.indexOf(computeEventSeverity(event));
}
