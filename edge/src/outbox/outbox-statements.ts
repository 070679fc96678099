import type { NumberedChannel } from '@ngatu/contract';
import type Database from 'better-sqlite3';

export interface EntryRow {
  readonly seq: number;
  readonly channel: NumberedChannel;
  readonly body: string;
  readonly sizeBytes: number;
  readonly camera: string | null;
}

export interface UsageRow {
  readonly entries: number;
  readonly bytes: number;
}

/** An entry with what decides when it goes. */
export interface RankedRow extends EntryRow {
  readonly caseId: string | null;
  readonly dropRank: number;
}

export interface EvidenceJobRow {
  readonly eventId: string;
  readonly camera: string;
  readonly session: string;
  readonly mediaTimeMs: number;
  readonly capturedAtMs: number;
  readonly attempts: number;
}

const ENTRY = 'seq, channel, body, size_bytes AS sizeBytes, camera';
const RANKED = `${ENTRY}, case_id AS caseId, drop_rank AS dropRank`;
const COPIED = 'seq, channel, event_id, size_bytes, body, drop_rank, camera, case_id';

/** Every statement on numbered messages and on what is written with them, prepared once. */
export function prepareStatements(database: Database.Database) {
  return { ...prepareEntries(database), ...prepareCopies(database), ...prepareJobs(database) };
}

/** On messages that wait. */
function prepareEntries(database: Database.Database) {
  return {
    outboxId: database.prepare<[], { outboxId: string }>('SELECT outbox_id AS outboxId FROM identity'),
    setOutboxId: database.prepare<[string]>('UPDATE identity SET outbox_id = ?'),
    insertEntry: database.prepare<(string | number | null)[]>(
      `INSERT INTO entry (channel, event_id, drop_record, size_bytes, body, drop_rank, thin_level, camera, case_id)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    lane: database.prepare<[string, number, number, number], EntryRow>(
      `SELECT ${ENTRY} FROM entry WHERE channel = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?`,
    ),
    entry: database.prepare<[number], EntryRow>(`SELECT ${ENTRY} FROM entry WHERE seq = ?`),
    seqs: database.prepare<[number, number], { seq: number }>(
      'SELECT seq FROM entry WHERE seq BETWEEN ? AND ? ORDER BY seq',
    ),
    lowestSeq: database.prepare<[], { seq: number | null }>('SELECT min(seq) AS seq FROM entry'),
    newestSeq: database.prepare<[], { seq: number }>(
      `SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'entry'), 0) AS seq`,
    ),
    deleteEntry: database.prepare<[number]>('DELETE FROM entry WHERE seq = ?'),
    usage: database.prepare<[], UsageRow>('SELECT entries, bytes FROM usage'),
    byRank: database.prepare<[number], RankedRow>(
      `SELECT ${RANKED} FROM entry WHERE drop_rank = ? ORDER BY seq`,
    ),
    byCase: database.prepare<[string], RankedRow>(
      `SELECT ${RANKED} FROM entry WHERE case_id = ? ORDER BY seq`,
    ),
    thinnable: database.prepare<[number, number, number], EntryRow>(
      `SELECT ${ENTRY} FROM entry WHERE drop_rank = 0 AND thin_level = ? AND seq > ? ORDER BY seq LIMIT ?`,
    ),
    rankOfCase: database.prepare<[string, string], { dropRank: number }>(
      `SELECT drop_rank AS dropRank FROM entry WHERE case_id = ? AND channel = 'event'
         UNION ALL SELECT drop_rank FROM sent WHERE case_id = ? AND channel = 'event' LIMIT 1`,
    ),
  };
}

/** On copies of what was sent, on what was seen before, and on what was refused. */
function prepareCopies(database: Database.Database) {
  return {
    keepSent: database.prepare<[number]>(
      `INSERT OR REPLACE INTO sent (${COPIED}) SELECT ${COPIED} FROM entry WHERE seq = ? AND channel IN ('event', 'evidence')`,
    ),
    sentUsage: database.prepare<[], { bytes: number }>('SELECT bytes FROM sent_usage'),
    oldestSent: database.prepare<[], { seq: number; sizeBytes: number }>(
      'SELECT seq, size_bytes AS sizeBytes FROM sent ORDER BY seq LIMIT 256',
    ),
    deleteSent: database.prepare<[number]>('DELETE FROM sent WHERE seq = ?'),
    deleteSentAll: database.prepare<[]>('DELETE FROM sent'),
    skipNumbers: database.prepare<[number]>("UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'entry'"),
    deleteMark: database.prepare<[string]>('DELETE FROM mark WHERE name = ?'),
    deleteSentCase: database.prepare<[string]>('DELETE FROM sent WHERE case_id = ?'),
    restoreSent: database.prepare<[number, number]>(
      `INSERT OR IGNORE INTO entry (${COPIED}, drop_record) SELECT ${COPIED}, 0 FROM sent WHERE seq BETWEEN ? AND ?`,
    ),
    deleteSentBetween: database.prepare<[number, number]>('DELETE FROM sent WHERE seq BETWEEN ? AND ?'),
    knownEvent: database.prepare<[string, string], { known: number }>(
      `SELECT 1 AS known WHERE EXISTS (SELECT 1 FROM recent_event WHERE event_id = ?)
         OR EXISTS (SELECT 1 FROM entry WHERE event_id = ?)`,
    ),
    insertRecentEvent: database.prepare<[string]>('INSERT OR IGNORE INTO recent_event (event_id) VALUES (?)'),
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
    deleteRejectedCase: database.prepare<[string]>(
      `DELETE FROM rejected WHERE json_extract(body, '$.eventId') = ?`,
    ),
  };
}

/** On evidence jobs and marks. */
function prepareJobs(database: Database.Database) {
  return {
    insertJob: database.prepare<[string, string, string, number, number]>(
      `INSERT OR IGNORE INTO evidence_job (event_id, camera, session, media_time_ms, captured_at_ms)
         VALUES (?, ?, ?, ?, ?)`,
    ),
    deleteJob: database.prepare<[string]>('DELETE FROM evidence_job WHERE event_id = ?'),
    jobs: database.prepare<[number], EvidenceJobRow>(
      `SELECT event_id AS eventId, camera, session, media_time_ms AS mediaTimeMs, captured_at_ms AS capturedAtMs, attempts
         FROM evidence_job ORDER BY captured_at_ms, event_id LIMIT ?`,
    ),
    jobContext: database.prepare<[string], { context: string }>(
      'SELECT context FROM evidence_context WHERE event_id = ?',
    ),
    insertJobContext: database.prepare<[string, string]>(
      'INSERT OR REPLACE INTO evidence_context (event_id, context) VALUES (?, ?)',
    ),
    deleteJobContext: database.prepare<[string]>('DELETE FROM evidence_context WHERE event_id = ?'),
    countAttempt: database.prepare<[string], { attempts: number }>(
      'UPDATE evidence_job SET attempts = attempts + 1 WHERE event_id = ? RETURNING attempts',
    ),
    setMark: database.prepare<[string, string]>(
      'INSERT INTO mark (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    ),
    mark: database.prepare<[string], { value: string }>('SELECT value FROM mark WHERE name = ?'),
  };
}

export type OutboxStatements = ReturnType<typeof prepareStatements>;
