import type { Migration } from './migration.ts';

export const createEvents: Migration = {
  name: '001-event',
  sql: `
CREATE TABLE change_counter (latest INTEGER NOT NULL);
INSERT INTO change_counter VALUES (0);

CREATE TABLE event (
  event_id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  site TEXT NOT NULL,
  node TEXT NOT NULL,
  camera TEXT NOT NULL,
  rule TEXT NOT NULL,
  label TEXT NOT NULL,
  captured_at TEXT NOT NULL,
  ingested_at TEXT NOT NULL,
  review TEXT NOT NULL DEFAULT 'open',
  change INTEGER NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX event_by_time ON event (captured_at DESC, event_id DESC);
CREATE UNIQUE INDEX event_by_change ON event (change);

CREATE TABLE evidence (
  event_id TEXT PRIMARY KEY,
  body TEXT NOT NULL
);
CREATE TABLE evidence_file (
  event_id TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  role TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (event_id, ordinal)
) WITHOUT ROWID;
CREATE INDEX evidence_file_by_digest ON evidence_file (sha256);
CREATE TABLE evidence_arrival (sha256 TEXT PRIMARY KEY, arrived_at TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE review (
  review_id INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id TEXT NOT NULL REFERENCES event (event_id),
  decision TEXT NOT NULL,
  reason TEXT NOT NULL,
  reviewer TEXT NOT NULL,
  decided_at TEXT NOT NULL
);
CREATE INDEX review_by_event ON review (event_id, review_id);
`,
};
