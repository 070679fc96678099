import { buildTopicStart, type ErrorCode, parseTopic } from '@ngatu/contract';
import type Database from 'better-sqlite3';
import type { DeadLetter } from './event-store.ts';
import type { SeqLedger } from './seq-ledger.ts';

const LETTERS_KEPT = 10_000;

interface LetterRow {
  readonly topic: string;
  readonly code: ErrorCode;
  readonly reason: string;
  readonly payload: Uint8Array;
  readonly receivedAt: string;
}

/** Refused messages, where they can be looked at. To be used inside a transaction of the caller. */
export class DeadLetterBox {
  readonly #ledger: SeqLedger;
  readonly #insert: Database.Statement<(string | number | Uint8Array | null)[]>;
  readonly #prune: Database.Statement<[number]>;
  readonly #newest: Database.Statement<[number], LetterRow>;
  readonly #newestAt: Database.Statement<[string, number], LetterRow>;
  readonly #count: Database.Statement<[], { total: number }>;
  readonly #countAt: Database.Statement<[string], { total: number }>;

  constructor(database: Database.Database, ledger: SeqLedger) {
    this.#ledger = ledger;
    this.#insert = database.prepare(
      `INSERT OR IGNORE INTO dead_letter (topic, code, reason, payload, received_at, outbox_id, seq)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#prune = database.prepare(
      'DELETE FROM dead_letter WHERE letter_id <= (SELECT max(letter_id) FROM dead_letter) - ?',
    );
    const columns = 'topic, code, reason, payload, received_at AS receivedAt';
    const atSites = `EXISTS (SELECT 1 FROM json_each(?) WHERE instr(topic, value) = 1)`;
    this.#newest = database.prepare(`SELECT ${columns} FROM dead_letter ORDER BY letter_id DESC LIMIT ?`);
    this.#newestAt = database.prepare(
      `SELECT ${columns} FROM dead_letter WHERE ${atSites} ORDER BY letter_id DESC LIMIT ?`,
    );
    this.#countAt = database.prepare(`SELECT count(*) AS total FROM dead_letter WHERE ${atSites}`);
    this.#count = database.prepare(`SELECT seq AS total FROM sqlite_sequence WHERE name = 'dead_letter'`);
  }

  append(letter: DeadLetter): void {
    const { topic, code, reason, payload, receivedAt, settles } = letter;
    const own = settles !== undefined && this.#ledger.claim(settles);
    if (own && this.#ledger.isSettled(settles.outboxId, settles.seq)) return;
    const number: [string, number] | [null, null] = own ? [settles.outboxId, settles.seq] : [null, null];
    // health data are kept by their own rule: of a refused report only the reason stays
    const kept = parseTopic(topic)?.channel === 'screening' ? new Uint8Array() : payload;
    this.#insert.run(topic, code, reason, kept, receivedAt, ...number);
    if (own) this.#ledger.settle(settles.outboxId, { from: settles.seq, to: settles.seq });
    this.#prune.run(LETTERS_KEPT);
  }

  list(limit: number, sites?: readonly string[]): DeadLetter[] {
    const rows =
      sites === undefined ? this.#newest.all(limit) : this.#newestAt.all(listTopicStarts(sites), limit);
    return rows.map((row) => ({ ...row, payload: new Uint8Array(row.payload) }));
  }

  count(sites?: readonly string[]): number {
    const row = sites === undefined ? this.#count.get() : this.#countAt.get(listTopicStarts(sites));
    return row?.total ?? 0;
  }
}

/** How the topics of these sites begin, as a JSON list. */
function listTopicStarts(sites: readonly string[]): string {
  return JSON.stringify(sites.map(buildTopicStart));
}
