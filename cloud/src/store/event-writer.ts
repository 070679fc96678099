import { isDeepStrictEqual } from 'node:util';
import { type Event, type EvidenceManifest, readDropRanges, type Telemetry } from '@ngatu/contract';
import type Database from 'better-sqlite3';
import type { CommitItem, CommitOutcome } from './event-store.ts';
import { ReadinessRecords } from './readiness-records.ts';
import type { SeqLedger } from './seq-ledger.ts';

type Refusal = Extract<CommitOutcome, { outcome: 'rejected' }>;

function refuseConflict(reason: string): Refusal {
  return { outcome: 'rejected', code: 'EVENT_CONFLICT', reason };
}

/** Writes numbered messages into their tables. To be used inside a transaction of the caller. */
export class EventWriter {
  readonly #ledger: SeqLedger;
  readonly #readiness: ReadinessRecords;
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

  constructor(database: Database.Database, ledger: SeqLedger) {
    this.#ledger = ledger;
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
    if (this.#ledger.isSettled(outboxId, seq)) {
      const refusal = this.#refusal.get(outboxId, seq);
      return refusal === undefined ? { outcome: 'duplicate' } : { outcome: 'rejected', ...refusal };
    }
    const refusal = this.#writeMessage(item, ingestedAt);
    if (refusal !== undefined) return refusal;
    this.#ledger.settle(outboxId, { from: seq, to: seq });
    if (message.channel === 'telemetry') {
      for (const range of readDropRanges(message.body, seq)) this.#ledger.settle(outboxId, range);
    }
    return { outcome: 'committed' };
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
        return this.#writeEvidence(message.body);
      case 'telemetry':
        this.#writeIntervals(item, message.body);
        this.#readiness.write(item, message.body);
        return undefined;
    }
  }

  #writeEvent(event: Event, ingestedAt: string): Refusal | undefined {
    const stored = this.#eventBody.get(event.eventId);
    if (stored === undefined) {
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

  #writeEvidence(manifest: EvidenceManifest): Refusal | undefined {
    const { eventId } = manifest;
    const stored = this.#evidenceBody.get(eventId);
    if (stored !== undefined) {
      const { createdAt: _stored, ...known } = JSON.parse(stored.body) as EvidenceManifest;
      const { createdAt: _offered, ...offered } = manifest;
      if (isDeepStrictEqual(known, offered)) return undefined;
      return refuseConflict(`the evidence of event ${eventId} is stored with another content`);
    }
    this.#insertEvidence.run(eventId, JSON.stringify(manifest));
    for (const [ordinal, { role, sha256 }] of manifest.files.entries()) {
      this.#insertFile.run(eventId, ordinal, role, sha256);
    }
    this.touch(eventId);
    return undefined;
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
