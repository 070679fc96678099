import type { DirectiveKind, DirectiveSet } from '@ngatu/contract';

/** A directive as the centre keeps it: what the node is told, and who said it. All instants RFC 3339. */
export interface DirectiveRecord {
  readonly directiveId: string;
  readonly site: string;
  readonly node: string;
  readonly camera: string;
  readonly kind: DirectiveKind;
  readonly from: string;
  /** When it ends, or ended early. */
  readonly until: string;
  readonly plannedUntil: string;
  readonly reason: string;
  readonly declaredBy: string;
  readonly declaredAt: string;
  readonly endedBy?: string;
  readonly endedAt?: string;
  readonly endReason?: string;
  /** The node has it once it reports a set of this revision or a later one. */
  readonly revision: number;
}

export interface DirectiveFilter {
  readonly camera?: { readonly site: string; readonly node: string; readonly camera: string };
  /** Only directives of these sites; an empty list finds none. */
  readonly sites?: readonly string[];
  /** Only those that end after this instant. */
  readonly endsAfter?: string;
  readonly limit: number;
}

/** Directives of the centre. Each method is one transaction; ingestor and API may hold the store at once. */
export interface DirectiveStore {
  /** Returns undefined where the node already holds as many unended directives as it can take. */
  declare(
    directive: Omit<DirectiveRecord, 'plannedUntil' | 'revision' | 'endedBy' | 'endedAt' | 'endReason'>,
  ): DirectiveRecord | undefined;
  /** Ends it now, or at its beginning where that is still to come. With `sites` one of another site is unknown. */
  end(
    directiveId: string,
    by: {
      readonly actor: string;
      readonly at: string;
      readonly reason: string;
      readonly sites?: readonly string[];
    },
  ):
    | { readonly outcome: 'ended' | 'already-ended'; readonly record: DirectiveRecord }
    | { outcome: 'unknown' };
  /** Newest declaration first. */
  list(filter: DirectiveFilter): DirectiveRecord[];
  /** The revision of every node that ever had a directive. */
  listRevisions(): { readonly site: string; readonly node: string; readonly revision: number }[];
  /** What the node must know at `at`: in force, to come, and lately ended. */
  buildSet(node: { site: string; node: string }, at: string): DirectiveSet | undefined;
}
