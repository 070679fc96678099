import type { ErrorCode } from '@ngatu/contract';
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
  readonly #count: Database.Statement<[], { total: number }>;

  constructor(database: Database.Database, ledger: SeqLedger) {
    this.#ledger = ledger;
    this.#insert = database.prepare(
      `INSERT OR IGNORE INTO dead_letter (topic, code, reason, payload, received_at, outbox_id, seq)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#prune = database.prepare(
      'DELETE FROM dead_letter WHERE letter_id <= (SELECT max(letter_id) FROM dead_letter) - ?',
    );
    this.#newest = database.prepare(
      `SELECT topic, code, reason, payload, received_at AS receivedAt FROM dead_letter ORDER BY letter_id DESC LIMIT ?`,
    );
    this.#count = database.prepare(`SELECT seq AS total FROM sqlite_sequence WHERE name = 'dead_letter'`);
  }

  append(letter: DeadLetter): void {
    const { topic, code, reason, payload, receivedAt, settles } = letter;
    const own = settles !== undefined && this.#ledger.claim(settles);
    if (own && this.#ledger.isSettled(settles.outboxId, settles.seq)) return;
    const number: [string, number] | [null, null] = own ? [settles.outboxId, settles.seq] : [null, null];
    this.#insert.run(topic, code, reason, payload, receivedAt, ...number);
    if (own) this.#ledger.settle(settles.outboxId, { from: settles.seq, to: settles.seq });
    this.#prune.run(LETTERS_KEPT);
  }

  list(limit: number): DeadLetter[] {
    return this.#newest.all(limit).map((row) => ({ ...row, payload: new Uint8Array(row.payload) }));
  }

  count(): number {
    return this.#count.get()?.total ?? 0;
  }
}
