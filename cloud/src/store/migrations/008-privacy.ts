import type { Migration } from './migration.ts';

/**
 * Privacy. `opening`: who asked to see an original, why, and who agreed. `legal_hold`: cases that must not be deleted. `tombstone`: what
 * is left of a deleted case, without personal data. `file_erasure` and `node_erasure`: files that have to go here and on their node.
 * `subject_case`: requests of persons about their data, with their deadlines. `hygiene`: once-only work on the file itself.
 */
export const createPrivacy: Migration = {
  name: '008-privacy',
  sql: `
CREATE TABLE opening (
  opening_id TEXT PRIMARY KEY,
  event_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  requested_at TEXT NOT NULL,
  lapses_at TEXT NOT NULL,
  decided_by TEXT,
  decided_at TEXT,
  decision TEXT,
  decision_reason TEXT,
  open_until TEXT
) WITHOUT ROWID;
CREATE INDEX opening_by_event ON opening (event_id, requested_at DESC);
CREATE INDEX opening_waiting ON opening (lapses_at) WHERE decision IS NULL;

CREATE TABLE legal_hold (
  hold_id TEXT PRIMARY KEY,
  event_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  placed_by TEXT NOT NULL,
  placed_at TEXT NOT NULL,
  lifted_by TEXT,
  lifted_at TEXT,
  lift_reason TEXT
) WITHOUT ROWID;
CREATE INDEX legal_hold_by_event ON legal_hold (event_id);

CREATE TABLE tombstone (
  case_digest TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  day TEXT NOT NULL,
  cause TEXT NOT NULL,
  reason TEXT NOT NULL,
  erased_by TEXT NOT NULL,
  erased_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX tombstone_by_time ON tombstone (erased_at DESC);

CREATE TABLE file_erasure (sha256 TEXT PRIMARY KEY, since TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE node_erasure (
  sha256 TEXT PRIMARY KEY,
  site TEXT NOT NULL,
  node TEXT NOT NULL,
  since TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX node_erasure_by_node ON node_erasure (site, node);

CREATE TABLE subject_case (
  case_id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  received_at TEXT NOT NULL,
  acknowledge_by TEXT NOT NULL,
  acknowledged_at TEXT,
  handled_by TEXT NOT NULL,
  closed_at TEXT,
  found INTEGER,
  erased INTEGER,
  held INTEGER,
  outcome TEXT
) WITHOUT ROWID;
CREATE TABLE hygiene (name TEXT PRIMARY KEY, done_at TEXT NOT NULL) WITHOUT ROWID;
`,
};
