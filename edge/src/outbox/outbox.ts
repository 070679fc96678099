import { randomUUID } from 'node:crypto';
import type { DropRange, ErrorCode, EvidenceManifest, NumberedChannel, SeqRange } from '@ngatu/contract';
import { errorMessage, NgatuError } from '@ngatu/contract';
import type Database from 'better-sqlite3';
import { appendDropRecords } from './drop-record-writer.ts';
import { EntryWriter } from './entry-writer.ts';
import {
  EvidenceLedger,
  type EvidenceLimits,
  type PendingUpload,
  type ReleasedFile,
} from './evidence-ledger.ts';
import { LaneBook, type LeaseLimits } from './lane-book.ts';
import { OpenSign } from './open-sign.ts';
import { openOutboxDatabase, toOutboxError } from './outbox-database.ts';
import { encodeOutboxMessage, type OutboxMessage } from './outbox-message.ts';
import { OutboxRoom, type RoomOutcome, TOTAL_MARKS } from './outbox-room.ts';
import type {
  AppendExtras,
  AppendOutcome,
  LeasedEntry,
  OutboxOptions,
  OutboxUsage,
  PendingEvidenceJob,
  ResendOutcome,
} from './outbox-shape.ts';
import { type OutboxStatements, prepareStatements } from './outbox-statements.ts';
import { SentMarks } from './sent-marks.ts';
import { subtractNumbers } from './seq-range.ts';

export type { NewUpload, PendingUpload, UploadClass } from './evidence-ledger.ts';
export type { OutboxMessage } from './outbox-message.ts';
export type {
  AppendExtras,
  AppendOutcome,
  EvidenceJob,
  LeasedEntry,
  OutboxClock,
  OutboxOptions,
  OutboxUsage,
  PendingEvidenceJob,
  ResendOutcome,
} from './outbox-shape.ts';

/** Rejected entries that are kept for inspection; the centre keeps each in its dead letters too. */
const REJECTED_KEPT = 1_000;
/** Copies of committed events and manifests are kept in so much of the limit, in case the centre loses them. */
const SENT_SHARE = 1 / 16;
/** More numbers than a journal holds between two checkpoints. */
const SKIPPED_NUMBERS = 4_096;
/** An identity is given up at most once in this time, ms. */
const RENEW_EVERY_MS = 60_000;

export interface OutboxOpening {
  readonly outbox: Outbox;
  /** Where the corrupt database went that lay there before (OUTBOX_CORRUPT). */
  readonly movedAside?: { readonly file: string; readonly reason: string };
}

const SENT_MARK = 'outbox.maybe-sent';

/**
 * The node's durable queue of numbered messages: one SQLite file, WAL, synchronous FULL, held by one process. When
 * `append` returns, the messages survive a power cut. Leases live in this process only, so none survive it.
 */
export class Outbox implements Disposable {
  readonly #options: OutboxOptions;
  readonly #database: Database.Database;
  readonly #statements: OutboxStatements;
  readonly #evidence: EvidenceLedger;
  readonly #writer: EntryWriter;
  readonly #lanes: LaneBook;
  readonly #sent: SentMarks;
  readonly #listeners = new Set<() => void>();
  readonly #sign: OpenSign;
  /** Numbers are to be left out before the next one is given. */
  #mustSkip = false;
  #outboxId: string;
  #renewedAtMs = Number.NEGATIVE_INFINITY;

  private constructor(options: OutboxOptions, database: Database.Database) {
    this.#options = options;
    this.#database = database;
    this.#sign = new OpenSign(options.file);
    this.#statements = prepareStatements(database);
    this.#evidence = new EvidenceLedger(database);
    this.#writer = new EntryWriter(this.#statements, this.#evidence);
    this.#lanes = new LaneBook(
      ({ channel, after, through, limit }) => this.#statements.lane.all(channel, after, through, limit),
      this.#newestSeq(),
    );
    this.#sent = new SentMarks(this.mark(SENT_MARK));
    const identity = this.#statements.outboxId.get();
    if (identity === undefined) {
      throw new NgatuError('OUTBOX_CORRUPT', `Cannot use outbox "${options.file}": it has no identity`);
    }
    this.#outboxId = identity.outboxId;
  }

  /** @throws NgatuError OUTBOX_LOCKED, PERMISSION_DENIED, DISK_FULL */
  static open(options: OutboxOptions): OutboxOpening {
    const { database, movedAside } = openOutboxDatabase(options.file, options.clock.nowMs());
    const outbox = new Outbox(options, database);
    outbox.#begin();
    if (movedAside === undefined) return { outbox };
    options.logger.error(
      { code: 'OUTBOX_CORRUPT', ...movedAside },
      'corrupt outbox moved aside, a new one begun',
    );
    return { outbox, movedAside };
  }

  get outboxId(): string {
    return this.#outboxId;
  }

  /**
   * Writes all of it in one transaction. Numbers are contiguous in the order of `messages`. Where the limit is passed, the least
   * important entries go (see `OutboxRoom`), which may be ones of this very append; each is listed in a message of its own.
   * @throws NgatuError MESSAGE_INVALID, MESSAGE_TOO_LARGE, DISK_FULL; OUTBOX_FULL where the limit is too small for one message
   */
  append(messages: readonly OutboxMessage[], extras: AppendExtras = {}): AppendOutcome[] {
    const encoded = messages.map(encodeOutboxMessage);
    let room: RoomOutcome | undefined;
    const outcomes = this.#transact(() => {
      const fresh = this.#writer.selectFresh(encoded);
      const duplicates = new Set<string>();
      const results = encoded.map((message): AppendOutcome => {
        if (fresh.has(message)) return { outcome: 'appended', seq: this.#writer.insert(message) };
        if (message.eventId !== undefined) duplicates.add(message.eventId);
        return { outcome: 'duplicate' };
      });
      this.#writer.writeExtras(extras, duplicates, this.#options.clock.nowMs());
      room = this.#makeRoom();
      return results;
    });
    if (room !== undefined && (room.telemetryDropped > 0 || room.casesDropped > 0))
      this.#options.logger.warn(
        { code: 'OUTBOX_FULL', ...room },
        'outbox is full: the least important is dropped',
      );
    this.#announce();
    return outcomes;
  }

  /**
   * Leases at most `limit` entries that are not leased, for `leaseMs`, in the order in which they should be sent: what is fresh before the
   * backlog, events before evidence before telemetry, by number within; none of these is starved by the others.
   */
  lease(limit: number, leaseMs: number, limits: LeaseLimits = {}): LeasedEntry[] {
    const entries = this.#lanes.lease(limit, leaseMs, limits, this.#options.clock.monotonicMs());
    const telemetry = entries.filter(({ channel }) => channel === 'telemetry').map(({ seq }) => seq);
    if (this.#sent.note(telemetry)) this.#transact(() => this.#writeSentMarks());
    return entries;
  }

  /** Entries under a lease that has not ended. */
  get leasedCount(): number {
    return this.#lanes.count(this.#options.clock.monotonicMs());
  }

  /** Lets every lease last for `leaseMs` from now at least: what was sent is slow, not lost. */
  extendLeases(leaseMs: number): void {
    this.#lanes.extend(this.#options.clock.monotonicMs() + leaseMs);
  }

  /** Ends the leases of these numbers, or all: what was sent may never have arrived. */
  releaseLeases(seqs?: readonly number[]): void {
    if (seqs === undefined) this.#lanes.releaseAll();
    else this.#lanes.release(seqs);
  }

  /**
   * Takes out entries that the ingestor has committed; of events and manifests a copy stays for a while. Unknown numbers are ignored.
   * Returns how many were there.
   */
  ack(seqs: readonly number[]): number {
    const deleted = this.#transact(() => {
      const before = this.#statements.usage.get()?.entries ?? 0;
      for (const seq of seqs) {
        this.#statements.keepSent.run(seq);
        this.#statements.deleteEntry.run(seq);
      }
      this.#pruneSent();
      return before - (this.#statements.usage.get()?.entries ?? 0);
    });
    for (const seq of seqs) this.#lanes.drop(seq);
    return deleted;
  }

  /**
   * Sets an entry aside that the centre refuses for good; the files of a refused manifest with it, for the centre will not
   * take them. Where it keeps another manifest of the case (`EVENT_CONFLICT`) that may name the same files, they are offered all the same.
   * Returns whether it was there.
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
        for (const { sha256 } of files) {
          if (code === 'EVENT_CONFLICT') this.#evidence.doubt(sha256, code, reason);
          else this.#evidence.refuse(sha256, code, reason);
        }
      }
      return true;
    });
    this.#lanes.drop(seq);
    return moved;
  }

  /**
   * Answers the centre's question for numbers that it misses: what waits is sent again at once, what had left is put back from its copy,
   * and the rest is explained in a numbered message.
   */
  resend(ranges: readonly SeqRange[]): ResendOutcome {
    const newestSeq = this.#newestSeq();
    const waiting: number[] = [];
    let restored = 0;
    const gone: DropRange[] = [];
    this.#transact(() => {
      for (const { from, to } of ranges) {
        const range = { from, to: Math.min(to, newestSeq) };
        if (range.from > range.to) continue;
        waiting.push(...this.#statements.seqs.all(range.from, range.to).map(({ seq }) => seq));
        restored += this.#statements.restoreSent.run(range.from, range.to).changes;
        this.#statements.deleteSentBetween.run(range.from, range.to);
        const present = this.#statements.seqs.all(range.from, range.to).map(({ seq }) => seq);
        gone.push(...subtractNumbers(range, present).map((rest) => ({ ...rest, manner: 'gone' as const })));
      }
      if (gone.length > 0) this.#appendRecords(gone);
      this.#makeRoom();
    });
    this.#lanes.release(waiting);
    if (restored > 0) this.#lanes.releaseAll();
    this.#announce();
    const goneTotal = gone.reduce((sum, { from, to }) => sum + to - from + 1, 0);
    return { waiting: waiting.length, restored, gone: goneTotal };
  }

  /**
   * Takes a new identity: another machine numbers its messages under this one (a copied disk). What waits keeps its number and is sent
   * again under the new identity; the numbers that do not wait any more are explained there. False where `seq`, the number that another
   * machine has used, does not wait here, or this was done a moment ago.
   */
  renewIdentity(seq: number): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#renewedAtMs < RENEW_EVERY_MS) return false;
    if (this.#statements.entry.get(seq) === undefined) return false;
    const outboxId = randomUUID();
    this.#transact(() => {
      this.#statements.setOutboxId.run(outboxId);
      const newest = this.#newestSeq();
      // The centre asks for no number of an identity that is given up: what it may have lost of it comes again under the new one.
      this.#statements.restoreSent.run(1, newest);
      this.#statements.deleteSentAll.run();
      const present = this.#statements.seqs.all(1, newest).map(({ seq }) => seq);
      const left = newest === 0 ? [] : subtractNumbers({ from: 1, to: newest }, present);
      this.#appendRecords(left.map((range) => ({ ...range, manner: 'renumbered' as const })));
      this.#sent.clear();
      this.#writeSentMarks();
      this.#makeRoom();
    });
    this.#options.logger.error(
      { code: 'OUTBOX_CONFLICT', from: this.#outboxId, to: outboxId },
      'another machine uses the identity of this outbox: a new one is taken',
    );
    this.#outboxId = outboxId;
    this.#renewedAtMs = nowMs;
    this.#lanes.releaseAll();
    this.#announce();
    return true;
  }

  /** Entries that the centre refused, lowest number first. */
  listRejected(): { seq: number; channel: NumberedChannel; code: string; reason: string }[] {
    return this.#statements.rejected.all();
  }

  pending(): OutboxUsage {
    const uploads = this.#evidence.count();
    const evidence = this.#evidence.usage();
    const oldestSeq = this.#statements.lowestSeq.get()?.seq ?? undefined;
    return {
      ...(this.#statements.usage.get() ?? { entries: 0, bytes: 0 }),
      ...(oldestSeq === undefined ? {} : { oldestSeq }),
      newestSeq: this.#newestSeq(),
      telemetryDroppedTotal: this.#readTotal('telemetryDropped'),
      telemetryThinnedTotal: this.#readTotal('thinned'),
      casesDroppedTotal: this.#readTotal('casesDropped'),
      uploadsPending: uploads.pending,
      uploadsRefused: uploads.refused,
      evidenceFiles: evidence.files,
      evidenceBytes: evidence.bytes,
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

  /** The context that the job of this event was appended with, as long as it is not finished. */
  evidenceContext(eventId: string): string | undefined {
    return this.#statements.jobContext.get(eventId)?.context;
  }

  /** Counts a beginning attempt, so that a job that kills its process does not run for ever. Returns the new count. */
  countEvidenceAttempt(eventId: string): number {
    return this.#transact(() => this.#statements.countAttempt.get(eventId)?.attempts ?? 0);
  }

  /**
   * Files that wait for their upload: those that go at once or are wanted before originals that nobody asked for, the greater
   * priority first, then in the order in which they were made.
   */
  listUploads(limit: number): PendingUpload[] {
    return this.#evidence.list(limit);
  }

  /**
   * Marks a waiting file as asked for by the centre at `atMs` (the first asking counts, and the first with a higher priority);
   * `priority` replaces its own where it is given. False where it does not wait: it has been sent, was refused, or was never there.
   */
  wantUpload(sha256: string, atMs: number, priority?: number): boolean {
    return this.#transact(() => this.#evidence.want(sha256, atMs, priority));
  }

  /** True while the file waits for its upload, or was refused and is kept for inspection. */
  holdsUpload(sha256: string): boolean {
    return this.#evidence.holds(sha256);
  }

  /** Forgets an upload that the centre has confirmed. The file stays. */
  removeUpload(sha256: string): void {
    this.#transact(() => this.#evidence.remove(sha256));
  }

  /** Keeps an upload that can never succeed, with the reason, out of the way of the others. */
  refuseUpload(sha256: string, code: ErrorCode, reason: string): void {
    this.#transact(() => this.#evidence.refuse(sha256, code, reason));
  }

  /**
   * Lets go evidence files that are too much, the least needed first: what the centre has, then what it refused, then originals that
   * nobody asked for. What the centre will never get by it is listed in a numbered message. The caller deletes the files.
   */
  releaseEvidence(limits: EvidenceLimits): ReleasedFile[] {
    const released = this.#transact(() => {
      const { released, lost } = this.#evidence.release(limits, this.#options.clock.nowMs());
      if (lost.length > 0) {
        const request = { ...this.#options, nowMs: this.#options.clock.nowMs() };
        appendDropRecords(this.#statements, request, { ranges: [], items: lost });
      }
      return released;
    });
    if (released.length > 0) this.#announce();
    return released;
  }

  /**
   * Deletes what this node keeps of an event beyond its delivery: copies, refused messages, files. Messages of it that still wait are
   * left, for the centre decides about them. The caller deletes the files.
   */
  forgetEvent(eventId: string): ReleasedFile[] {
    return this.#transact(() => {
      this.#statements.deleteSentCase.run(eventId);
      this.#statements.deleteRejectedCase.run(eventId);
      this.#statements.deleteJob.run(eventId);
      this.#statements.deleteJobContext.run(eventId);
      return this.#evidence.forget(eventId);
    });
  }

  [Symbol.dispose](): void {
    this.#database.close();
    this.#sign.lower();
  }

  /**
   * A process that was killed, or lost power, may have given numbers and sealed manifests of which a disk that breaks its word knows
   * nothing. What comes under such a number now would pass for what the centre has under it. So numbers begin anew behind a gap that is
   * explained, and what was bound to the last messages is forgotten.
   */
  #begin(): void {
    const { logger, file } = this.#options;
    try {
      this.#mustSkip = this.#sign.raise() && this.#newestSeq() > 0;
    } catch (error) {
      // On a full disk nothing is promised either; a kill before the next start is then not seen.
      logger.warn({ error: errorMessage(error) }, `cannot note that outbox "${file}" is open`);
    }
    if (!this.#mustSkip) return;
    logger.warn({ numbers: SKIPPED_NUMBERS }, 'the outbox was not closed: numbers are left out');
    try {
      this.#transact(() => undefined);
    } catch (error) {
      if (!(error instanceof NgatuError) || !error.retryable) throw error;
      logger.warn({ code: error.code }, error.message);
    }
  }

  /** Before anything else is written; a disk that is full puts it off together with what would be written. */
  #skipNumbers(): void {
    const newest = this.#newestSeq();
    this.#statements.skipNumbers.run(SKIPPED_NUMBERS);
    for (const name of this.#options.fragileMarks ?? []) this.#statements.deleteMark.run(name);
    this.#appendRecords([{ from: newest + 1, to: newest + SKIPPED_NUMBERS, manner: 'skipped' }]);
  }

  #announce(): void {
    this.#lanes.noteAppended(this.#newestSeq(), this.#options.clock.monotonicMs());
    for (const listener of this.#listeners) listener();
  }

  #newestSeq(): number {
    return this.#statements.newestSeq.get()?.seq ?? 0;
  }

  /** To be called in a transaction. @throws NgatuError OUTBOX_FULL */
  #makeRoom(): RoomOutcome | undefined {
    const { maxBytes, origin, clock, file } = this.#options;
    if ((this.#statements.usage.get()?.bytes ?? 0) <= maxBytes) return undefined;
    this.#sent.prune(this.#statements.lowestSeq.get()?.seq ?? 0);
    const refuseFile = (sha256: string, reason: string): void =>
      this.#evidence.refuse(sha256, 'OUTBOX_FULL', reason);
    const request = { origin, nowMs: clock.nowMs(), maxBytes, sent: this.#sent, refuseFile };
    const outcome = new OutboxRoom(this.#statements, request).make();
    const left = this.#statements.usage.get()?.bytes ?? 0;
    if (left > maxBytes) {
      throw new NgatuError(
        'OUTBOX_FULL',
        `Cannot append to outbox "${file}": ${left} bytes must be kept, the limit is ${maxBytes}`,
      );
    }
    for (const name of ['thinned', 'telemetryDropped', 'casesDropped'] as const) {
      if (outcome[name] > 0)
        this.#statements.setMark.run(TOTAL_MARKS[name], String(this.#readTotal(name) + outcome[name]));
    }
    return outcome;
  }

  #appendRecords(ranges: readonly DropRange[]): void {
    const request = { ...this.#options, nowMs: this.#options.clock.nowMs() };
    appendDropRecords(this.#statements, request, { ranges, items: [] });
  }

  #pruneSent(): void {
    const limit = this.#options.maxBytes * SENT_SHARE;
    let bytes = this.#statements.sentUsage.get()?.bytes ?? 0;
    if (bytes <= limit) return;
    for (const { seq, sizeBytes } of this.#statements.oldestSent.all()) {
      if (bytes <= limit) return;
      this.#statements.deleteSent.run(seq);
      bytes -= sizeBytes;
    }
  }

  #writeSentMarks(): void {
    this.#statements.setMark.run(SENT_MARK, this.#sent.encode());
  }

  #readTotal(name: keyof RoomOutcome): number {
    return Number(this.mark(TOTAL_MARKS[name]) ?? 0);
  }

  #transact<T>(work: () => T): T {
    const skipsFirst = this.#mustSkip;
    try {
      const result = this.#database
        .transaction(() => {
          if (skipsFirst) this.#skipNumbers();
          return work();
        })
        .immediate();
      if (skipsFirst) this.#mustSkip = false;
      return result;
    } catch (error) {
      throw toOutboxError(error, this.#options.file);
    }
  }
}
