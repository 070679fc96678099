import { createHash } from 'node:crypto';
import type Database from 'better-sqlite3';
import type { Role } from './role.ts';

/** A person who may sign in. */
export interface Account {
  readonly username: string;
  readonly roles: readonly Role[];
  /** The areas that the person sees, with all below them. */
  readonly areas: readonly string[] | 'all';
}

/** What an administrator sees of an account. Instants RFC 3339. */
export interface AccountRecord extends Account {
  readonly createdAt: string;
  readonly disabledAt?: string;
  /** Until when wrong attempts have locked it; absent where it is open. */
  readonly lockedUntil?: string;
  /** Wrong attempts since the last sign-in. */
  readonly failures: number;
  readonly mustChangePassword: boolean;
  readonly hasPassword: boolean;
  /** Since when a second factor is asked for; absent without one. */
  readonly totpSince?: string;
  /** The provider whose identity this account is tied to. */
  readonly oidcIssuer?: string;
}

/** The secrets of an account, for whoever checks a sign-in. */
export interface AccountSecrets {
  readonly passwordHash?: string;
  /** Base32. */
  readonly totpSecret?: string;
  /** The time step of the last code that was taken: it and earlier ones are refused. */
  readonly totpStep?: number;
}

/** Who a person is at the provider of single sign-on. */
export interface OidcIdentity {
  readonly issuer: string;
  readonly subject: string;
}

export interface NewAccount extends Account {
  readonly passwordHash?: string;
  readonly mustChangePassword?: boolean;
  readonly oidc?: OidcIdentity;
}

interface AccountRow {
  username: string;
  roles: string;
  areas: string | null;
  password_hash: string | null;
  created_at: string;
  must_change_password: number;
  disabled_at: string | null;
  failures: number;
  locked_until_ms: number | null;
  totp_secret: string | null;
  totp_since: string | null;
  totp_step: number | null;
  oidc_issuer: string | null;
}

function digest(code: string): Buffer {
  return createHash('sha256').update(code).digest();
}

function encodeAreas(areas: Account['areas']): string | null {
  return areas === 'all' ? null : JSON.stringify(areas);
}

/** What the columns `roles` and `areas` of an account say. */
export function decodeTrust(row: { roles: string; areas: string | null }): Pick<Account, 'roles' | 'areas'> {
  return {
    roles: JSON.parse(row.roles) as Role[],
    areas: row.areas === null ? 'all' : (JSON.parse(row.areas) as string[]),
  };
}

/** Accounts with their roles, areas, second factors and locks. Passwords come as hashes. */
export class AccountStore {
  constructor(
    private readonly database: Database.Database,
    private readonly now: () => number,
  ) {}

  /** Runs what belongs together in one transaction. */
  transact<T>(work: () => T): T {
    return this.database.transaction(work).immediate();
  }

  hasAccounts(): boolean {
    return this.database.prepare('SELECT 1 FROM account LIMIT 1').get() !== undefined;
  }

  /** False where the name is taken. */
  createAccount(account: NewAccount): boolean {
    const { changes } = this.database
      .prepare(
        `INSERT INTO account (username, roles, areas, password_hash, must_change_password, oidc_issuer, oidc_subject, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (username) DO NOTHING`,
      )
      .run(
        account.username,
        JSON.stringify(account.roles),
        encodeAreas(account.areas),
        account.passwordHash ?? null,
        account.mustChangePassword === true ? 1 : 0,
        account.oidc?.issuer ?? null,
        account.oidc?.subject ?? null,
        this.timestamp(),
      );
    return changes === 1;
  }

  /** In the order of their names. */
  listAccounts(): AccountRecord[] {
    return this.database
      .prepare<[], AccountRow>('SELECT * FROM account ORDER BY username')
      .all()
      .map((row) => this.recordOf(row));
  }

  findAccount(username: string): AccountRecord | undefined {
    const row = this.readRow(username);
    return row === undefined ? undefined : this.recordOf(row);
  }

  findByIdentity({ issuer, subject }: OidcIdentity): AccountRecord | undefined {
    const row = this.database
      .prepare<[string, string], AccountRow>(
        'SELECT * FROM account WHERE oidc_issuer = ? AND oidc_subject = ?',
      )
      .get(issuer, subject);
    return row === undefined ? undefined : this.recordOf(row);
  }

  readSecrets(username: string): AccountSecrets {
    const row = this.readRow(username);
    return {
      ...(typeof row?.password_hash === 'string' ? { passwordHash: row.password_hash } : {}),
      ...(typeof row?.totp_secret === 'string' ? { totpSecret: row.totp_secret } : {}),
      ...(typeof row?.totp_step === 'number' ? { totpStep: row.totp_step } : {}),
    };
  }

  /** Sets roles and areas. False where there is no such account. */
  updateTrust({ username, roles, areas }: Account): boolean {
    return this.change('UPDATE account SET roles = ?, areas = ? WHERE username = ?', [
      JSON.stringify(roles),
      encodeAreas(areas),
      username,
    ]);
  }

  /** A disabled account keeps its name and its trail; nobody signs in with it. Its sessions end. */
  setDisabled(username: string, isDisabled: boolean): boolean {
    return this.database
      .transaction(() => {
        if (isDisabled) this.endSessions(username);
        const at = isDisabled ? this.timestamp() : null;
        return this.change('UPDATE account SET disabled_at = ? WHERE username = ?', [at, username]);
      })
      .immediate();
  }

  /** Sets another password, opens the lock and ends every session of the account but `keepSessionId`. */
  replacePassword(
    username: string,
    password: { readonly hash: string; readonly mustChange: boolean; readonly keepSessionId?: string },
  ): boolean {
    return this.database
      .transaction(() => {
        this.endSessions(username, password.keepSessionId);
        return this.change(
          `UPDATE account SET password_hash = ?, must_change_password = ?, failures = 0, locked_until_ms = NULL
           WHERE username = ?`,
          [password.hash, password.mustChange ? 1 : 0, username],
        );
      })
      .immediate();
  }

  /**
   * Counts a wrong attempt, and locks the account for `lockMs` at each `lockAfter`th in a row; true where it is locked by
   * this one.
   */
  recordFailure(username: string, { lockAfter, lockMs }: { lockAfter: number; lockMs: number }): boolean {
    this.change(
      `UPDATE account SET failures = failures + 1,
         locked_until_ms = CASE WHEN (failures + 1) % ? = 0 THEN ? ELSE locked_until_ms END WHERE username = ?`,
      [lockAfter, this.now() + lockMs, username],
    );
    const failures = this.readRow(username)?.failures ?? 0;
    return failures > 0 && failures % lockAfter === 0;
  }

  /** Forgets the wrong attempts and opens the lock. */
  clearFailures(username: string): boolean {
    return this.change('UPDATE account SET failures = 0, locked_until_ms = NULL WHERE username = ?', [
      username,
    ]);
  }

  /** Asks for a second factor from now on; `step` is that of the code which proved it. */
  enrolTotp(
    username: string,
    totp: { secret: string; step: number; recoveryCodes: readonly string[] },
  ): void {
    this.database
      .transaction(() => {
        this.change('UPDATE account SET totp_secret = ?, totp_since = ?, totp_step = ? WHERE username = ?', [
          totp.secret,
          this.timestamp(),
          totp.step,
          username,
        ]);
        this.database.prepare('DELETE FROM recovery_code WHERE username = ?').run(username);
        const add = this.database.prepare('INSERT INTO recovery_code (username, code_sha256) VALUES (?, ?)');
        for (const code of totp.recoveryCodes) add.run(username, digest(code.replaceAll('-', '')));
      })
      .immediate();
  }

  /** Takes the second factor away. False where there is no such account. */
  removeTotp(username: string): boolean {
    return this.database
      .transaction(() => {
        this.database.prepare('DELETE FROM recovery_code WHERE username = ?').run(username);
        return this.change(
          'UPDATE account SET totp_secret = NULL, totp_since = NULL, totp_step = NULL WHERE username = ?',
          [username],
        );
      })
      .immediate();
  }

  /** True once for each step, and never for one before a step that was taken: a code works once. */
  takeTotpStep(username: string, step: number): boolean {
    return this.change(
      'UPDATE account SET totp_step = ? WHERE username = ? AND (totp_step IS NULL OR totp_step < ?)',
      [step, username, step],
    );
  }

  /** True where the code is one of the account's that nobody has used; it is used then. */
  takeRecoveryCode(username: string, code: string): boolean {
    return this.change(
      'UPDATE recovery_code SET used_at = ? WHERE username = ? AND code_sha256 = ? AND used_at IS NULL',
      [this.timestamp(), username, digest(code)],
    );
  }

  countRecoveryCodes(username: string): number {
    const row = this.database
      .prepare<[string], { count: number }>(
        'SELECT count(*) AS count FROM recovery_code WHERE username = ? AND used_at IS NULL',
      )
      .get(username);
    return row?.count ?? 0;
  }

  private readRow(username: string): AccountRow | undefined {
    return this.database
      .prepare<[string], AccountRow>('SELECT * FROM account WHERE username = ?')
      .get(username);
  }

  private recordOf(row: AccountRow): AccountRecord {
    const isLocked = row.locked_until_ms !== null && row.locked_until_ms > this.now();
    return {
      username: row.username,
      ...decodeTrust(row),
      createdAt: row.created_at,
      failures: row.failures,
      mustChangePassword: row.must_change_password === 1,
      hasPassword: row.password_hash !== null,
      ...(row.disabled_at === null ? {} : { disabledAt: row.disabled_at }),
      ...(isLocked ? { lockedUntil: new Date(row.locked_until_ms ?? 0).toISOString() } : {}),
      ...(row.totp_since === null ? {} : { totpSince: row.totp_since }),
      ...(row.oidc_issuer === null ? {} : { oidcIssuer: row.oidc_issuer }),
    };
  }

  private endSessions(username: string, keepSessionId = ''): void {
    this.database
      .prepare('DELETE FROM session WHERE username = ? AND session_id <> ?')
      .run(username, keepSessionId);
  }

  private change(sql: string, values: readonly (string | number | Buffer | null)[]): boolean {
    return this.database.prepare(sql).run(...values).changes > 0;
  }

  private timestamp(): string {
    return new Date(this.now()).toISOString();
  }
}
