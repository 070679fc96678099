import type { Migration } from './migration.ts';

/**
 * Delivery end to end. `number_digest`: what stood under a number, to tell a repetition from another machine's message. `explained`:
 * numbers that will never come, and why; `dropped_item`: what they were, one by one. `hole`: numbers that are missing, since when, and
 * how often they were asked for. `node_boot`: starts of the agents of a node; `node_conflict`: two machines under one name.
 */
export const createDeliveryLedger: Migration = {
  name: '005-delivery',
  sql: `
ALTER TABLE outbox ADD COLUMN first_at TEXT;
ALTER TABLE outbox ADD COLUMN last_at TEXT;
CREATE TABLE number_digest (
  outbox_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  digest BLOB NOT NULL,
  PRIMARY KEY (outbox_id, seq)
) WITHOUT ROWID;
CREATE TABLE explained (
  outbox_id TEXT NOT NULL,
  from_seq INTEGER NOT NULL,
  to_seq INTEGER NOT NULL,
  manner TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (outbox_id, from_seq, manner)
) WITHOUT ROWID;
CREATE TABLE dropped_item (
  item_id INTEGER PRIMARY KEY AUTOINCREMENT,
  outbox_id TEXT NOT NULL,
  site TEXT NOT NULL,
  node TEXT NOT NULL,
  what TEXT NOT NULL,
  item TEXT NOT NULL,
  dropped_at TEXT NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (outbox_id, what, item)
);
CREATE INDEX dropped_item_by_node ON dropped_item (site, node, dropped_at DESC);
CREATE TABLE hole (
  outbox_id TEXT NOT NULL,
  from_seq INTEGER NOT NULL,
  to_seq INTEGER NOT NULL,
  since TEXT NOT NULL,
  asks INTEGER NOT NULL DEFAULT 0,
  asked_at TEXT,
  PRIMARY KEY (outbox_id, from_seq)
) WITHOUT ROWID;
CREATE TABLE node_boot (
  site TEXT NOT NULL,
  node TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  PRIMARY KEY (site, node, boot_id)
) WITHOUT ROWID;
CREATE TABLE node_conflict (
  site TEXT NOT NULL,
  node TEXT NOT NULL,
  kind TEXT NOT NULL,
  one TEXT NOT NULL,
  other TEXT NOT NULL,
  certificates TEXT,
  first_at TEXT NOT NULL,
  last_at TEXT NOT NULL,
  sightings INTEGER NOT NULL,
  PRIMARY KEY (site, node, kind, one, other)
) WITHOUT ROWID;
`,
};
