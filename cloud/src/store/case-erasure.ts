import { createHash } from 'node:crypto';
import type { EventKind, EvidenceManifest } from '@ngatu/contract';
import type Database from 'better-sqlite3';
import type { ErasureOutcome, Tombstone } from './privacy-store.ts';

/** What stands for a deleted case. */
export function computeCaseDigest(eventId: string): string {
  return createHash('sha256').update(`ngatu erased case\n${eventId}`).digest('hex');
}

/** Deletes a case from every table. To be used inside a transaction of the caller, on a database with `secure_delete`. */
export class CaseErasure {
  readonly #database: Database.Database;
  readonly #isErased: Database.Statement<[string], { known: number }>;
  readonly #isHeld: Database.Statement<[string], { held: number }>;
  readonly #event: Database.Statement<
    [string],
    { kind: EventKind; site: string; node: string; capturedAt: string }
  >;
  readonly #manifest: Database.Statement<[string], { body: string }>;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#isErased = database.prepare('SELECT 1 AS known FROM tombstone WHERE case_digest = ?');
    this.#isHeld = database.prepare(
      'SELECT 1 AS held FROM legal_hold WHERE event_id = ? AND lifted_at IS NULL LIMIT 1',
    );
    this.#event = database.prepare(
      'SELECT kind, site, node, captured_at AS capturedAt FROM event WHERE event_id = ?',
    );
    this.#manifest = database.prepare('SELECT body FROM evidence WHERE event_id = ?');
  }

  isErased(eventId: string): boolean {
    return this.#isErased.get(computeCaseDigest(eventId)) !== undefined;
  }

  erase(
    eventId: string,
    { cause, reason, erasedBy, erasedAt }: Pick<Tombstone, 'cause' | 'reason' | 'erasedBy' | 'erasedAt'>,
  ): ErasureOutcome {
    const event = this.#event.get(eventId);
    if (event === undefined) return 'unknown-event';
    if (this.#isHeld.get(eventId) !== undefined) return 'held';
    const day = event.capturedAt.slice(0, 10);
    this.#run(
      `INSERT INTO tombstone (case_digest, kind, day, cause, reason, erased_by, erased_at) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (case_digest) DO NOTHING`,
      ...[computeCaseDigest(eventId), event.kind, day, cause, reason, erasedBy, erasedAt],
    );
    this.#releaseFiles(eventId, { ...event, at: erasedAt });
    for (const table of [
      'evidence',
      'evidence_file',
      'evidence_request',
      'review',
      'plate_reading',
      'plate_judgement',
      'plate_text',
      'opening',
      'legal_hold',
      'event',
    ])
      this.#run(`DELETE FROM ${table} WHERE event_id = ?`, eventId);
    this.#forgetMentions(eventId);
    return 'erased';
  }

  /** The link of a chain stays, without the name of its case. */
  anonymiseLink(eventId: string): void {
    this.#run(
      `UPDATE evidence_link SET event_id = ?, receipt = '{}' WHERE event_id = ?`,
      `erased-${computeCaseDigest(eventId)}`,
      eventId,
    );
  }

  /** A manifest whose case was deleted before it came: its link is kept, its files have to go on the node. */
  refuseLate({ eventId, files, site, node }: EvidenceManifest, at: string): void {
    this.anonymiseLink(eventId);
    for (const { sha256 } of files) this.#orderFile(sha256, { site, node, at });
  }

  /** Files that no other case names have to go: here, where they have arrived, and on the node. */
  #releaseFiles(eventId: string, { site, node, at }: { site: string; node: string; at: string }): void {
    const row = this.#manifest.get(eventId);
    const files = row === undefined ? [] : (JSON.parse(row.body) as EvidenceManifest).files;
    for (const { sha256 } of files) {
      const other = this.#database
        .prepare('SELECT 1 FROM evidence_file WHERE sha256 = ? AND event_id <> ? LIMIT 1')
        .get(sha256, eventId);
      if (other !== undefined) continue;
      this.#orderFile(sha256, { site, node, at });
      for (const table of ['evidence_arrival', 'evidence_progress', 'evidence_gone', 'evidence_request'])
        this.#run(`DELETE FROM ${table} WHERE sha256 = ?`, sha256);
    }
  }

  #orderFile(sha256: string, { site, node, at }: { site: string; node: string; at: string }): void {
    this.#run('INSERT OR IGNORE INTO file_erasure (sha256, since) VALUES (?, ?)', sha256, at);
    this.#run(
      'INSERT OR IGNORE INTO node_erasure (sha256, site, node, since) VALUES (?, ?, ?, ?)',
      ...[sha256, site, node, at],
    );
  }

  /** Copies of the case in messages that were refused or dropped. */
  #forgetMentions(eventId: string): void {
    this.#run('DELETE FROM dead_letter WHERE instr(CAST(payload AS TEXT), ?) > 0', eventId);
    this.#run('DELETE FROM dropped_item WHERE item = ? OR instr(body, ?) > 0', eventId, eventId);
    this.anonymiseLink(eventId);
  }

  #run(sql: string, ...values: (string | number)[]): void {
    this.#database.prepare(sql).run(...values);
  }
}
