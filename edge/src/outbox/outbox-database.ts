import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorMessage, findSchemaIssues, NgatuError, ORDER_KINDS, OutboxId } from '@ngatu/contract';
import Database from 'better-sqlite3';

/** AUTOINCREMENT: a number is never given twice, also after its row was deleted. */
const BEGIN = `
CREATE TABLE identity (outbox_id TEXT NOT NULL);
CREATE TABLE entry (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  channel TEXT NOT NULL,
  event_id TEXT,
  drop_record INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  body TEXT NOT NULL
);
CREATE TABLE usage (entries INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO usage VALUES (0, 0);
CREATE TRIGGER entry_inserted AFTER INSERT ON entry BEGIN
  UPDATE usage SET entries = entries + 1, bytes = bytes + new.size_bytes;
END;
CREATE TRIGGER entry_deleted AFTER DELETE ON entry BEGIN
  UPDATE usage SET entries = entries - 1, bytes = bytes - old.size_bytes;
END;
CREATE INDEX entry_droppable ON entry (seq) WHERE channel = 'telemetry';
CREATE INDEX entry_event ON entry (event_id) WHERE event_id IS NOT NULL;
CREATE TABLE recent_event (ordinal INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL UNIQUE);
CREATE TABLE rejected (
  seq INTEGER PRIMARY KEY,
  channel TEXT NOT NULL,
  body TEXT NOT NULL,
  code TEXT NOT NULL,
  reason TEXT NOT NULL,
  rejected_at_ms INTEGER NOT NULL
);
CREATE TABLE evidence_job (
  event_id TEXT PRIMARY KEY,
  camera TEXT NOT NULL,
  session TEXT NOT NULL,
  media_time_ms REAL NOT NULL,
  captured_at_ms REAL NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE upload (
  ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
  sha256 TEXT NOT NULL UNIQUE,
  path TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending',
  code TEXT,
  reason TEXT
);
CREATE TABLE mark (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`;

/** What an upload is (`derived` travels at once, `original` when it is wanted or the link is idle) and how urgent. */
const CLASSIFY_UPLOADS = `
ALTER TABLE upload ADD COLUMN class TEXT NOT NULL DEFAULT 'derived';
ALTER TABLE upload ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE upload ADD COLUMN wanted_at_ms INTEGER;
ALTER TABLE upload ADD COLUMN event_id TEXT;
ALTER TABLE upload ADD COLUMN role TEXT;
CREATE INDEX upload_by_urgency ON upload (class, wanted_at_ms, priority DESC, ordinal) WHERE state = 'pending';
`;

/** What the evidence of an event is made and sealed from beside its moment: the event as it was found, and how it was found. */
const KEEP_JOB_CONTEXT = `
CREATE TABLE evidence_context (event_id TEXT PRIMARY KEY, context TEXT NOT NULL) WITHOUT ROWID;
`;

const ORDER_KIND_LIST = [...ORDER_KINDS].map((kind) => `'${kind}'`).join(', ');

/**
 * The order in which entries are dropped (`drop_rank`) and sent, copies of what the centre has committed (`sent`), and every evidence
 * file on this disk (`evidence_file`), also after its upload.
 */
const RANK_ENTRIES = `
ALTER TABLE entry ADD COLUMN drop_rank INTEGER NOT NULL DEFAULT 0;
ALTER TABLE entry ADD COLUMN thin_level INTEGER NOT NULL DEFAULT 0;
ALTER TABLE entry ADD COLUMN camera TEXT;
ALTER TABLE entry ADD COLUMN case_id TEXT;
UPDATE entry SET camera = json_extract(body, '$.camera');
UPDATE entry SET case_id = json_extract(body, '$.eventId') WHERE channel <> 'telemetry';
UPDATE entry SET drop_rank = 9 WHERE drop_record = 1;
UPDATE entry SET drop_rank = 3 WHERE channel = 'evidence';
UPDATE entry SET drop_rank = CASE WHEN json_extract(body, '$.letPass.reason') IS NOT NULL THEN 1
  WHEN json_extract(body, '$.kind') IN (${ORDER_KIND_LIST}) THEN 2 ELSE 3 END WHERE channel = 'event';
DROP INDEX entry_droppable;
CREATE INDEX entry_by_lane ON entry (channel, seq);
CREATE INDEX entry_by_rank ON entry (drop_rank, seq);
CREATE INDEX entry_by_thinness ON entry (thin_level, seq) WHERE drop_rank = 0;
CREATE INDEX entry_by_case ON entry (case_id) WHERE case_id IS NOT NULL;

CREATE TABLE sent (
  seq INTEGER PRIMARY KEY,
  channel TEXT NOT NULL,
  event_id TEXT,
  size_bytes INTEGER NOT NULL,
  body TEXT NOT NULL,
  drop_rank INTEGER NOT NULL,
  camera TEXT,
  case_id TEXT
);
CREATE INDEX sent_by_case ON sent (case_id);
CREATE TABLE sent_usage (bytes INTEGER NOT NULL);
INSERT INTO sent_usage VALUES (0);
CREATE TRIGGER sent_inserted AFTER INSERT ON sent BEGIN
  UPDATE sent_usage SET bytes = bytes + new.size_bytes;
END;
CREATE TRIGGER sent_deleted AFTER DELETE ON sent BEGIN
  UPDATE sent_usage SET bytes = bytes - old.size_bytes;
END;

CREATE TABLE evidence_file (
  ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
  sha256 TEXT NOT NULL UNIQUE,
  path TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  class TEXT NOT NULL,
  priority INTEGER NOT NULL,
  event_id TEXT,
  role TEXT,
  made_at_ms INTEGER NOT NULL
);
INSERT INTO evidence_file (sha256, path, size_bytes, class, priority, event_id, role, made_at_ms)
  SELECT sha256, path, size_bytes, class, priority, event_id, role, 0 FROM upload ORDER BY ordinal;
CREATE TABLE evidence_usage (files INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO evidence_usage SELECT count(*), coalesce(sum(size_bytes), 0) FROM evidence_file;
CREATE TRIGGER evidence_file_inserted AFTER INSERT ON evidence_file BEGIN
  UPDATE evidence_usage SET files = files + 1, bytes = bytes + new.size_bytes;
END;
CREATE TRIGGER evidence_file_deleted AFTER DELETE ON evidence_file BEGIN
  UPDATE evidence_usage SET files = files - 1, bytes = bytes - old.size_bytes;
END;
`;

/** Steps of the schema, applied once each in this order; never changed after their release. */
const STEPS = [BEGIN, CLASSIFY_UPLOADS, KEEP_JOB_CONTEXT, RANK_ENTRIES] as const;

const CODE_BY_PREFIX = [
  ['SQLITE_CORRUPT', 'OUTBOX_CORRUPT'],
  ['SQLITE_NOTADB', 'OUTBOX_CORRUPT'],
  ['SQLITE_FULL', 'DISK_FULL'],
  ['SQLITE_IOERR_SHORT_READ', 'OUTBOX_CORRUPT'],
  ['SQLITE_IOERR_WRITE', 'DISK_FULL'],
  ['SQLITE_IOERR_FSYNC', 'DISK_FULL'],
  ['SQLITE_BUSY', 'OUTBOX_LOCKED'],
  ['SQLITE_READONLY', 'PERMISSION_DENIED'],
  ['SQLITE_CANTOPEN', 'PERMISSION_DENIED'],
  ['SQLITE_PERM', 'PERMISSION_DENIED'],
] as const;

/** What SQLite says at the opening where the file is none that these statements made: of another form, or not of the version it names. */
const FOREIGN_FILE = /^SQLITE_(ERROR|CONSTRAINT|MISMATCH|SCHEMA|TOOBIG)/;
/** Tables, indices and triggers, also those that SQLite makes for itself, but for its statistics. */
const SHAPE =
  "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_stat%' ESCAPE '\\' ORDER BY type, name";
/** No program of ours will have so many steps: a larger number is no version. */
const VERSION_MAX = 1_000;

/** The product's error for a failure of SQLite, or the error itself where it is another one. */
export function toOutboxError(error: unknown, file: string): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const known = CODE_BY_PREFIX.find(([prefix]) => error.code.startsWith(prefix));
  const code = known?.[1] ?? 'INTERNAL';
  const retryable = code === 'DISK_FULL' || code === 'OUTBOX_LOCKED';
  return new NgatuError(code, `Cannot use outbox "${file}": ${error.message} (${error.code})`, {
    retryable,
    cause: error,
  });
}

function openChecked(file: string): Database.Database {
  const database = new Database(file, { timeout: 2_000 });
  try {
    database.pragma('locking_mode = EXCLUSIVE');
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('journal_size_limit = 16777216');
    const verdict = database.pragma('quick_check(1)', { simple: true });
    if (verdict !== 'ok') throw new NgatuError('OUTBOX_CORRUPT', `Cannot use outbox "${file}": ${verdict}`);
    prepareSchema(database, file);
    checkShape(database, file);
    return database;
  } catch (error) {
    database.close();
    if (error instanceof Database.SqliteError && FOREIGN_FILE.test(error.code))
      throw new NgatuError(
        'OUTBOX_CORRUPT',
        `Cannot use outbox "${file}": ${error.message} (${error.code})`,
        {
          cause: error,
        },
      );
    throw toOutboxError(error, file);
  }
}

function prepareSchema(database: Database.Database, file: string): void {
  const version = database.pragma('user_version', { simple: true });
  if (version === STEPS.length) return;
  if (typeof version !== 'number' || version < 0 || version > VERSION_MAX)
    throw new NgatuError('OUTBOX_CORRUPT', `Cannot use outbox "${file}": ${version} is no version`);
  if (version > STEPS.length)
    throw new NgatuError(
      'OUTBOX_VERSION',
      `Cannot use outbox "${file}": written by version ${version} of its schema`,
    );
  const create = database.transaction(() => {
    for (const step of STEPS.slice(version)) database.exec(step);
    if (version === 0) database.prepare('INSERT INTO identity (outbox_id) VALUES (?)').run(randomUUID());
    database.pragma(`user_version = ${STEPS.length}`);
  });
  create.immediate();
}

/** Its tables are those that the steps make, and it has one identity: noise can change names within a page, which SQLite's own check passes. */
function checkShape(database: Database.Database, file: string): void {
  const model = new Database(':memory:');
  try {
    for (const step of STEPS) model.exec(step);
    const [expected, found] = [model, database].map((each) => JSON.stringify(each.prepare(SHAPE).all()));
    if (expected !== found)
      throw new NgatuError(
        'OUTBOX_CORRUPT',
        `Cannot use outbox "${file}": its tables are not those of an outbox`,
      );
  } finally {
    model.close();
  }
  const identities = database.prepare<[], string>('SELECT outbox_id FROM identity').pluck().all();
  if (identities.length !== 1 || findSchemaIssues(OutboxId, identities[0]).length > 0)
    throw new NgatuError('OUTBOX_CORRUPT', `Cannot use outbox "${file}": it has no identity`);
}

/**
 * Opens the file for this process alone. A corrupt one is moved aside with its journal, never deleted, and a new one is
 * begun; `movedAside` then names where it lies. One of a newer program stays where it is.
 * @throws NgatuError OUTBOX_LOCKED, OUTBOX_VERSION, PERMISSION_DENIED, DISK_FULL
 */
export function openOutboxDatabase(
  file: string,
  nowMs: number,
): { database: Database.Database; movedAside?: { file: string; reason: string } } {
  mkdirSync(dirname(file), { recursive: true });
  try {
    return { database: openChecked(file) };
  } catch (error) {
    if (!(error instanceof NgatuError) || error.code !== 'OUTBOX_CORRUPT') throw error;
    const aside = `${file}.corrupt-${new Date(nowMs).toISOString().replaceAll(':', '')}`;
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
    }
    return { database: openChecked(file), movedAside: { file: aside, reason: errorMessage(error) } };
  }
}
