import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { damageTail, findDestroyed, readOutboxContent, tearTail } from './fault-file.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-fault-file-'));
  file = join(folder, 'outbox.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Writes rows one transaction each, so often that the journal begins anew several times, and leaves as a killed process does. */
function writeOutbox(rows: number): Database.Database {
  const database = new Database(file);
  database.pragma('journal_mode = WAL');
  database.pragma('wal_autocheckpoint = 40');
  database.exec(`CREATE TABLE entry (seq INTEGER PRIMARY KEY, body TEXT);
    CREATE TABLE recent_event (event_id TEXT)`);
  const insert = database.transaction((seq: number) => {
    database.prepare('INSERT INTO entry VALUES (?, ?)').run(seq, 'x'.repeat(500));
    database.prepare('INSERT INTO recent_event VALUES (?)').run(`ev-${seq}`);
  });
  for (let seq = 1; seq <= rows; seq++) insert(seq);
  return database;
}

it('destroys nothing with noise behind what was promised, and the last transactions with noise over it', () => {
  using _open = {
    database: writeOutbox(500),
    [Symbol.dispose]() {
      this.database.close();
    },
  };
  const whole = readOutboxContent(file);
  expect(whole.seqs.size).toBe(500);
  tearTail(`${file}-wal`, () => 0.9);
  expect(findDestroyed(whole, readOutboxContent(file))).toEqual({ seqs: [], eventIds: [] });
  damageTail(`${file}-wal`, () => 0.9);
  const { seqs, eventIds } = findDestroyed(whole, readOutboxContent(file));
  expect(seqs.at(-1)).toBe(500);
  expect(seqs.length).toBeGreaterThanOrEqual(1);
  expect(seqs.length).toBeLessThan(10);
  expect(eventIds).toEqual(seqs.map((seq) => `ev-${seq}`));
});

it('ends other files at their end', () => {
  writeOutbox(3).close();
  const { size } = statSync(file);
  const length = tearTail(file, () => 0.5);
  expect(statSync(file).size).toBe(size + length);
});
