import type { Migration } from './migration.ts';

/** Evidence files that are wanted of a node, how much of them has come, and those that the node no longer has. */
export const createTransfers: Migration = {
  name: '006-transfer',
  sql: `
CREATE TABLE evidence_request (
  sha256 TEXT PRIMARY KEY,
  event_id TEXT NOT NULL,
  site TEXT NOT NULL,
  node TEXT NOT NULL,
  priority INTEGER NOT NULL,
  cause TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  requested_at TEXT NOT NULL,
  reason TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX evidence_request_by_node ON evidence_request (site, node, priority DESC, requested_at);
CREATE TABLE evidence_progress (
  sha256 TEXT PRIMARY KEY,
  received_bytes INTEGER NOT NULL,
  at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE evidence_gone (
  sha256 TEXT PRIMARY KEY,
  reason TEXT NOT NULL,
  detail TEXT,
  gone_at TEXT NOT NULL
) WITHOUT ROWID;
`,
};
