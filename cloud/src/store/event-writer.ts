import { isDeepStrictEqual } from 'node:util';
import type { Event, EvidenceManifest, Telemetry } from '@ngatu/contract';
import { isSealed } from '@ngatu/trust';
import type Database from 'better-sqlite3';
import type { CaseErasure } from './case-erasure.ts';
import { DropBook } from './drop-book.ts';
import type { CommitItem, CommitOutcome } from './event-store.ts';
import type { NodeRegister } from './node-register.ts';
import { ReadinessRecords } from './readiness-records.ts';
import type { Custody } from './receipt-store.ts';
import { computeNumberDigest, type SeqLedger } from './seq-ledger.ts';
import type { SqlitePlateStore } from './sqlite-plate-store.ts';
import type { SqliteReceiptStore } from './sqlite-receipt-store.ts';
import type { SqliteScreeningStore } from './sqlite-screening-store.ts';

type Refusal = Extract<CommitOutcome, { outcome: 'rejected' }>;

function refuseConflict(reason: string): Refusal {
  return { outcome: 'rejected', code: 'EVENT_CONFLICT', reason };
}

/** Writes numbered messages into their tables. To be used inside a transaction of the caller. */
export class EventWriter {
  readonly #erasure: CaseErasure;
  readonly #ledger: SeqLedger;
  readonly #receipts: SqliteReceiptStore;
  readonly #nodes: NodeRegister;
  readonly #drops: DropBook;
  readonly #readiness: ReadinessRecords;
  readonly #screening: SqliteScreeningStore;
  readonly #plates: SqlitePlateStore;
  readonly #nextChange: Database.Statement<[], { latest: number }>;
  readonly #touch: Database.Statement<[number, string]>;
  readonly #eventBody: Database.Statement<[string], { body: string }>;
  readonly #insertEvent: Database.Statement<(string | number | null)[]>;
  readonly #evidenceBody: Database.Statement<[string], { body: string }>;
  readonly #insertEvidence: Database.Statement<[string, string]>;
  readonly #insertFile: Database.Statement<[string, number, string, string]>;
  readonly #insertInterval: Database.Statement<(string | number | null)[]>;
  readonly #updateCamera: Database.Statement<(string | number | null)[]>;
  readonly #refusal: Database.Statement<[string, number], { code: Refusal['code']; reason: string }>;

  constructor(
    database: Database.Database,
    parts: {
      readonly erasure: CaseErasure;
      readonly ledger: SeqLedger;
      readonly receipts: SqliteReceiptStore;
      readonly nodes: NodeRegister;
      readonly screening: SqliteScreeningStore;
      readonly plates: SqlitePlateStore;
    },
  ) {
    this.#erasure = parts.erasure;
    this.#ledger = parts.ledger;
    this.#receipts = parts.receipts;
    this.#nodes = parts.nodes;
    this.#screening = parts.screening;
    this.#plates = parts.plates;
    this.#drops = new DropBook(database, parts.ledger);
    this.#readiness = new ReadinessRecords(database);
    this.#nextChange = database.prepare('UPDATE change_counter SET latest = latest + 1 RETURNING latest');
    this.#touch = database.prepare('UPDATE event SET change = ? WHERE event_id = ?');
    this.#eventBody = database.prepare('SELECT body FROM event WHERE event_id = ?');
    this.#insertEvent = database.prepare(
      `INSERT INTO event (event_id, kind, site, node, camera, rule, label, captured_at, ingested_at, let_pass, change, body)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#evidenceBody = database.prepare('SELECT body FROM evidence WHERE event_id = ?');
    this.#insertEvidence = database.prepare('INSERT INTO evidence (event_id, body) VALUES (?, ?)');
    this.#insertFile = database.prepare(
      'INSERT INTO evidence_file (event_id, ordinal, role, sha256) VALUES (?, ?, ?, ?)',
    );
    this.#insertInterval = database.prepare(
      `INSERT OR IGNORE INTO camera_interval (outbox_id, seq, ordinal, site, node, camera, from_ms, to_ms, state, reason,
         frames_decoded, frames_analysed, frames_dropped) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#updateCamera = database.prepare(
      `INSERT INTO camera (site, node, camera, last_to_ms, last_state, last_reason) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (site, node, camera) DO UPDATE
         SET last_to_ms = excluded.last_to_ms, last_state = excluded.last_state, last_reason = excluded.last_reason
         WHERE excluded.last_to_ms >= camera.last_to_ms`,
    );
    this.#refusal = database.prepare('SELECT code, reason FROM dead_letter WHERE outbox_id = ? AND seq = ?');
  }

  /** Writes one message and settles its number, unless it is refused. */
  write(item: CommitItem, ingestedAt: string): CommitOutcome {
    const { outboxId, seq, message } = item;
    if (!this.#ledger.claim(item)) {
      return { outcome: 'rejected', code: 'TOPIC_INVALID', reason: 'the outbox belongs to another node' };
    }
    this.#noteSighting(item, ingestedAt);
    const isPassing = message.channel === 'telemetry' || message.channel === 'screening';
    const digest = computeNumberDigest(message.body, isPassing);
    if (this.#ledger.isSettled(outboxId, seq)) return this.#judgeRepetition(item, digest, ingestedAt);
    const refusal = this.#writeMessage(item, ingestedAt);
    if (refusal !== undefined) return refusal;
    this.#ledger.settle(outboxId, { from: seq, to: seq });
    this.#ledger.keepDigest(outboxId, seq, digest, isPassing);
    if (message.channel === 'telemetry') this.#drops.write(item, message.body, ingestedAt);
    return { outcome: 'committed' };
  }

  /** Another message under a settled number is another machine's: a disk was copied. It is not taken for a repetition, which would lose it. */
  #judgeRepetition(
    { site, node, outboxId, seq }: CommitItem,
    digest: Uint8Array,
    ingestedAt: string,
  ): CommitOutcome {
    const refusal = this.#refusal.get(outboxId, seq);
    if (refusal !== undefined) return { outcome: 'rejected', ...refusal };
    const known = this.#ledger.readDigest(outboxId, seq);
    if (known === undefined || Buffer.compare(known, digest) === 0) return { outcome: 'duplicate' };
    this.#nodes.noteConflict({
      site,
      node,
      kind: 'same-numbers',
      one: outboxId,
      other: outboxId,
      at: ingestedAt,
    });
    return {
      outcome: 'rejected',
      code: 'OUTBOX_CONFLICT',
      reason: `another message is committed under number ${seq} of outbox ${outboxId}`,
    };
  }

  #noteSighting({ site, node, outboxId, publishedAt }: CommitItem, ingestedAt: string): void {
    const other = this.#ledger.sight(outboxId, publishedAt ?? ingestedAt, ingestedAt);
    if (other === undefined) return;
    this.#nodes.noteConflict({ site, node, kind: 'two-outboxes', one: outboxId, other, at: ingestedAt });
  }

  /** Gives the event a new place in the order of changes. */
  touch(eventId: string): void {
    this.#touch.run(this.#countChange(), eventId);
  }

  #countChange(): number {
    const counter = this.#nextChange.get();
    if (counter === undefined) throw new Error('the change counter has no row');
    return counter.latest;
  }

  #writeMessage(item: CommitItem, ingestedAt: string): Refusal | undefined {
    const { message } = item;
    switch (message.channel) {
      case 'event':
        return this.#writeEvent(message.body, ingestedAt);
      case 'evidence':
        return this.#writeEvidence(message.body, message.custody, ingestedAt);
      case 'screening':
        this.#screening.write(message.body, ingestedAt);
        return undefined;
      case 'telemetry':
        this.#writeIntervals(item, message.body);
        this.#readiness.write(item, message.body);
        return undefined;
    }
  }

  #writeEvent(event: Event, ingestedAt: string): Refusal | undefined {
    const stored = this.#eventBody.get(event.eventId);
    if (stored === undefined) {
      // what was deleted stays deleted, however often it is sent
      if (this.#erasure.isErased(event.eventId)) return undefined;
      const { eventId, kind, site, node, camera, rule, subject, capturedAt } = event;
      const columns = [eventId, kind, site, node, camera, rule, subject.label, capturedAt, ingestedAt];
      const letPass = event.letPass?.reason ?? null;
      this.#insertEvent.run(...columns, letPass, this.#countChange(), JSON.stringify(event));
      return undefined;
    }
    const { detectedAt: _stored, ...known } = JSON.parse(stored.body) as Event;
    const { detectedAt: _offered, ...offered } = event;
    if (isDeepStrictEqual(known, offered)) return undefined;
    return refuseConflict(`event ${event.eventId} is stored with another content`);
  }

  /** What was refused is refused only where it is not here already: a key that is revoked today was good when it came. */
  #writeEvidence(
    manifest: EvidenceManifest,
    custody: Custody | undefined,
    ingestedAt: string,
  ): Refusal | undefined {
    const { eventId } = manifest;
    const stored = this.#evidenceBody.get(eventId);
    if (stored !== undefined) {
      const { createdAt: _stored, ...known } = JSON.parse(stored.body) as EvidenceManifest;
      const { createdAt: _offered, ...offered } = manifest;
      if (isDeepStrictEqual(known, offered)) return undefined;
      if (custody !== undefined && !('refusal' in custody) && isSealed(manifest))
        this.#receipts.admitRepetition(manifest, ingestedAt);
      return refuseConflict(`the evidence of event ${eventId} is stored with another content`);
    }
    const refusal = this.#takeCustody(manifest, custody);
    if (refusal !== undefined) return refusal;
    if (this.#erasure.isErased(eventId)) {
      this.#erasure.refuseLate(manifest, ingestedAt);
      return undefined;
    }
    this.#insertEvidence.run(eventId, JSON.stringify(manifest));
    for (const [ordinal, { role, sha256 }] of manifest.files.entries()) {
      this.#insertFile.run(eventId, ordinal, role, sha256);
    }
    if (manifest.plate !== undefined) this.#plates.write(eventId, manifest.plate);
    this.touch(eventId);
    return undefined;
  }

  #takeCustody(manifest: EvidenceManifest, custody: Custody | undefined): Refusal | undefined {
    if (custody === undefined) return undefined;
    if ('refusal' in custody) return { outcome: 'rejected', ...custody.refusal };
    return isSealed(manifest) ? this.#receipts.admit(manifest, custody.receipt) : undefined;
  }

  #writeIntervals({ outboxId, seq, site, node }: CommitItem, { camera, intervals }: Telemetry): void {
    if (camera === undefined) return;
    for (const [ordinal, interval] of intervals.entries()) {
      const fromMs = Date.parse(interval.from);
      const toMs = Date.parse(interval.to);
      const reason = interval.reason ?? null;
      const { state, framesDecoded, framesAnalysed, framesDropped } = interval;
      const origin = [outboxId, seq, ordinal, site, node, camera];
      this.#insertInterval.run(
        ...origin,
        fromMs,
        toMs,
        state,
        reason,
        framesDecoded,
        framesAnalysed,
        framesDropped,
      );
      this.#updateCamera.run(site, node, camera, toMs, state, reason);
    }
  }
}
