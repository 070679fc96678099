import { createHash } from 'node:crypto';
import type { DropRange, SeqRange } from '@ngatu/contract';
import type Database from 'better-sqlite3';

interface SpanRow {
  readonly fromSeq: number;
  readonly toSeq: number;
}

/** How often the last sign of an outbox is written, ms. */
const SIGHTED_EVERY_MS = 1_000;
/** Messages of a replaced outbox that were still on their way when the new one began have come by then, ms. */
const HANDOVER_MS = 60_000;
/** Digests of telemetry are kept for so many numbers; those of events and manifests, a little longer ones, for ever. */
const TELEMETRY_DIGESTS = 10_000;
const PASSING_DIGEST_BYTES = 8;
const LASTING_DIGEST_BYTES = 12;

/** What stands under a number, in few bytes: the beginning of the SHA-256 of its body. */
export function computeNumberDigest(body: unknown, isPassing: boolean): Uint8Array {
  const hash = createHash('sha256').update(JSON.stringify(body)).digest();
  return hash.subarray(0, isPassing ? PASSING_DIGEST_BYTES : LASTING_DIGEST_BYTES);
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
  readonly #sight: Database.Statement<[string, string, string]>;
  readonly #replacedBy: Database.Statement<[string], { outboxId: string; firstAt: string | null }>;
  readonly #digest: Database.Statement<[string, number], { digest: Uint8Array }>;
  readonly #insertDigest: Database.Statement<[string, number, Uint8Array]>;
  readonly #deleteDigest: Database.Statement<[string, number]>;
  readonly #explain: Database.Statement<[string, number, number, string, string]>;
  /** When the last sign of an outbox was written, ms since 1970. */
  readonly #sightedAtMs = new Map<string, number>();

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
    this.#sight = database.prepare(
      'UPDATE outbox SET first_at = coalesce(first_at, ?), last_at = ? WHERE outbox_id = ?',
    );
    this.#replacedBy = database.prepare(
      `SELECT newer.outbox_id AS outboxId, newer.first_at AS firstAt FROM outbox AS own
         JOIN outbox AS newer ON newer.site = own.site AND newer.node = own.node AND newer.ordinal > own.ordinal
         WHERE own.outbox_id = ? ORDER BY newer.ordinal DESC LIMIT 1`,
    );
    this.#digest = database.prepare('SELECT digest FROM number_digest WHERE outbox_id = ? AND seq = ?');
    this.#insertDigest = database.prepare(
      'INSERT OR REPLACE INTO number_digest (outbox_id, seq, digest) VALUES (?, ?, ?)',
    );
    this.#deleteDigest = database.prepare(
      `DELETE FROM number_digest WHERE outbox_id = ? AND seq = ? AND length(digest) = ${PASSING_DIGEST_BYTES}`,
    );
    this.#explain = database.prepare(
      `INSERT INTO explained (outbox_id, from_seq, to_seq, manner, at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (outbox_id, from_seq, manner) DO UPDATE SET to_seq = max(to_seq, excluded.to_seq)`,
    );
  }

  /**
   * Notes that an outbox spoke. Returns the outbox that had replaced it, where what it says is newer than that: then two machines
   * number under one name.
   */
  sight(outboxId: string, publishedAt: string, ingestedAt: string): string | undefined {
    const nowMs = Date.parse(ingestedAt);
    if (nowMs - (this.#sightedAtMs.get(outboxId) ?? Number.NEGATIVE_INFINITY) < SIGHTED_EVERY_MS)
      return undefined;
    if (this.#sightedAtMs.size > MISSING_LISTED) this.#sightedAtMs.clear();
    this.#sightedAtMs.set(outboxId, nowMs);
    const newer = this.#replacedBy.get(outboxId);
    const firstAt = newer?.firstAt ?? undefined;
    const isAlive =
      firstAt !== undefined && publishedAt > firstAt && nowMs - Date.parse(firstAt) > HANDOVER_MS;
    // What was published before the new outbox began is late, or was played again: no sign of life.
    if (firstAt === undefined || isAlive) this.#sight.run(ingestedAt, ingestedAt, outboxId);
    return isAlive ? newer?.outboxId : undefined;
  }

  /** What stood under the number, as far as it is known. */
  readDigest(outboxId: string, seq: number): Uint8Array | undefined {
    return this.#digest.get(outboxId, seq)?.digest;
  }

  /** Keeps what stands under the number; of passing messages only for a while. */
  keepDigest(outboxId: string, seq: number, digest: Uint8Array, isPassing: boolean): void {
    this.#insertDigest.run(outboxId, seq, digest);
    if (isPassing && seq > TELEMETRY_DIGESTS) this.#deleteDigest.run(outboxId, seq - TELEMETRY_DIGESTS);
  }

  /** Settles numbers that will never come. What is settled already keeps its meaning. */
  explain(outboxId: string, range: DropRange, at: string): void {
    this.#explain.run(outboxId, range.from, range.to, range.manner, at);
    this.settle(outboxId, range);
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
