import type { Migration } from './migration.ts';

/**
 * Fever screening. `screening_passage`: single results with the thermometer reading that staff entered; short-lived, health data without a
 * person. The other tables hold counts and machines: what a gate shows, its windows, its self-checks, and how its decisions stood
 * against thermometers since it was set up.
 */
export const createScreening: Migration = {
  name: '010-screening',
  sql: `
CREATE TABLE screening_gate (
  site TEXT NOT NULL,
  node TEXT NOT NULL,
  gate TEXT NOT NULL,
  heard_at TEXT NOT NULL,
  status_at TEXT,
  status TEXT,
  true_positive INTEGER NOT NULL DEFAULT 0,
  false_negative INTEGER NOT NULL DEFAULT 0,
  true_negative INTEGER NOT NULL DEFAULT 0,
  false_positive INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (site, node, gate)
) WITHOUT ROWID;

CREATE TABLE screening_passage (
  screening_id TEXT NOT NULL,
  site TEXT NOT NULL,
  node TEXT NOT NULL,
  gate TEXT NOT NULL,
  at TEXT NOT NULL,
  arrived_at TEXT NOT NULL,
  body TEXT NOT NULL,
  reading TEXT,
  PRIMARY KEY (site, node, gate, screening_id)
) WITHOUT ROWID;
CREATE INDEX screening_passage_by_time ON screening_passage (site, node, gate, at DESC);
CREATE INDEX screening_passage_by_arrival ON screening_passage (arrived_at);

CREATE TABLE screening_window (
  site TEXT NOT NULL,
  node TEXT NOT NULL,
  gate TEXT NOT NULL,
  from_at TEXT NOT NULL,
  to_at TEXT NOT NULL,
  arrived_at TEXT NOT NULL,
  passed INTEGER NOT NULL,
  measured INTEGER NOT NULL,
  refused TEXT NOT NULL,
  time TEXT NOT NULL,
  learning_frozen INTEGER NOT NULL,
  PRIMARY KEY (site, node, gate, from_at)
) WITHOUT ROWID;
CREATE INDEX screening_window_by_arrival ON screening_window (arrived_at);

CREATE TABLE screening_self_check (
  site TEXT NOT NULL,
  node TEXT NOT NULL,
  gate TEXT NOT NULL,
  at TEXT NOT NULL,
  arrived_at TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (site, node, gate, at)
) WITHOUT ROWID;
CREATE INDEX screening_self_check_by_arrival ON screening_self_check (arrived_at);
`,
};
