import type { EvidenceFile, NodeState } from '@ngatu/contract';
import type Database from 'better-sqlite3';
import { CoverageReader } from './camera-coverage.ts';
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
import { SeqLedger } from './seq-ledger.ts';
import { openCentreDatabase, toStoreError } from './sqlite-database.ts';
import { SqliteDirectiveStore } from './sqlite-directive-store.ts';

/** The event store in one SQLite file. */
export class SqliteEventStore implements EventStore {
  readonly directives: SqliteDirectiveStore;
  readonly #file: string;
  readonly #database: Database.Database;
  readonly #ledger: SeqLedger;
  readonly #writer: EventWriter;
  readonly #reader: EventReader;
  readonly #letters: DeadLetterBox;
  readonly #coverage: CoverageReader;

  private constructor(file: string, database: Database.Database) {
    this.#file = file;
    this.#database = database;
    this.#ledger = new SeqLedger(database);
    this.#writer = new EventWriter(database, this.#ledger);
    this.#reader = new EventReader(database);
    this.#letters = new DeadLetterBox(database, this.#ledger);
    this.#coverage = new CoverageReader(database);
    this.directives = new SqliteDirectiveStore(database, {
      transact: (work) => this.#transact(work),
      read: (work) => this.#read(work),
    });
  }

  /** @throws NgatuError STORE_CORRUPT, STORE_UNAVAILABLE, PERMISSION_DENIED, DISK_FULL */
  static open(file: string): SqliteEventStore {
    return new SqliteEventStore(file, openCentreDatabase(file, CENTRE_MIGRATIONS));
  }

  commit(items: readonly CommitItem[], ingestedAt: string): CommitOutcome[] {
    return this.#transact(() => items.map((item) => this.#writer.write(item, ingestedAt)));
  }

  appendDeadLetters(letters: readonly DeadLetter[]): void {
    this.#transact(() => {
      for (const letter of letters) this.#letters.append(letter);
    });
  }

  listDeadLetters(limit: number): DeadLetter[] {
    return this.#read(() => this.#letters.list(limit));
  }

  countDeadLetters(): number {
    return this.#read(() => this.#letters.count());
  }

  setNodeState(site: string, node: string, state: NodeState): void {
    this.#transact(() => {
      const row = this.#database
        .prepare<[string, string], { state: string }>('SELECT state FROM node WHERE site = ? AND node = ?')
        .get(site, node);
      const known = row === undefined ? undefined : (JSON.parse(row.state) as NodeState);
      // The will of an earlier start that the broker published late says nothing of the one that runs now.
      const isStale = state.state === 'offline' && known?.state === 'online' && known.bootId !== state.bootId;
      if (isStale) return;
      this.#database
        .prepare(
          'INSERT INTO node (site, node, state) VALUES (?, ?, ?) ON CONFLICT (site, node) DO UPDATE SET state = excluded.state',
        )
        .run(site, node, JSON.stringify(state));
    });
  }

  listNodes(): NodeRecord[] {
    return this.#read(() =>
      this.#database
        .prepare<[], { site: string; node: string; state: string }>(
          'SELECT site, node, state FROM node ORDER BY site, node',
        )
        .all()
        .map(({ site, node, state }) => ({
          site,
          node,
          state: JSON.parse(state) as NodeState,
          ...this.#ledger.readCurrent(site, node),
        })),
    );
  }

  listEvents(filter: EventFilter): EventPage {
    return this.#read(() => this.#reader.list(filter));
  }

  getEvent(eventId: string): EventRecord | undefined {
    return this.#read(() => this.#reader.get(eventId));
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

  isEvidenceAnnounced(sha256: string): boolean {
    return this.#read(() => this.#announcedBy(sha256).length > 0);
  }

  findEvidence(sha256: string): { eventId: string; file: EvidenceFile } | undefined {
    return this.#read(() => this.#reader.findEvidence(sha256));
  }

  markEvidenceArrived(sha256: string, at: string): void {
    this.#transact(() => {
      const { changes } = this.#database
        .prepare('INSERT OR IGNORE INTO evidence_arrival (sha256, arrived_at) VALUES (?, ?)')
        .run(sha256, at);
      if (changes === 0) return;
      for (const eventId of this.#announcedBy(sha256)) this.#writer.touch(eventId);
    });
  }

  listCoverage(period: { from: string; to: string }): CameraCoverage[] {
    return this.#read(() =>
      this.#coverage.list({ fromMs: Date.parse(period.from), toMs: Date.parse(period.to) }),
    );
  }

  [Symbol.dispose](): void {
    this.#database.close();
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
