import type Database from 'better-sqlite3';
import { type AuditRow, appendRow } from './audit-chain.ts';

export type AuditAction =
  | 'sign-in'
  | 'sign-in-refused'
  | 'sign-out'
  | 'account-locked'
  | 'account-unlock'
  | 'account-create'
  | 'account-change'
  | 'account-disable'
  | 'account-enable'
  | 'accounts-read'
  | 'areas-change'
  | 'policy-change'
  | 'password-reset'
  | 'password-change'
  | 'second-factor-enrol'
  | 'second-factor-remove'
  | 'recovery-code-used'
  | 'session-end'
  | 'audit-read'
  | 'audit-mismatch'
  | 'audit-chained'
  | 'event-read'
  | 'evidence-read'
  | 'original-read'
  | 'original-refused'
  | 'opening-request'
  | 'opening-decide'
  | 'hold-place'
  | 'hold-lift'
  | 'original-request'
  | 'review'
  | 'case-export'
  | 'dead-letters-read'
  | 'directive-declare'
  | 'directive-end'
  | 'screening-read'
  | 'thermometer-enter'
  | 'plate-read'
  | 'plate-judge'
  | 'plate-search';

/** Who did what to what, when, from where. */
export interface AuditEntry {
  /** User name; absent where nobody is known. */
  readonly actor?: string;
  readonly action: AuditAction;
  /** What it was done to: an event id, a digest. */
  readonly target?: string;
  readonly detail?: string;
  /** Why, in the person's own words. */
  readonly reason?: string;
  readonly address?: string;
}

export type AuditRecord = AuditEntry & {
  readonly id: number;
  readonly at: string;
  /** SHA-256 of this row and of the one before, hexadecimal. */
  readonly digest: string;
};

/** What to look for; every field narrows. */
export interface AuditFilter {
  readonly actor?: string;
  readonly action?: string;
  readonly target?: string;
  /** RFC 3339, inclusive and exclusive. */
  readonly from?: string;
  readonly to?: string;
  /** Only rows before this one. */
  readonly before?: number;
  readonly limit: number;
}

function recordOf(row: AuditRow): AuditRecord {
  const known = Object.entries(row).filter(([, value]) => value !== null);
  // Only the columns that may be null are optional in a record.
  return Object.fromEntries(known) as unknown as AuditRecord;
}

/** The append-only trail; the database itself refuses to change or remove a row, and each row proves the one before. */
export class AuditTrail {
  constructor(
    private readonly database: Database.Database,
    private readonly now: () => number,
  ) {}

  /** Writes the entry to disk before it returns: what cannot be recorded must not be shown. */
  append(entry: AuditEntry): void {
    const row = {
      at: new Date(this.now()).toISOString(),
      actor: entry.actor ?? null,
      action: entry.action,
      target: entry.target ?? null,
      detail: entry.detail ?? null,
      reason: entry.reason ?? null,
      address: entry.address ?? null,
    };
    this.database.transaction(() => appendRow(this.database, row)).immediate();
  }

  /** The newest entries, newest first. */
  list(limit: number): AuditRecord[] {
    return this.find({ limit });
  }

  /** Newest first. */
  find({ limit, before, from, to, ...equal }: AuditFilter): AuditRecord[] {
    const conditions: string[] = [];
    const values: (string | number)[] = [];
    const add = (condition: string, value: string | number | undefined): void => {
      if (value === undefined) return;
      conditions.push(condition);
      values.push(value);
    };
    add('actor = ?', equal.actor);
    add('action = ?', equal.action);
    add('target = ?', equal.target);
    add('at >= ?', from);
    add('at < ?', to);
    add('id < ?', before);
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    return this.database
      .prepare<(string | number)[], AuditRow>(`SELECT * FROM audit ${where} ORDER BY id DESC LIMIT ?`)
      .all(...values, limit)
      .map(recordOf);
  }
}
