import type { Migration } from './migration.ts';

/** Numbers that are settled (committed, refused or explained as dropped) lie in `ledger_span` as disjoint, maximal spans. */
export const createDelivery: Migration = {
  name: '002-delivery',
  sql: `
CREATE TABLE outbox (
  outbox_id TEXT PRIMARY KEY,
  site TEXT NOT NULL,
  node TEXT NOT NULL,
  ordinal INTEGER NOT NULL UNIQUE
);
CREATE INDEX outbox_by_node ON outbox (site, node, ordinal);
CREATE TABLE ledger_span (
  outbox_id TEXT NOT NULL,
  from_seq INTEGER NOT NULL,
  to_seq INTEGER NOT NULL,
  PRIMARY KEY (outbox_id, from_seq)
) WITHOUT ROWID;

CREATE TABLE dead_letter (
  letter_id INTEGER PRIMARY KEY AUTOINCREMENT,
  topic TEXT NOT NULL,
  code TEXT NOT NULL,
  reason TEXT NOT NULL,
  payload BLOB NOT NULL,
  received_at TEXT NOT NULL,
  outbox_id TEXT,
  seq INTEGER
);
CREATE UNIQUE INDEX dead_letter_by_number ON dead_letter (outbox_id, seq) WHERE outbox_id IS NOT NULL;

CREATE TABLE node (
  site TEXT NOT NULL,
  node TEXT NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (site, node)
) WITHOUT ROWID;

CREATE TABLE camera (
  site TEXT NOT NULL,
  node TEXT NOT NULL,
  camera TEXT NOT NULL,
  last_to_ms INTEGER NOT NULL,
  last_state TEXT NOT NULL,
  last_reason TEXT,
  PRIMARY KEY (site, node, camera)
) WITHOUT ROWID;
CREATE TABLE camera_interval (
  outbox_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  site TEXT NOT NULL,
  node TEXT NOT NULL,
  camera TEXT NOT NULL,
  from_ms INTEGER NOT NULL,
  to_ms INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason TEXT,
  frames_decoded INTEGER NOT NULL,
  frames_analysed INTEGER NOT NULL,
  frames_dropped INTEGER NOT NULL,
  PRIMARY KEY (outbox_id, seq, ordinal)
) WITHOUT ROWID;
CREATE INDEX camera_interval_by_time ON camera_interval (site, node, camera, to_ms);
`,
};
