import type { SqliteEventStore } from '@ngatu/cloud';
import { EVIDENCE_PRIORITIES } from '@ngatu/contract';

/** An original on its node. */
export interface DemandedOriginal {
  readonly sha256: string;
  readonly eventId: string;
  readonly site: string;
  readonly node: string;
}

/** Asks for an original as an officer does. */
export function demandOriginal(
  { transfers }: SqliteEventStore,
  original: DemandedOriginal,
  atMs: number,
): void {
  transfers.request({
    ...original,
    priority: EVIDENCE_PRIORITIES.demanded,
    cause: 'demanded',
    requestedBy: 'bench',
    requestedAt: new Date(atMs).toISOString(),
    reason: 'measurement',
  });
}
