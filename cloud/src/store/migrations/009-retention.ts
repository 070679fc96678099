import type { Migration } from './migration.ts';

/** Finds the oldest cases of a kind and an outcome without looking at those that are kept for longer. */
export const indexRetention: Migration = {
  name: '009-retention',
  sql: 'CREATE INDEX event_by_outcome ON event (kind, review, captured_at);',
};
