import type Database from 'better-sqlite3';

export type AuditAction =
  | 'sign-in'
  | 'sign-in-refused'
  | 'sign-out'
  | 'password-reset'
  | 'event-read'
  | 'evidence-read'
  | 'review'
  | 'dead-letters-read'
  | 'directive-declare'
  | 'directive-end';

/** Who did what to what, when, from where. */
export interface AuditEntry {
  /** User name; absent where nobody is known. */
  readonly actor?: string;
  readonly action: AuditAction;
  /** What it was done to: an event id, a digest. */
  readonly target?: string;
  readonly detail?: string;
  readonly address?: string;
}

export type AuditRecord = AuditEntry & { readonly id: number; readonly at: string };

interface AuditRow {
  id: number;
  at: string;
  actor: string | null;
  action: AuditAction;
  target: string | null;
  detail: string | null;
  address: string | null;
}

function recordOf(row: AuditRow): AuditRecord {
  const { id, at, actor, action, target, detail, address } = row;
  return {
    id,
    at,
    ...(actor === null ? {} : { actor }),
    action,
    ...(target === null ? {} : { target }),
    ...(detail === null ? {} : { detail }),
    ...(address === null ? {} : { address }),
  };
}

/** The append-only trail; the database itself refuses to change or remove a row. */
export class AuditTrail {
  constructor(
    private readonly database: Database.Database,
    private readonly now: () => number,
  ) {}

  /** Writes the entry to disk before it returns: what cannot be recorded must not be shown. */
  append(entry: AuditEntry): void {
    this.database
      .prepare('INSERT INTO audit (at, actor, action, target, detail, address) VALUES (?, ?, ?, ?, ?, ?)')
      .run(
        new Date(this.now()).toISOString(),
        entry.actor ?? null,
        entry.action,
        entry.target ?? null,
        entry.detail ?? null,
        entry.address ?? null,
      );
  }

  /** The newest entries, newest first. */
  list(limit: number): AuditRecord[] {
    return this.database
      .prepare<[number], AuditRow>('SELECT * FROM audit ORDER BY id DESC LIMIT ?')
      .all(limit)
      .map(recordOf);
  }
}
