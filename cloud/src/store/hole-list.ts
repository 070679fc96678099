import type { NodeState, SeqRange } from '@ngatu/contract';
import type Database from 'better-sqlite3';
import type { Hole, HoleState } from './delivery-store.ts';

/** Holes of one outbox that are kept; the rest shows as these are filled. */
const HOLES_KEPT = 1_000;

interface HoleRow extends SeqRange {
  readonly since: string;
  readonly asks: number;
  readonly askedAt: string | null;
}

/** Missing numbers of the outboxes, with since when. To be used inside a transaction of the caller where it writes. */
export class HoleList {
  readonly #outboxesWithHoles: Database.Statement<[], { outboxId: string }>;
  readonly #spans: Database.Statement<[string], SeqRange>;
  readonly #holes: Database.Statement<[string], HoleRow>;
  readonly #delete: Database.Statement<[string, number]>;
  readonly #insert: Database.Statement<(string | number | null)[]>;
  readonly #asked: Database.Statement<[string, string, number, number]>;

  constructor(database: Database.Database) {
    this.#outboxesWithHoles = database.prepare(
      `SELECT outbox_id AS outboxId FROM ledger_span GROUP BY outbox_id HAVING count(*) > 1 OR min(from_seq) > 1
         UNION SELECT DISTINCT outbox_id FROM hole`,
    );
    this.#spans = database.prepare(
      'SELECT from_seq AS "from", to_seq AS "to" FROM ledger_span WHERE outbox_id = ? ORDER BY from_seq',
    );
    this.#holes = database.prepare(
      `SELECT from_seq AS "from", to_seq AS "to", since, asks, asked_at AS askedAt FROM hole
         WHERE outbox_id = ? ORDER BY from_seq`,
    );
    this.#delete = database.prepare('DELETE FROM hole WHERE outbox_id = ? AND from_seq = ?');
    this.#insert = database.prepare(
      `INSERT INTO hole (outbox_id, from_seq, to_seq, since, asks, asked_at) VALUES (?, ?, ?, ?, ?, ?)`,
    );
    this.#asked = database.prepare(
      'UPDATE hole SET asks = asks + 1, asked_at = ? WHERE outbox_id = ? AND from_seq <= ? AND to_seq >= ?',
    );
  }

  /** @param tails what the nodes say of their current outboxes, by outbox */
  refresh(at: string, tails: ReadonlyMap<string, NonNullable<NodeState['outbox']>>): void {
    const outboxes = new Set(this.#outboxesWithHoles.all().map(({ outboxId }) => outboxId));
    for (const outboxId of tails.keys()) outboxes.add(outboxId);
    for (const outboxId of outboxes) this.#refreshOne(outboxId, tails.get(outboxId), at);
  }

  list(outboxId: string): HoleRow[] {
    return this.#holes.all(outboxId);
  }

  noteAsked(outboxId: string, { from, to }: SeqRange, at: string): void {
    this.#asked.run(at, outboxId, to, from);
  }

  #refreshOne(outboxId: string, tail: NodeState['outbox'], at: string): void {
    const known = this.#holes.all(outboxId);
    const now = this.#computeHoles(outboxId, tail);
    const stays = new Set<number>();
    for (const row of known) {
      if (now.some(({ from, to }) => from === row.from && to === row.to)) stays.add(row.from);
      else this.#delete.run(outboxId, row.from);
    }
    for (const hole of now) {
      if (stays.has(hole.from)) continue;
      // What is left of an older hole is missing for as long as that was.
      const before = known.filter(({ from, to }) => from <= hole.to && hole.from <= to);
      const since = before.reduce((oldest, row) => (row.since < oldest ? row.since : oldest), at);
      const asks = Math.max(0, ...before.map((row) => row.asks));
      const askedAt = before.reduce<string | null>((latest, row) => maxOf(latest, row.askedAt), null);
      this.#insert.run(outboxId, hole.from, hole.to, since, asks, askedAt);
    }
  }

  #computeHoles(outboxId: string, tail: NodeState['outbox']): SeqRange[] {
    const holes: SeqRange[] = [];
    let next = 1;
    for (const { from, to } of this.#spans.iterate(outboxId)) {
      if (from > next) holes.push({ from: next, to: from - 1 });
      next = to + 1;
    }
    // What lies above the highest number here and does not wait at the node any more was acknowledged once, and is gone here.
    const through = tail === undefined ? 0 : (tail.oldestSeq ?? tail.newestSeq + 1) - 1;
    if (through >= next) holes.push({ from: next, to: through });
    return holes.slice(0, HOLES_KEPT);
  }
}

function maxOf(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return a > b ? a : b;
}

/**
 * The hole as it is to be shown, cut where the node's outbox begins: what lies in there is on its way.
 * @param tail what the node says of this outbox; undefined where it is not its current one, or it says nothing
 */
export function describeHole(row: HoleRow, tail: NodeState['outbox'], isCurrent: boolean): Hole[] {
  const { from, to, since, asks, askedAt } = row;
  const about = { since, asks, ...(askedAt === null ? {} : { askedAt }) };
  const state: HoleState = !isCurrent ? 'abandoned' : asks > 0 ? 'asked' : 'open';
  const queuedFrom = isCurrent && tail !== undefined && tail.waiting > 0 ? tail.oldestSeq : undefined;
  if (queuedFrom === undefined || queuedFrom > to) return [{ from, to, state, ...about }];
  const queued: Hole = { from: Math.max(from, queuedFrom), to, state: 'queued', ...about };
  return from < queuedFrom ? [{ from, to: queuedFrom - 1, state, ...about }, queued] : [queued];
}
