import type { Migration } from './migration.ts';

/**
 * The chains of evidence as they arrived: one link for each manifest that was committed, with the receipt that was written for it.
 * A link stays when its case is erased: it holds digests and times, and without it the chain would look torn.
 */
export const createSeals: Migration = {
  name: '007-seal',
  sql: `
CREATE TABLE evidence_link (
  chain_id TEXT NOT NULL,
  chain_seq INTEGER NOT NULL,
  site TEXT NOT NULL,
  node TEXT NOT NULL,
  event_id TEXT NOT NULL UNIQUE,
  manifest_sha256 TEXT NOT NULL,
  previous_sha256 TEXT,
  received_at TEXT NOT NULL,
  receipt TEXT NOT NULL,
  PRIMARY KEY (chain_id, chain_seq)
) WITHOUT ROWID;
CREATE INDEX evidence_link_by_node ON evidence_link (site, node, received_at);
`,
};
