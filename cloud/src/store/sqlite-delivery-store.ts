import type { DropItem, DropManner, NodeState, SeqRange } from '@ngatu/contract';
import { RESEND_RANGES_MAX } from '@ngatu/contract';
import type Database from 'better-sqlite3';
import type {
  DeliveryFigures,
  DeliveryStore,
  DroppedItem,
  Hole,
  NodeDelivery,
  OutboxDelivery,
  ResendAsking,
} from './delivery-store.ts';
import { describeHole, HoleList } from './hole-list.ts';
import type { NodeRegister } from './node-register.ts';

/** A hole this young may still be on its way, ms: a lease of the node and some. */
const SETTLING_MS = 15_000;
/** Wait before the second question for a hole; doubled with every further one, ms. */
const ASK_AGAIN = { firstMs: 15_000, capMs: 600_000 } as const;
/** A conflict that was not seen for this long is over, ms. */
const CONFLICT_LASTS_MS = 600_000;
const HOLES_LISTED = 100;
/** Outboxes of one node that are listed, newest first. */
const OUTBOXES_LISTED = 20;

interface OutboxRow {
  readonly outboxId: string;
  readonly site: string;
  readonly node: string;
  readonly ordinal: number;
  readonly firstAt: string | null;
  readonly lastAt: string | null;
}

interface Access {
  transact<T>(work: () => T): T;
  read<T>(work: () => T): T;
}

export class SqliteDeliveryStore implements DeliveryStore {
  readonly #nodes: NodeRegister;
  readonly #holes: HoleList;
  readonly #access: Access;
  readonly #outboxes: Database.Statement<[], OutboxRow>;
  readonly #spanBelow: Database.Statement<[string, number], { toSeq: number }>;
  readonly #firstSpan: Database.Statement<[string], { toSeq: number }>;
  readonly #explained: Database.Statement<[string], { manner: DropManner; numbers: number }>;
  readonly #countItems: Database.Statement<[string, string], { total: number }>;
  readonly #items: Database.Statement<
    [{ site: string | null; node: string | null; sites: string | null; limit: number }],
    { site: string; node: string; outboxId: string; body: string }
  >;

  constructor(database: Database.Database, nodes: NodeRegister, access: Access) {
    this.#nodes = nodes;
    this.#holes = new HoleList(database);
    this.#access = access;
    this.#outboxes = database.prepare(
      `SELECT outbox_id AS outboxId, site, node, ordinal, first_at AS firstAt, last_at AS lastAt FROM outbox
         ORDER BY site, node, ordinal DESC`,
    );
    this.#spanBelow = database.prepare(
      `SELECT to_seq AS toSeq FROM ledger_span WHERE outbox_id = ? AND from_seq <= ?
         ORDER BY from_seq DESC LIMIT 1`,
    );
    this.#firstSpan = database.prepare(
      'SELECT to_seq AS toSeq FROM ledger_span WHERE outbox_id = ? AND from_seq = 1',
    );
    this.#explained = database.prepare(
      'SELECT manner, sum(to_seq - from_seq + 1) AS numbers FROM explained WHERE outbox_id = ? GROUP BY manner',
    );
    this.#countItems = database.prepare(
      'SELECT count(*) AS total FROM dropped_item WHERE site = ? AND node = ?',
    );
    this.#items = database.prepare(
      `SELECT site, node, outbox_id AS outboxId, body FROM dropped_item
         WHERE (@site IS NULL OR site = @site) AND (@node IS NULL OR node = @node)
           AND (@sites IS NULL OR site IN (SELECT value FROM json_each(@sites)))
         ORDER BY dropped_at DESC, item_id DESC LIMIT @limit`,
    );
  }

  isSettled(outboxId: string, seq: number): boolean {
    return this.#access.read(() => (this.#spanBelow.get(outboxId, seq)?.toSeq ?? 0) >= seq);
  }

  refreshHoles(at: string): void {
    this.#access.transact(() => {
      const tails = new Map<string, NonNullable<NodeState['outbox']>>();
      for (const { state } of this.#nodes.list()) {
        if (state.outbox !== undefined) tails.set(state.outbox.outboxId, state.outbox);
      }
      this.#holes.refresh(at, tails);
    });
  }

  listAskings(at: string): ResendAsking[] {
    const nowMs = Date.parse(at);
    const isDue = ({ state, since, asks, askedAt }: Hole): boolean => {
      if (state !== 'open' && state !== 'asked') return false;
      if (nowMs - Date.parse(since) < SETTLING_MS) return false;
      const waitMs = Math.min(ASK_AGAIN.capMs, ASK_AGAIN.firstMs * 2 ** Math.min(asks, 16));
      return askedAt === undefined || nowMs - Date.parse(askedAt) >= waitMs;
    };
    return this.listDelivery()
      .filter(({ state }) => state?.state === 'online')
      .flatMap(({ site, node, outboxes }) =>
        outboxes.flatMap(({ outboxId, holes }): ResendAsking[] => {
          const ranges: SeqRange[] = holes.filter(isDue).map(({ from, to }) => ({ from, to }));
          return ranges.length === 0
            ? []
            : [{ site, node, outboxId, ranges: ranges.slice(0, RESEND_RANGES_MAX) }];
        }),
      );
  }

  noteAsked({ outboxId, ranges }: ResendAsking, at: string): void {
    this.#access.transact(() => {
      for (const range of ranges) this.#holes.noteAsked(outboxId, range, at);
    });
  }

  listDelivery(sites?: readonly string[]): NodeDelivery[] {
    return this.#access.read(() => {
      const nodes = new Map<string, { site: string; node: string; outboxes: OutboxRow[] }>();
      const nodeOf = (site: string, node: string): { outboxes: OutboxRow[] } => {
        const key = `${site}/${node}`;
        const entry = nodes.get(key) ?? { site, node, outboxes: [] };
        nodes.set(key, entry);
        return entry;
      };
      for (const { site, node } of this.#nodes.list()) nodeOf(site, node);
      for (const row of this.#outboxes.all()) nodeOf(row.site, row.node).outboxes.push(row);
      return [...nodes.entries()]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .filter(([, { site }]) => sites === undefined || sites.includes(site))
        .map(([, { site, node, outboxes }]) => this.#describeNode(site, node, outboxes));
    });
  }

  listDroppedItems(request: Parameters<DeliveryStore['listDroppedItems']>[0]): DroppedItem[] {
    const { site = null, node = null, sites, limit } = request;
    return this.#access.read(() =>
      this.#items
        .all({ site, node, sites: sites === undefined ? null : JSON.stringify(sites), limit })
        .map(({ body, ...origin }) => ({ ...origin, item: JSON.parse(body) as DropItem })),
    );
  }

  computeFigures(at: string): DeliveryFigures {
    const nowMs = Date.parse(at);
    let outboxesWithHoles = 0;
    let missingNumbers = 0;
    let oldestHoleAgeMs = 0;
    for (const { outboxes } of this.listDelivery()) {
      for (const { holes } of outboxes) {
        const open = holes.filter(({ state }) => state === 'open' || state === 'asked');
        if (open.length > 0) outboxesWithHoles += 1;
        for (const { from, to, since } of open) {
          missingNumbers += to - from + 1;
          oldestHoleAgeMs = Math.max(oldestHoleAgeMs, nowMs - Date.parse(since));
        }
      }
    }
    const recent = new Date(nowMs - CONFLICT_LASTS_MS).toISOString();
    const conflicts = this.#access.read(() => this.#nodes.countConflictsSince(recent));
    return { outboxesWithHoles, missingNumbers, oldestHoleAgeMs, conflicts };
  }

  #describeNode(site: string, node: string, rows: readonly OutboxRow[]): NodeDelivery {
    const state = this.#nodes.read(site, node);
    return {
      site,
      node,
      ...(state === undefined ? {} : { state }),
      outboxes: rows
        .slice(0, OUTBOXES_LISTED)
        .map((row) => this.#describeOutbox(row, state?.outbox, isSpeaking(row, rows[0]))),
      conflicts: this.#nodes.listConflicts(site, node),
      droppedItems: this.#countItems.get(site, node)?.total ?? 0,
    };
  }

  #describeOutbox(row: OutboxRow, tail: NodeState['outbox'], current: boolean): OutboxDelivery {
    const { outboxId, firstAt, lastAt } = row;
    const own = tail?.outboxId === outboxId ? tail : undefined;
    const holes = this.#holes.list(outboxId).flatMap((hole) => describeHole(hole, own, current));
    const explained = Object.fromEntries(
      this.#explained.all(outboxId).map(({ manner, numbers }) => [manner, numbers]),
    );
    return {
      outboxId,
      current,
      ...(firstAt === null ? {} : { firstAt }),
      ...(lastAt === null ? {} : { lastAt }),
      committedThrough: this.#firstSpan.get(outboxId)?.toSeq ?? 0,
      holes: holes.slice(0, HOLES_LISTED),
      holesUnlisted: Math.max(0, holes.length - HOLES_LISTED),
      explained,
    };
  }
}

/** Two machines under one name: an outbox that spoke after a newer one had begun is not replaced by it. */
function isSpeaking(row: OutboxRow, newest: OutboxRow | undefined): boolean {
  if (newest === undefined || row.outboxId === newest.outboxId) return true;
  return row.lastAt !== null && newest.firstAt !== null && row.lastAt > newest.firstAt;
}
