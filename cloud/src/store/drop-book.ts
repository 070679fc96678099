import { type DropItem, readDropRanges, type Telemetry } from '@ngatu/contract';
import type Database from 'better-sqlite3';
import type { MessageNumber } from './event-store.ts';
import type { SeqLedger } from './seq-ledger.ts';

/** What nodes say that they dropped: numbers for the ledger, and the list of what it was. To be used inside a transaction of the caller. */
export class DropBook {
  readonly #ledger: SeqLedger;
  readonly #insert: Database.Statement<string[]>;

  constructor(database: Database.Database, ledger: SeqLedger) {
    this.#ledger = ledger;
    this.#insert = database.prepare(
      `INSERT OR IGNORE INTO dropped_item (outbox_id, site, node, what, item, dropped_at, body)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
  }

  write({ outboxId, seq, site, node }: MessageNumber, telemetry: Telemetry, ingestedAt: string): void {
    for (const range of readDropRanges(telemetry, seq)) this.#ledger.explain(outboxId, range, ingestedAt);
    for (const item of telemetry.drops ?? []) {
      this.#insert.run(outboxId, site, node, item.what, nameItem(item), item.droppedAt, JSON.stringify(item));
    }
  }
}

/** What makes an item one: records that are merged on the node repeat it. */
function nameItem({ seq, sha256, eventId, droppedAt }: DropItem): string {
  return seq !== undefined ? String(seq) : (sha256 ?? eventId ?? droppedAt);
}
