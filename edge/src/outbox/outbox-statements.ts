import type { NumberedChannel } from '@ngatu/contract';
import type Database from 'better-sqlite3';

export interface EntryRow {
  readonly seq: number;
  readonly channel: NumberedChannel;
  readonly body: string;
  readonly sizeBytes: number;
}

export interface UsageRow {
  readonly entries: number;
  readonly bytes: number;
}

export interface EvidenceJobRow {
  readonly eventId: string;
  readonly camera: string;
  readonly session: string;
  readonly mediaTimeMs: number;
  readonly capturedAtMs: number;
  readonly attempts: number;
}

export interface UploadRow {
  readonly sha256: string;
  readonly path: string;
  readonly sizeBytes: number;
}

/** Every statement of the outbox, prepared once. */
export function prepareStatements(database: Database.Database) {
  const entryColumns = 'seq, channel, body, size_bytes AS sizeBytes';
  return {
    outboxId: database.prepare<[], { outboxId: string }>('SELECT outbox_id AS outboxId FROM identity'),
    insertEntry: database.prepare<[string, string | null, number, number, string]>(
      'INSERT INTO entry (channel, event_id, drop_record, size_bytes, body) VALUES (?, ?, ?, ?, ?)',
    ),
    entries: database.prepare<[], EntryRow>(`SELECT ${entryColumns} FROM entry ORDER BY seq`),
    entry: database.prepare<[number], EntryRow>(`SELECT ${entryColumns} FROM entry WHERE seq = ?`),
    deleteEntry: database.prepare<[number]>('DELETE FROM entry WHERE seq = ?'),
    usage: database.prepare<[], UsageRow>('SELECT entries, bytes FROM usage'),
    droppable: database.prepare<[], { seq: number; sizeBytes: number }>(
      `SELECT seq, size_bytes AS sizeBytes FROM entry WHERE channel = 'telemetry' AND drop_record = 0 ORDER BY seq`,
    ),
    dropRecords: database.prepare<[], EntryRow>(
      `SELECT ${entryColumns} FROM entry WHERE channel = 'telemetry' AND drop_record = 1 ORDER BY seq`,
    ),
    knownEvent: database.prepare<[string, string], { known: number }>(
      `SELECT 1 AS known WHERE EXISTS (SELECT 1 FROM recent_event WHERE event_id = ?)
         OR EXISTS (SELECT 1 FROM entry WHERE event_id = ?)`,
    ),
    insertRecentEvent: database.prepare<[string]>('INSERT INTO recent_event (event_id) VALUES (?)'),
    pruneRecentEvents: database.prepare<[number]>(
      'DELETE FROM recent_event WHERE ordinal <= (SELECT max(ordinal) FROM recent_event) - ?',
    ),
    insertRejected: database.prepare<[string, string, number, number]>(
      `INSERT OR REPLACE INTO rejected (seq, channel, body, code, reason, rejected_at_ms)
         SELECT seq, channel, body, ?, ?, ? FROM entry WHERE seq = ?`,
    ),
    pruneRejected: database.prepare<[number]>(
      'DELETE FROM rejected WHERE seq NOT IN (SELECT seq FROM rejected ORDER BY seq DESC LIMIT ?)',
    ),
    rejected: database.prepare<[], { seq: number; channel: NumberedChannel; code: string; reason: string }>(
      'SELECT seq, channel, code, reason FROM rejected ORDER BY seq',
    ),
    insertJob: database.prepare<[string, string, string, number, number]>(
      `INSERT OR IGNORE INTO evidence_job (event_id, camera, session, media_time_ms, captured_at_ms)
         VALUES (?, ?, ?, ?, ?)`,
    ),
    deleteJob: database.prepare<[string]>('DELETE FROM evidence_job WHERE event_id = ?'),
    jobs: database.prepare<[number], EvidenceJobRow>(
      `SELECT event_id AS eventId, camera, session, media_time_ms AS mediaTimeMs, captured_at_ms AS capturedAtMs, attempts
         FROM evidence_job ORDER BY captured_at_ms, event_id LIMIT ?`,
    ),
    countAttempt: database.prepare<[string], { attempts: number }>(
      'UPDATE evidence_job SET attempts = attempts + 1 WHERE event_id = ? RETURNING attempts',
    ),
    insertUpload: database.prepare<[string, string, number]>(
      'INSERT OR IGNORE INTO upload (sha256, path, size_bytes) VALUES (?, ?, ?)',
    ),
    upload: database.prepare<[string], { sha256: string }>('SELECT sha256 FROM upload WHERE sha256 = ?'),
    uploads: database.prepare<[number], UploadRow>(
      `SELECT sha256, path, size_bytes AS sizeBytes FROM upload WHERE state = 'pending' ORDER BY ordinal LIMIT ?`,
    ),
    countUploads: database.prepare<[], { pending: number; refused: number }>(
      `SELECT count(*) FILTER (WHERE state = 'pending') AS pending, count(*) FILTER (WHERE state = 'refused') AS refused
         FROM upload`,
    ),
    deleteUpload: database.prepare<[string]>('DELETE FROM upload WHERE sha256 = ?'),
    refuseUpload: database.prepare<[string, string, string]>(
      `UPDATE upload SET state = 'refused', code = ?, reason = ? WHERE sha256 = ?`,
    ),
    setMark: database.prepare<[string, string]>(
      'INSERT INTO mark (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    ),
    mark: database.prepare<[string], { value: string }>('SELECT value FROM mark WHERE name = ?'),
  };
}

export type OutboxStatements = ReturnType<typeof prepareStatements>;
