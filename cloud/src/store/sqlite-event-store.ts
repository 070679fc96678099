import type { EvidenceFile, NodeState } from '@ngatu/contract';
import type Database from 'better-sqlite3';
import { CoverageReader } from './camera-coverage.ts';
import { CaseErasure } from './case-erasure.ts';
import { DeadLetterBox } from './dead-letter-box.ts';
import { EventReader } from './event-reader.ts';
import type {
  CameraCoverage,
  CommitItem,
  CommitOutcome,
  DeadLetter,
  EventFilter,
  EventPage,
  EventRecord,
  EventStore,
  EventSummary,
  NodeRecord,
  Review,
} from './event-store.ts';
import { EventWriter } from './event-writer.ts';
import { CENTRE_MIGRATIONS } from './migrations/all.ts';
import { NodeRegister } from './node-register.ts';
import { SeqLedger } from './seq-ledger.ts';
import { openCentreDatabase, toOpenError, toStoreError } from './sqlite-database.ts';
import { SqliteDeliveryStore } from './sqlite-delivery-store.ts';
import { SqliteDirectiveStore } from './sqlite-directive-store.ts';
import { SqlitePlateStore } from './sqlite-plate-store.ts';
import { SqlitePrivacyStore } from './sqlite-privacy-store.ts';
import { SqliteReceiptStore } from './sqlite-receipt-store.ts';
import { SqliteScreeningStore } from './sqlite-screening-store.ts';
import { SqliteTransferStore } from './sqlite-transfer-store.ts';

/** The event store in one SQLite file. */
export class SqliteEventStore implements EventStore {
  readonly directives: SqliteDirectiveStore;
  readonly transfers: SqliteTransferStore;
  readonly delivery: SqliteDeliveryStore;
  readonly receipts: SqliteReceiptStore;
  readonly privacy: SqlitePrivacyStore;
  readonly screening: SqliteScreeningStore;
  readonly plates: SqlitePlateStore;
  readonly #file: string;
  readonly #database: Database.Database;
  readonly #ledger: SeqLedger;
  readonly #nodes: NodeRegister;
  readonly #writer: EventWriter;
  readonly #reader: EventReader;
  readonly #letters: DeadLetterBox;
  readonly #coverage: CoverageReader;

  private constructor(file: string, database: Database.Database) {
    this.#file = file;
    this.#database = database;
    this.#ledger = new SeqLedger(database);
    this.receipts = new SqliteReceiptStore(database);
    this.#nodes = new NodeRegister(database);
    const erasure = new CaseErasure(database);
    this.screening = new SqliteScreeningStore(database, {
      transact: (work) => this.#transact(work),
      read: (work) => this.#read(work),
    });
    this.plates = new SqlitePlateStore(database, {
      transact: (work) => this.#transact(work),
      read: (work) => this.#read(work),
      touch: (eventId) => this.#writer.touch(eventId),
    });
    this.#writer = new EventWriter(database, {
      erasure,
      ledger: this.#ledger,
      receipts: this.receipts,
      nodes: this.#nodes,
      screening: this.screening,
      plates: this.plates,
    });
    this.delivery = new SqliteDeliveryStore(database, this.#nodes, {
      transact: (work) => this.#transact(work),
      read: (work) => this.#read(work),
    });
    this.#reader = new EventReader(database);
    this.#letters = new DeadLetterBox(database, this.#ledger);
    this.#coverage = new CoverageReader(database);
    this.transfers = new SqliteTransferStore(database, {
      transact: (work) => this.#transact(work),
      read: (work) => this.#read(work),
      touchFile: (sha256) => this.#touchFile(sha256),
    });
    this.privacy = new SqlitePrivacyStore(database, erasure, {
      transact: (work) => this.#transact(work),
      read: (work) => this.#read(work),
    });
    this.directives = new SqliteDirectiveStore(database, {
      transact: (work) => this.#transact(work),
      read: (work) => this.#read(work),
    });
  }

  /** @throws NgatuError STORE_CORRUPT, STORE_UNAVAILABLE, PERMISSION_DENIED, DISK_FULL */
  static open(file: string): SqliteEventStore {
    const database = openCentreDatabase(file, CENTRE_MIGRATIONS);
    try {
      return new SqliteEventStore(file, database);
    } catch (error) {
      database.close();
      throw toOpenError(error, file);
    }
  }

  commit(items: readonly CommitItem[], ingestedAt: string): CommitOutcome[] {
    return this.#transact(() => items.map((item) => this.#writer.write(item, ingestedAt)));
  }

  appendDeadLetters(letters: readonly DeadLetter[]): void {
    this.#transact(() => {
      for (const letter of letters) this.#letters.append(letter);
    });
  }

  listDeadLetters(limit: number, sites?: readonly string[]): DeadLetter[] {
    return this.#read(() => this.#letters.list(limit, sites));
  }

  countDeadLetters(sites?: readonly string[]): number {
    return this.#read(() => this.#letters.count(sites));
  }

  setNodeState(site: string, node: string, state: NodeState, at: string = state.at): void {
    this.#transact(() => this.#nodes.take(site, node, state, at));
  }

  listNodes(): NodeRecord[] {
    return this.#read(() =>
      this.#nodes.list().map((row) => ({ ...row, ...this.#ledger.readCurrent(row.site, row.node) })),
    );
  }

  listEvents(filter: EventFilter): EventPage {
    return this.#read(() => this.#reader.list(filter));
  }

  getEvent(eventId: string): EventRecord | undefined {
    const record = this.#read(() => this.#reader.get(eventId));
    return record === undefined ? undefined : this.#addTransfers(record);
  }

  latestChange(): number {
    return this.#read(() => this.#reader.latestChange());
  }

  listChanges(change: number, limit: number): { change: number; event: EventSummary }[] {
    return this.#read(() => this.#reader.listChanges(change, limit));
  }

  appendReview(
    eventId: string,
    review: Review,
    expectedReviews: number,
  ): 'appended' | 'conflict' | 'let-pass' | 'unknown-event' {
    return this.#transact(() => {
      const record = this.#reader.get(eventId);
      if (record === undefined) return 'unknown-event';
      if (record.event.letPass !== undefined) return 'let-pass';
      if (record.reviews.length !== expectedReviews) return 'conflict';
      const { decision, reason, reviewer, decidedAt } = review;
      this.#database
        .prepare(
          'INSERT INTO review (event_id, decision, reason, reviewer, decided_at) VALUES (?, ?, ?, ?, ?)',
        )
        .run(eventId, decision, reason, reviewer, decidedAt);
      this.#database.prepare('UPDATE event SET review = ? WHERE event_id = ?').run(decision, eventId);
      this.#writer.touch(eventId);
      return 'appended';
    });
  }

  isEvidenceAnnounced(sha256: string, by?: { readonly site: string; readonly node: string }): boolean {
    if (by === undefined) return this.#read(() => this.#announcedBy(sha256).length > 0);
    const found = this.#database.prepare<[{ sha256: string; site: string; node: string }], unknown>(
      `SELECT 1 FROM evidence_file JOIN evidence USING (event_id) WHERE sha256 = @sha256
         AND json_extract(body, '$.site') = @site AND json_extract(body, '$.node') = @node LIMIT 1`,
    );
    return this.#read(() => found.get({ sha256, ...by }) !== undefined);
  }

  findEvidence(
    sha256: string,
    sites?: readonly string[],
  ): { eventId: string; file: EvidenceFile } | undefined {
    return this.#read(() => this.#reader.findEvidence(sha256, sites));
  }

  markEvidenceArrived(sha256: string, at: string): void {
    this.#transact(() => {
      const { changes } = this.#database
        .prepare('INSERT OR IGNORE INTO evidence_arrival (sha256, arrived_at) VALUES (?, ?)')
        .run(sha256, at);
      if (changes === 0) return;
      this.#touchFile(sha256);
    });
  }

  listCoverage(period: { from: string; to: string }, sites?: readonly string[]): CameraCoverage[] {
    return this.#read(() =>
      this.#coverage.list({ fromMs: Date.parse(period.from), toMs: Date.parse(period.to) }, sites),
    );
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #addTransfers(record: EventRecord): EventRecord {
    const { evidence } = record;
    if (evidence?.files.every(({ arrived }) => arrived) !== false) return record;
    const transfers = new Map(
      this.transfers.list(record.event.eventId).map(({ sha256, ...transfer }) => [sha256, transfer]),
    );
    const files = evidence.files.map((file) => {
      const transfer = transfers.get(file.sha256);
      return transfer === undefined || Object.keys(transfer).length === 0 ? file : { ...file, transfer };
    });
    return { ...record, evidence: { ...evidence, files } };
  }

  #touchFile(sha256: string): void {
    for (const eventId of this.#announcedBy(sha256)) this.#writer.touch(eventId);
  }

  #announcedBy(sha256: string): string[] {
    return this.#database
      .prepare<[string], { eventId: string }>(
        'SELECT DISTINCT event_id AS eventId FROM evidence_file WHERE sha256 = ?',
      )
      .all(sha256)
      .map(({ eventId }) => eventId);
  }

  #transact<T>(work: () => T): T {
    return this.#read(() => this.#database.transaction(work).immediate());
  }

  #read<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw toStoreError(error, this.#file);
    }
  }
}
