import type { DropItem, DropManner, NodeState, SeqRange } from '@ngatu/contract';

/**
 * What is known of a hole. `queued`: the node still has the numbers. `open`: they should be here. `asked`: the node was asked for them.
 * `abandoned`: their outbox was replaced, nobody can be asked.
 */
export const HOLE_STATES = ['queued', 'open', 'asked', 'abandoned'] as const;
export type HoleState = (typeof HOLE_STATES)[number];

export interface Hole extends SeqRange {
  readonly state: HoleState;
  readonly since: string;
  /** How often the node was asked, and when last. */
  readonly asks: number;
  readonly askedAt?: string;
}

/** Why two machines are seen under one name. `same-numbers`: also under one outbox (a copied disk). */
export const CONFLICT_KINDS = ['two-agents', 'two-outboxes', 'same-numbers'] as const;
export type ConflictKind = (typeof CONFLICT_KINDS)[number];

export interface NodeConflict {
  readonly kind: ConflictKind;
  /** The two outboxes; for `two-agents` the two starts. */
  readonly one: string;
  readonly other: string;
  /** SHA-256 of the certificates of the two, where they differ. */
  readonly certificates?: readonly string[];
  readonly firstAt: string;
  readonly lastAt: string;
  readonly sightings: number;
}

/** One outbox of a node: its numbers are never mixed with those of another one. */
export interface OutboxDelivery {
  readonly outboxId: string;
  /** The one that the node began last. */
  readonly current: boolean;
  readonly firstAt?: string;
  readonly lastAt?: string;
  readonly committedThrough: number;
  readonly holes: readonly Hole[];
  /** Holes that are not listed. */
  readonly holesUnlisted: number;
  /** Numbers that will never come, by reason. */
  readonly explained: Readonly<Partial<Record<DropManner, number>>>;
}

export interface NodeDelivery {
  readonly site: string;
  readonly node: string;
  readonly state?: NodeState;
  readonly outboxes: readonly OutboxDelivery[];
  readonly conflicts: readonly NodeConflict[];
  /** Events, manifests and files that the node had to drop. */
  readonly droppedItems: number;
}

export interface DroppedItem {
  readonly site: string;
  readonly node: string;
  readonly outboxId: string;
  readonly item: DropItem;
}

/** Figures of all nodes, for health and metrics. */
export interface DeliveryFigures {
  /** Outboxes with numbers that should be here. */
  readonly outboxesWithHoles: number;
  readonly missingNumbers: number;
  readonly oldestHoleAgeMs: number;
  /** Conflicts that were seen in the last ten minutes. */
  readonly conflicts: number;
}

export interface ResendAsking {
  readonly site: string;
  readonly node: string;
  readonly outboxId: string;
  readonly ranges: readonly SeqRange[];
}

/** Who has delivered what: holes, drops and conflicts of the nodes' numbers. All times are RFC 3339 UTC. */
export interface DeliveryStore {
  /** True where the number needs no more work: it was committed, refused or explained. */
  isSettled(outboxId: string, seq: number): boolean;
  /** Brings the list of holes up to date with the ledger. */
  refreshHoles(at: string): void;
  /** What should be asked for now: holes of nodes that are online, each again after a growing wait. */
  listAskings(at: string): ResendAsking[];
  noteAsked(asking: ResendAsking, at: string): void;
  /** With `sites` only their nodes. */
  listDelivery(sites?: readonly string[]): NodeDelivery[];
  /** Newest first; with `sites` only of their nodes. */
  listDroppedItems(request: {
    readonly limit: number;
    readonly site?: string;
    readonly node?: string;
    readonly sites?: readonly string[];
  }): DroppedItem[];
  computeFigures(at: string): DeliveryFigures;
}
