import { createHash } from 'node:crypto';
import type Database from 'better-sqlite3';

/** A row of the trail as it is kept. */
export interface AuditRow {
  id: number;
  at: string;
  actor: string | null;
  action: string;
  target: string | null;
  detail: string | null;
  reason: string | null;
  address: string | null;
  /** SHA-256 of this row and of the digest before, hexadecimal. */
  digest: string;
}

/** The last row of a trail. */
export interface AuditHead {
  readonly id: number;
  readonly digest: string;
}

/** What a trail without rows ends with. */
export const EMPTY_HEAD: AuditHead = { id: 0, digest: '' };
/** The row at which a trail from before the chain was brought into it. */
export const CHAINED_ACTION = 'audit-chained';
const FORM_VERSION = 1;

/**
 * SHA-256 of the canonical form: a JSON array of strings, one integer and nulls in this order, without white space, which is
 * also its RFC 8785 form.
 */
export function computeAuditDigest(previous: string, row: Omit<AuditRow, 'digest'>): string {
  const { id, at, actor, action, target, detail, reason, address } = row;
  const form = [
    'ngatu-audit',
    FORM_VERSION,
    previous,
    id,
    at,
    actor,
    action,
    target,
    detail,
    reason,
    address,
  ];
  return createHash('sha256').update(JSON.stringify(form)).digest('hex');
}

export function readHead(database: Database.Database): AuditHead {
  return (
    database.prepare<[], AuditHead>('SELECT id, digest FROM audit ORDER BY id DESC LIMIT 1').get() ??
    EMPTY_HEAD
  );
}

/** Appends a row to the chain. To be used inside an immediate transaction. */
export function appendRow(database: Database.Database, entry: Omit<AuditRow, 'id' | 'digest'>): void {
  const head = readHead(database);
  const row = { id: head.id + 1, ...entry };
  database
    .prepare(
      `INSERT INTO audit (id, at, actor, action, target, detail, reason, address, digest)
       VALUES (@id, @at, @actor, @action, @target, @detail, @reason, @address, @digest)`,
    )
    .run({ ...row, digest: computeAuditDigest(head.digest, row) });
}

/** Brings the rows of a trail that was not yet chained into the chain, in one transaction. */
export function chainOlderRows(database: Database.Database): void {
  const isThere = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'audit_unchained'");
  if (isThere.get() === undefined) return;
  database
    .transaction(() => {
      if (isThere.get() === undefined) return;
      const rows = database
        .prepare<[], Omit<AuditRow, 'id' | 'digest'>>(
          'SELECT at, actor, action, target, detail, NULL AS reason, address FROM audit_unchained ORDER BY id',
        )
        .all();
      for (const row of rows) appendRow(database, row);
      const nobody = { actor: null, target: null, detail: null, reason: null, address: null };
      if (rows.length > 0)
        appendRow(database, { at: new Date().toISOString(), action: CHAINED_ACTION, ...nobody });
      database.exec('DROP TABLE audit_unchained');
    })
    .immediate();
}
