import type { Migration } from './migration.ts';

/** The newest readiness of each camera, and the time in which single rules of it were kept from looking. */
export const createReadiness: Migration = {
  name: '004-readiness',
  sql: `
CREATE TABLE camera_readiness (
  site TEXT NOT NULL,
  node TEXT NOT NULL,
  camera TEXT NOT NULL,
  at TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (site, node, camera)
) WITHOUT ROWID;
CREATE TABLE rule_interval (
  outbox_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  site TEXT NOT NULL,
  node TEXT NOT NULL,
  camera TEXT NOT NULL,
  rule TEXT NOT NULL,
  from_ms INTEGER NOT NULL,
  to_ms INTEGER NOT NULL,
  items TEXT NOT NULL,
  PRIMARY KEY (outbox_id, seq, ordinal)
) WITHOUT ROWID;
CREATE INDEX rule_interval_by_time ON rule_interval (site, node, camera, to_ms);
`,
};
