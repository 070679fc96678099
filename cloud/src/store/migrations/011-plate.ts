import type { Migration } from './migration.ts';

/**
 * Plates, apart from everything else. `plate_reading`: what the node read, as it was sealed. `plate_judgement`: what persons said of it
 * since, appended and never changed. `plate_text`: by which texts a case is found: `read` by the node, `candidate` as a hint of it,
 * `person` by the newest judgement. All of a case goes with it.
 */
export const createPlates: Migration = {
  name: '011-plate',
  sql: `
CREATE TABLE plate_reading (
  event_id TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  text TEXT,
  finding TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE plate_judgement (
  judgement_id INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id TEXT NOT NULL,
  verdict TEXT NOT NULL,
  text TEXT,
  reason TEXT NOT NULL,
  judged_by TEXT NOT NULL,
  judged_at TEXT NOT NULL
);
CREATE INDEX plate_judgement_by_event ON plate_judgement (event_id, judgement_id);

CREATE TABLE plate_text (
  text TEXT NOT NULL,
  event_id TEXT NOT NULL,
  source TEXT NOT NULL,
  PRIMARY KEY (text, event_id, source)
) WITHOUT ROWID;
CREATE INDEX plate_text_by_event ON plate_text (event_id);
`,
};
