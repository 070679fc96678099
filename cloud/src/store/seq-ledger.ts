import type { SeqRange } from '@ngatu/contract';
import type Database from 'better-sqlite3';

interface SpanRow {
  readonly fromSeq: number;
  readonly toSeq: number;
}

/** Missing numbers that are listed at most. */
const MISSING_LISTED = 1_000;

/**
 * Which numbers of each outbox are settled, as few disjoint spans as possible: without holes it is one row an outbox,
 * whatever their count. To be used inside a transaction of the caller.
 */
export class SeqLedger {
  readonly #owner: Database.Statement<[string], { site: string; node: string }>;
  readonly #claim: Database.Statement<[string, string, string]>;
  readonly #below: Database.Statement<[string, number], SpanRow>;
  readonly #touching: Database.Statement<[string, number, number], SpanRow>;
  readonly #insert: Database.Statement<[string, number, number]>;
  readonly #delete: Database.Statement<[string, number]>;
  readonly #spans: Database.Statement<[string], SpanRow>;
  readonly #current: Database.Statement<[string, string], { outboxId: string }>;

  constructor(database: Database.Database) {
    const columns = 'from_seq AS fromSeq, to_seq AS toSeq';
    this.#owner = database.prepare('SELECT site, node FROM outbox WHERE outbox_id = ?');
    this.#claim = database.prepare(
      `INSERT INTO outbox (outbox_id, site, node, ordinal)
         SELECT ?, ?, ?, coalesce(max(ordinal), 0) + 1 FROM outbox`,
    );
    this.#below = database.prepare(
      `SELECT ${columns} FROM ledger_span WHERE outbox_id = ? AND from_seq <= ? ORDER BY from_seq DESC LIMIT 1`,
    );
    this.#touching = database.prepare(
      `SELECT ${columns} FROM ledger_span WHERE outbox_id = ? AND from_seq > ? AND from_seq <= ? ORDER BY from_seq`,
    );
    this.#insert = database.prepare('INSERT INTO ledger_span (outbox_id, from_seq, to_seq) VALUES (?, ?, ?)');
    this.#delete = database.prepare('DELETE FROM ledger_span WHERE outbox_id = ? AND from_seq = ?');
    this.#spans = database.prepare(
      `SELECT ${columns} FROM ledger_span WHERE outbox_id = ? ORDER BY from_seq`,
    );
    this.#current = database.prepare(
      'SELECT outbox_id AS outboxId FROM outbox WHERE site = ? AND node = ? ORDER BY ordinal DESC LIMIT 1',
    );
  }

  /**
   * Ties an outbox to the node that used it first. False where it is another node's: nobody may settle the numbers of
   * somebody else.
   */
  claim({ outboxId, site, node }: { outboxId: string; site: string; node: string }): boolean {
    const owner = this.#owner.get(outboxId);
    if (owner === undefined) {
      this.#claim.run(outboxId, site, node);
      return true;
    }
    return owner.site === site && owner.node === node;
  }

  isSettled(outboxId: string, seq: number): boolean {
    const span = this.#below.get(outboxId, seq);
    return span !== undefined && span.toSeq >= seq;
  }

  settle(outboxId: string, range: SeqRange): void {
    let { from, to } = range;
    const below = this.#below.get(outboxId, from);
    if (below !== undefined && below.toSeq >= to) return;
    if (below !== undefined && below.toSeq >= from - 1) {
      from = below.fromSeq;
      this.#delete.run(outboxId, below.fromSeq);
    }
    for (const span of this.#touching.all(outboxId, from, to + 1)) {
      to = Math.max(to, span.toSeq);
      this.#delete.run(outboxId, span.fromSeq);
    }
    this.#insert.run(outboxId, from, to);
  }

  /** The ledger of the outbox that the node began last. */
  readCurrent(site: string, node: string): { committedThrough: number; missing: number[] } {
    const outboxId = this.#current.get(site, node)?.outboxId;
    const missing: number[] = [];
    if (outboxId === undefined) return { committedThrough: 0, missing };
    let committedThrough = 0;
    let next = 1;
    for (const { fromSeq, toSeq } of this.#spans.iterate(outboxId)) {
      if (fromSeq === 1) committedThrough = toSeq;
      for (let seq = next; seq < fromSeq && missing.length < MISSING_LISTED; seq++) missing.push(seq);
      next = toSeq + 1;
    }
    return { committedThrough, missing };
  }
}
