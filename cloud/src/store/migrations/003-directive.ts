import type { Migration } from './migration.ts';

/**
 * Directives of cameras with who declared and who ended them, and the revision of each node's set. Events that were let pass
 * carry the reason in a column of their own, so that they stay out of the review queue.
 */
export const createDirectives: Migration = {
  name: '003-directive',
  sql: `
CREATE TABLE directive (
  directive_id TEXT PRIMARY KEY,
  site TEXT NOT NULL,
  node TEXT NOT NULL,
  camera TEXT NOT NULL,
  kind TEXT NOT NULL,
  from_at TEXT NOT NULL,
  until_at TEXT NOT NULL,
  planned_until_at TEXT NOT NULL,
  reason TEXT NOT NULL,
  declared_by TEXT NOT NULL,
  declared_at TEXT NOT NULL,
  ended_by TEXT,
  ended_at TEXT,
  end_reason TEXT,
  revision INTEGER NOT NULL
);
CREATE INDEX directive_by_camera ON directive (site, node, camera, declared_at DESC);
CREATE INDEX directive_by_end ON directive (until_at);
CREATE TABLE directive_revision (
  site TEXT NOT NULL,
  node TEXT NOT NULL,
  revision INTEGER NOT NULL,
  PRIMARY KEY (site, node)
) WITHOUT ROWID;

ALTER TABLE event ADD COLUMN let_pass TEXT;
UPDATE event SET let_pass = json_extract(body, '$.letPass.reason');
CREATE INDEX event_by_let_pass ON event (captured_at DESC, event_id DESC) WHERE let_pass IS NOT NULL;
`,
};
