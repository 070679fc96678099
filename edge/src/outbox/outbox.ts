import type { ErrorCode, EvidenceManifest, NumberedChannel } from '@ngatu/contract';
import { NgatuError } from '@ngatu/contract';
import type Database from 'better-sqlite3';
import type { Logger } from 'pino';
import { openOutboxDatabase, toOutboxError } from './outbox-database.ts';
import { type EncodedMessage, encodeOutboxMessage, type OutboxMessage } from './outbox-message.ts';
import {
  type EntryRow,
  type EvidenceJobRow,
  type OutboxStatements,
  prepareStatements,
  type UploadRow,
  type UsageRow,
} from './outbox-statements.ts';
import { dropTelemetry } from './telemetry-drop.ts';

export type { OutboxMessage } from './outbox-message.ts';

/** Event ids that are remembered after their entries have left. */
const RECENT_EVENTS = 100_000;
/** Rejected entries that are kept for inspection; the centre keeps each in its dead letters too. */
const REJECTED_KEPT = 1_000;

export interface OutboxClock {
  /** Wall clock, ms since 1970. */
  nowMs(): number;
  /** Never steps back, ms. */
  monotonicMs(): number;
}

/** Evidence that is still to be made for an event; the decisive moment in its session and in the world, ms. */
export type EvidenceJob = Omit<EvidenceJobRow, 'attempts'>;
export type PendingEvidenceJob = EvidenceJobRow;
/** An evidence file on this disk that the centre has not got yet. */
export type PendingUpload = UploadRow;
export type LeasedEntry = EntryRow;

/** What is written in the same transaction as the messages. */
export interface AppendExtras {
  /** Jobs of events that turn out to be duplicates are left out. */
  readonly evidenceJobs?: readonly EvidenceJob[];
  /** Ids of events whose evidence is done: their jobs are removed. */
  readonly finishedEvidenceJobs?: readonly string[];
  readonly uploads?: readonly PendingUpload[];
  /** Values by name, for instance the last analysed instant of a camera. */
  readonly marks?: Readonly<Record<string, string>>;
}

export type AppendOutcome =
  | { readonly outcome: 'appended'; readonly seq: number }
  | { readonly outcome: 'duplicate' };

export interface OutboxUsage {
  readonly entries: number;
  readonly bytes: number;
  /** Since the database was begun. */
  readonly telemetryDroppedTotal: number;
  readonly uploadsPending: number;
  readonly uploadsRefused: number;
}

export interface OutboxOptions {
  readonly file: string;
  /** Limit of the messages in it, bytes: bodies and what their envelopes add. */
  readonly maxBytes: number;
  /** Whose records of dropped telemetry they are. */
  readonly origin: { readonly site: string; readonly node: string };
  readonly clock: OutboxClock;
  readonly logger: Logger;
}

export interface OutboxOpening {
  readonly outbox: Outbox;
  /** Where the corrupt database went that lay there before (OUTBOX_CORRUPT). */
  readonly movedAside?: { readonly file: string; readonly reason: string };
}

const DROPPED_TOTAL_MARK = 'outbox.telemetry-dropped-total';

/**
 * The node's durable queue of numbered messages: one SQLite file, WAL, synchronous FULL, held by one process. When
 * `append` returns, the messages survive a power cut. Leases live in this process only, so none survive it.
 */
export class Outbox implements Disposable {
  readonly outboxId: string;
  readonly #options: OutboxOptions;
  readonly #database: Database.Database;
  readonly #statements: OutboxStatements;
  /** seq → monotonic instant at which its lease ends, ms. */
  readonly #leases = new Map<number, number>();
  readonly #listeners = new Set<() => void>();

  private constructor(options: OutboxOptions, database: Database.Database) {
    this.#options = options;
    this.#database = database;
    this.#statements = prepareStatements(database);
    const identity = this.#statements.outboxId.get();
    if (identity === undefined) {
      throw new NgatuError('OUTBOX_CORRUPT', `Cannot use outbox "${options.file}": it has no identity`);
    }
    this.outboxId = identity.outboxId;
  }

  /** @throws NgatuError OUTBOX_LOCKED, PERMISSION_DENIED, DISK_FULL */
  static open(options: OutboxOptions): OutboxOpening {
    const { database, movedAside } = openOutboxDatabase(options.file, options.clock.nowMs());
    const outbox = new Outbox(options, database);
    if (movedAside === undefined) return { outbox };
    options.logger.error(
      { code: 'OUTBOX_CORRUPT', ...movedAside },
      'corrupt outbox moved aside, a new one begun',
    );
    return { outbox, movedAside };
  }

  /**
   * Writes all of it in one transaction. Numbers are contiguous in the order of `messages`.
   * @throws NgatuError OUTBOX_FULL (nothing was written), MESSAGE_INVALID, MESSAGE_TOO_LARGE, DISK_FULL
   */
  append(messages: readonly OutboxMessage[], extras: AppendExtras = {}): AppendOutcome[] {
    const encoded = messages.map(encodeOutboxMessage);
    let dropped = 0;
    const outcomes = this.#transact(() => {
      const fresh = this.#selectFresh(encoded);
      dropped = this.#makeRoom([...fresh]);
      const duplicates = new Set<string>();
      const results = encoded.map((message): AppendOutcome => {
        if (fresh.has(message)) return { outcome: 'appended', seq: this.#insert(message) };
        if (message.eventId !== undefined) duplicates.add(message.eventId);
        return { outcome: 'duplicate' };
      });
      this.#writeExtras(extras, duplicates);
      return results;
    });
    if (dropped > 0)
      this.#options.logger.warn({ code: 'OUTBOX_FULL', dropped }, 'outbox is full: telemetry dropped');
    for (const listener of this.#listeners) listener();
    return outcomes;
  }

  /** Leases at most `limit` entries that are not leased, lowest number first, for `leaseMs`. */
  lease(limit: number, leaseMs: number): LeasedEntry[] {
    const now = this.#options.clock.monotonicMs();
    for (const [seq, endsAt] of this.#leases) if (endsAt <= now) this.#leases.delete(seq);
    const leased: LeasedEntry[] = [];
    if (limit <= 0) return leased;
    for (const row of this.#statements.entries.iterate()) {
      if (this.#leases.has(row.seq)) continue;
      leased.push(row);
      if (leased.length >= limit) break;
    }
    for (const { seq } of leased) this.#leases.set(seq, now + leaseMs);
    return leased;
  }

  /** Entries under a lease that has not ended. */
  get leasedCount(): number {
    const now = this.#options.clock.monotonicMs();
    let count = 0;
    for (const endsAt of this.#leases.values()) if (endsAt > now) count++;
    return count;
  }

  /** Ends all leases: what was sent may never have arrived. */
  releaseLeases(): void {
    this.#leases.clear();
  }

  /** Deletes entries that the ingestor has committed. Unknown numbers are ignored. Returns how many were there. */
  ack(seqs: readonly number[]): number {
    const deleted = this.#transact(
      () => seqs.filter((seq) => this.#statements.deleteEntry.run(seq).changes > 0).length,
    );
    for (const seq of seqs) this.#leases.delete(seq);
    return deleted;
  }

  /**
   * Sets an entry aside that the centre refuses for good; the files of a refused manifest with it, for the centre will not
   * take them. Returns whether it was there.
   */
  nack(seq: number, code: ErrorCode, reason: string): boolean {
    const moved = this.#transact(() => {
      const entry = this.#statements.entry.get(seq);
      if (entry === undefined) return false;
      this.#statements.insertRejected.run(code, reason, this.#options.clock.nowMs(), seq);
      this.#statements.deleteEntry.run(seq);
      this.#statements.pruneRejected.run(REJECTED_KEPT);
      if (entry.channel === 'evidence') {
        const { files } = JSON.parse(entry.body) as EvidenceManifest;
        for (const { sha256 } of files) this.#statements.refuseUpload.run(code, reason, sha256);
      }
      return true;
    });
    this.#leases.delete(seq);
    return moved;
  }

  /** Entries that the centre refused, lowest number first. */
  listRejected(): { seq: number; channel: NumberedChannel; code: string; reason: string }[] {
    return this.#statements.rejected.all();
  }

  pending(): OutboxUsage {
    const uploads = this.#statements.countUploads.get() ?? { pending: 0, refused: 0 };
    return {
      ...this.#readUsage(),
      telemetryDroppedTotal: this.#readDroppedTotal(),
      uploadsPending: uploads.pending,
      uploadsRefused: uploads.refused,
    };
  }

  /** Calls `listener` after every append until the returned function is called. */
  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The value last written under `name`. */
  mark(name: string): string | undefined {
    return this.#statements.mark.get(name)?.value;
  }

  /** Jobs by captured instant, oldest first. */
  listEvidenceJobs(limit: number): PendingEvidenceJob[] {
    return this.#statements.jobs.all(limit);
  }

  /** Counts a beginning attempt, so that a job that kills its process does not run for ever. Returns the new count. */
  countEvidenceAttempt(eventId: string): number {
    return this.#transact(() => this.#statements.countAttempt.get(eventId)?.attempts ?? 0);
  }

  /** Files that wait for their upload, in the order in which they were made. */
  listUploads(limit: number): PendingUpload[] {
    return this.#statements.uploads.all(limit);
  }

  /** True while the file waits for its upload, or was refused and is kept for inspection. */
  holdsUpload(sha256: string): boolean {
    return this.#statements.upload.get(sha256) !== undefined;
  }

  /** Forgets an upload that the centre has confirmed. The file stays. */
  removeUpload(sha256: string): void {
    this.#transact(() => this.#statements.deleteUpload.run(sha256));
  }

  /** Keeps an upload that can never succeed, with the reason, out of the way of the others. */
  refuseUpload(sha256: string, code: ErrorCode, reason: string): void {
    this.#transact(() => this.#statements.refuseUpload.run(code, reason, sha256));
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #selectFresh(encoded: readonly EncodedMessage[]): Set<EncodedMessage> {
    const fresh = new Set<EncodedMessage>();
    const seen = new Set<string>();
    for (const message of encoded) {
      const { eventId } = message;
      if (eventId !== undefined) {
        if (seen.has(eventId) || this.#statements.knownEvent.get(eventId, eventId) !== undefined) continue;
        seen.add(eventId);
      }
      fresh.add(message);
    }
    return fresh;
  }

  #makeRoom(fresh: readonly EncodedMessage[]): number {
    const { maxBytes, origin, clock } = this.#options;
    const neededBytes = fresh.reduce((sum, message) => sum + message.sizeBytes, 0);
    const usedBytes = this.#readUsage().bytes;
    if (neededBytes === 0 || usedBytes + neededBytes <= maxBytes) return 0;
    const dropped = dropTelemetry(this.#statements, {
      origin,
      nowMs: clock.nowMs(),
      maxBytes,
      usedBytes,
      neededBytes,
    });
    const left = this.#readUsage().bytes;
    if (left + neededBytes > maxBytes) {
      throw new NgatuError(
        'OUTBOX_FULL',
        `Cannot append ${neededBytes} bytes to the outbox: ${left} of ${maxBytes} bytes wait that must not be dropped`,
        { retryable: true },
      );
    }
    this.#statements.setMark.run(DROPPED_TOTAL_MARK, String(this.#readDroppedTotal() + dropped));
    return dropped;
  }

  #insert({ channel, eventId, sizeBytes, body }: EncodedMessage): number {
    const { lastInsertRowid } = this.#statements.insertEntry.run(
      channel,
      eventId ?? null,
      0,
      sizeBytes,
      body,
    );
    if (eventId !== undefined) {
      this.#statements.insertRecentEvent.run(eventId);
      this.#statements.pruneRecentEvents.run(RECENT_EVENTS);
    }
    return Number(lastInsertRowid);
  }

  #writeExtras(extras: AppendExtras, duplicates: ReadonlySet<string>): void {
    for (const job of extras.evidenceJobs ?? []) {
      if (duplicates.has(job.eventId)) continue;
      this.#statements.insertJob.run(job.eventId, job.camera, job.session, job.mediaTimeMs, job.capturedAtMs);
    }
    for (const eventId of extras.finishedEvidenceJobs ?? []) this.#statements.deleteJob.run(eventId);
    for (const { sha256, path, sizeBytes } of extras.uploads ?? []) {
      this.#statements.insertUpload.run(sha256, path, sizeBytes);
    }
    for (const [name, value] of Object.entries(extras.marks ?? {})) this.#statements.setMark.run(name, value);
  }

  #readUsage(): UsageRow {
    return this.#statements.usage.get() ?? { entries: 0, bytes: 0 };
  }

  #readDroppedTotal(): number {
    return Number(this.mark(DROPPED_TOTAL_MARK) ?? 0);
  }

  #transact<T>(work: () => T): T {
    try {
      return this.#database.transaction(work).immediate();
    } catch (error) {
      throw toOutboxError(error, this.#options.file);
    }
  }
}
