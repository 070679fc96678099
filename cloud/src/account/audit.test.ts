import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, issueCentreIdentity } from '@ngatu/trust';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listAuditOf, openAccessDesk, verifyAuditOf } from './access-desk.ts';
import { openAccountDatabase } from './account-database.ts';
import { AuditAnchor } from './audit-anchor.ts';
import { computeAuditDigest } from './audit-chain.ts';
import { AuditTrail } from './audit-trail.ts';

let folder: string;
let file: string;
let anchorFile: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-audit-'));
  file = join(folder, 'accounts.sqlite');
  anchorFile = join(folder, 'audit-anchor.jsonl');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** Appends rows and anchors the last of them, as a centre does that runs for a while. */
function run(rows: number, { anchored = true } = {}): void {
  const database = openAccountDatabase(file);
  const audit = new AuditTrail(database, Date.now);
  for (let row = 0; row < rows; row += 1)
    audit.append({
      actor: 'lan',
      action: 'event-read',
      target: `ev-${row}`,
      reason: 'đối chiếu',
      address: '::1',
    });
  if (anchored) new AuditAnchor(folder).write(database, Date.now());
  database.close();
}

/** What somebody with the file and a tool can do: the triggers are no lock. */
function tamper(sql: string): void {
  const database = new Database(file);
  database.exec(
    `DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; DROP TRIGGER audit_in_order; ${sql}`,
  );
  database.close();
}

async function findFaults(): Promise<string[]> {
  return [...new Set((await verifyAuditOf(folder)).faults.map(({ kind }) => kind))].sort();
}

describe('a trail that nobody touched', () => {
  it('proves itself, row by row and anchor by anchor, over several runs', async () => {
    run(3);
    run(0);
    run(2);
    const report = await verifyAuditOf(folder);
    expect(report).toMatchObject({ rows: 5, anchors: 3, signedAnchors: 0, unanchoredRows: 0, faults: [] });
    const [last] = listAuditOf(folder, { limit: 1 });
    expect(report.head).toEqual({ id: 5, digest: last?.digest });
    expect(last).toMatchObject({ id: 5, actor: 'lan', target: 'ev-1', reason: 'đối chiếu' });
    run(1, { anchored: false });
    expect(await verifyAuditOf(folder)).toMatchObject({ unanchoredRows: 1, faults: [] });
  });

  it('has a canonical form that another program can compute', () => {
    const row = { id: 1, at: '2025-11-22T00:00:00.000Z', actor: 'lan', action: 'sign-in' };
    const rest = { target: null, detail: null, reason: null, address: '::1' };
    // printf '["ngatu-audit",1,"",1,"2025-11-22T00:00:00.000Z","lan","sign-in",null,null,null,"::1"]' | sha256sum
    expect(computeAuditDigest('', { ...row, ...rest })).toBe(
      '1caf93a8a138d68316f3c6bd976663b0ee5e2432c7c958fd99bad5f92d68cb9f',
    );
  });

  it('takes rows of two processes in one chain', async () => {
    const [one, two] = [openAccountDatabase(file), openAccountDatabase(file)];
    const trails = [one, two].map((database) => new AuditTrail(database, Date.now));
    for (let round = 0; round < 10; round += 1)
      for (const trail of trails) trail.append({ action: 'sign-in', actor: `p${round}` });
    new AuditAnchor(folder).write(one, Date.now());
    one.close();
    two.close();
    expect(await verifyAuditOf(folder)).toMatchObject({ rows: 20, faults: [] });
  });

  it('finds rows by who, what, to what and when, page by page', () => {
    run(7);
    const database = openAccountDatabase(file);
    const audit = new AuditTrail(database, () => Date.parse('2025-01-01T00:00:00.000Z'));
    audit.append({ actor: 'minh', action: 'review', target: 'ev-3' });
    const ids = (filter: Parameters<AuditTrail['find']>[0]) => audit.find(filter).map(({ id }) => id);
    expect(ids({ limit: 3 })).toEqual([8, 7, 6]);
    expect(ids({ limit: 3, before: 6 })).toEqual([5, 4, 3]);
    expect(ids({ limit: 9, target: 'ev-3' })).toEqual([8, 4]);
    expect(ids({ limit: 9, actor: 'minh', action: 'review' })).toEqual([8]);
    expect(ids({ limit: 9, to: '2025-01-02T00:00:00.000Z' })).toEqual([8]);
    database.close();
  });
});

describe('tampering is found', () => {
  const cases: [string, string, string[]][] = [
    ['a row changed', "UPDATE audit SET actor = 'minh' WHERE id = 3", ['row-changed']],
    ['a reason emptied', 'UPDATE audit SET reason = NULL WHERE id = 2', ['row-changed']],
    ['a row removed', 'DELETE FROM audit WHERE id = 4', ['row-changed', 'rows-missing']],
    ['the first row removed', 'DELETE FROM audit WHERE id = 1', ['row-changed', 'rows-missing']],
    [
      'a row removed and the rest moved up',
      'DELETE FROM audit WHERE id = 4; UPDATE audit SET id = id - 1 WHERE id = 5; UPDATE audit SET id = id - 1 WHERE id = 6',
      ['cut', 'row-changed'],
    ],
    [
      'two rows exchanged',
      'UPDATE audit SET id = 99 WHERE id = 2; UPDATE audit SET id = 2 WHERE id = 3; UPDATE audit SET id = 3 WHERE id = 99',
      ['row-changed'],
    ],
    ['rows cut from the end', 'DELETE FROM audit WHERE id > 3', ['cut']],
    ['all rows removed', 'DELETE FROM audit', ['cut']],
    [
      'a row put in',
      'INSERT INTO audit SELECT 7, at, actor, action, target, detail, reason, address, digest FROM audit WHERE id = 6',
      ['row-changed'],
    ],
  ];
  it.each(cases)('%s', async (_name, sql, kinds) => {
    run(6);
    expect(await findFaults()).toEqual([]);
    tamper(sql);
    expect(await findFaults()).toEqual(kinds);
  });

  it('an older copy put back, at once and after it has gone on', async () => {
    run(3);
    await copyFile(file, `${file}.old`);
    run(3);
    await copyFile(`${file}.old`, file);
    expect(await findFaults()).toEqual(['cut']);
    run(5);
    expect(await findFaults()).toEqual(['rewritten']);
  });

  it('the whole chain written anew with fresh digests', async () => {
    run(6);
    const database = new Database(file);
    database.exec('DROP TRIGGER audit_no_update');
    let previous = '';
    for (const row of database.prepare('SELECT * FROM audit ORDER BY id').all() as never[]) {
      const changed = { ...(row as object), actor: 'minh' } as Parameters<typeof computeAuditDigest>[1];
      previous = computeAuditDigest(previous, changed);
      database
        .prepare('UPDATE audit SET actor = ?, digest = ? WHERE id = ?')
        .run('minh', previous, changed.id);
    }
    database.close();
    expect(await findFaults()).toEqual(['rewritten']);
  });

  it('a line of the anchor file changed, removed or put in, and the file removed', async () => {
    for (let round = 0; round < 4; round += 1) run(1);
    const lines = (await readFile(anchorFile, 'utf8')).split('\n').slice(0, -1);
    const put = (changed: string[]) => writeFile(anchorFile, `${changed.join('\n')}\n`);
    const [zero = '', a = '', b = '', c = '', d = ''] = lines;
    await put([zero, a, b.replace('"id":2', '"id":3'), c, d]);
    expect(await findFaults()).toContain('anchor-unreadable');
    await put([zero, a, c, d]);
    expect(await findFaults()).toEqual(['anchor-unreadable']);
    await put([zero, a, b, b, c, d]);
    expect(await findFaults()).toContain('anchor-unreadable');
    await put([zero, a, 'nonsense', c, d]);
    expect(await findFaults()).toEqual(['anchor-unreadable']);
    await rm(anchorFile);
    expect(await findFaults()).toEqual(['anchors-missing']);
    // The centre goes on and begins another file: that shows.
    run(1);
    expect(await findFaults()).toEqual(['anchors-missing']);
    await put([a, b, c, d]);
    expect(await findFaults()).toContain('anchor-unreadable');
  });
});

it('goes on after a power cut in the middle of an anchor', async () => {
  run(2);
  await writeFile(anchorFile, `${await readFile(anchorFile, 'utf8')}{"version":1,"at":"20`);
  expect(await verifyAuditOf(folder)).toMatchObject({ anchors: 2, faults: [] });
  run(2);
  expect(await verifyAuditOf(folder)).toMatchObject({ rows: 4, anchors: 3, faults: [] });
});

it('signs its anchors once the centre has a seal key, and finds forged ones', async () => {
  run(2);
  const authority = await createAuthority(join(folder, 'ca'), { name: 'Province' });
  await issueCentreIdentity(authority, { dir: join(folder, 'identity'), hosts: ['localhost'] });
  run(1);
  run(1);
  expect(await verifyAuditOf(folder)).toMatchObject({ anchors: 4, signedAnchors: 2, faults: [] });
  const text = await readFile(anchorFile, 'utf8');
  const lines = text.split('\n').slice(0, -1);
  const last = JSON.parse(lines[3] ?? '');
  await writeFile(
    anchorFile,
    text.replace(lines[3] ?? '', JSON.stringify({ ...last, at: '2020-01-01T00:00:00.000Z' })),
  );
  expect(await findFaults()).toEqual(['anchor-forged']);
  const { signature: _, ...unsigned } = last;
  await writeFile(anchorFile, text.replace(lines[3] ?? '', JSON.stringify(unsigned)));
  expect(await findFaults()).toEqual(['anchor-unsigned']);
});

it('chains the rows of a trail from before', async () => {
  const database = openAccountDatabase(file);
  await rm(anchorFile);
  // What the database was before its second and third migration.
  database.exec(`
    DROP TABLE audit; DROP TABLE session; DROP TABLE recovery_code; DROP TABLE account;
    DROP TABLE area_site; DROP TABLE area; DROP TABLE policy;
    DELETE FROM migration WHERE name <> '001-account';
    CREATE TABLE account (username TEXT PRIMARY KEY, role TEXT NOT NULL, password_hash TEXT NOT NULL, created_at TEXT NOT NULL) STRICT;
    CREATE TABLE session (token_sha256 BLOB PRIMARY KEY, username TEXT NOT NULL REFERENCES account (username)) STRICT;
    CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, actor TEXT, action TEXT NOT NULL,
      target TEXT, detail TEXT, address TEXT) STRICT;
    CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
    CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
    INSERT INTO account VALUES ('admin', 'admin', 'hash', 'then'), ('tuan', 'operator', 'hash', 'then'), ('lan', 'reviewer', 'hash', 'then');
    INSERT INTO audit (id, at, actor, action) VALUES (1, '2025-01-01', 'lan', 'sign-in'), (5, '2025-01-02', 'lan', 'sign-out');
  `);
  database.close();
  await expect(verifyAuditOf(folder)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  {
    using desk = openAccessDesk(folder);
    expect(desk.listAccounts().map(({ username, roles, areas }) => [username, roles.join(), areas])).toEqual([
      ['admin', 'supervisor,operator,auditor,admin', 'all'],
      ['lan', 'reviewer', 'all'],
      ['tuan', 'reviewer,operator', 'all'],
    ]);
  }
  expect(await verifyAuditOf(folder)).toMatchObject({ rows: 3, anchors: 1, faults: [] });
  expect(listAuditOf(folder, { limit: 5 }).map(({ id, at, action }) => [id, at, action])).toEqual([
    [3, expect.any(String), 'audit-chained'],
    [2, '2025-01-02', 'sign-out'],
    [1, '2025-01-01', 'sign-in'],
  ]);
});
