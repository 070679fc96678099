import { createHash, randomBytes } from 'node:crypto';
import type Database from 'better-sqlite3';
import type { Role } from './role.ts';

export interface Account {
  readonly username: string;
  readonly role: Role;
}

/** A signed-in person. */
export interface Session extends Account {
  /** When the session ends by age, whatever happens in it; ms since the epoch. */
  readonly expiresAtMs: number;
}

/** A session ends this long after the sign-in. One shift. */
export const SESSION_LIFETIME_MS = 12 * 3_600_000;
/** A session ends when nobody has used it for this long. */
export const SESSION_IDLE_MS = 2 * 3_600_000;
/** The last use is written at most this often. */
const TOUCH_EVERY_MS = 60_000;

interface SessionRow extends Account {
  created_at_ms: number;
  last_used_at_ms: number;
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Accounts and their sessions. Passwords come as hashes, session tokens are kept as SHA-256 only. */
export class AccountStore {
  constructor(
    private readonly database: Database.Database,
    private readonly now: () => number,
  ) {}

  hasAccounts(): boolean {
    return this.database.prepare('SELECT 1 FROM account LIMIT 1').get() !== undefined;
  }

  createAccount(account: Account & { readonly passwordHash: string }): void {
    this.database
      .prepare('INSERT INTO account (username, role, password_hash, created_at) VALUES (?, ?, ?, ?)')
      .run(account.username, account.role, account.passwordHash, new Date(this.now()).toISOString());
  }

  findAccount(username: string): (Account & { readonly passwordHash: string }) | undefined {
    return this.database
      .prepare<[string], Account & { passwordHash: string }>(
        'SELECT username, role, password_hash AS passwordHash FROM account WHERE username = ?',
      )
      .get(username);
  }

  /** Sets another password and ends every session of the account. False where there is no such account. */
  replacePassword(username: string, passwordHash: string): boolean {
    return this.database
      .transaction(() => {
        const { changes } = this.database
          .prepare('UPDATE account SET password_hash = ? WHERE username = ?')
          .run(passwordHash, username);
        this.database.prepare('DELETE FROM session WHERE username = ?').run(username);
        return changes === 1;
      })
      .immediate();
  }

  /** Begins a session and returns its token (256 random bits), which is not kept. Sessions that have ended are removed. */
  beginSession(username: string): { token: string; expiresAtMs: number } {
    const token = randomBytes(32).toString('base64url');
    const now = this.now();
    this.database
      .transaction(() => {
        this.database
          .prepare('DELETE FROM session WHERE created_at_ms <= ? OR last_used_at_ms <= ?')
          .run(now - SESSION_LIFETIME_MS, now - SESSION_IDLE_MS);
        this.database
          .prepare(
            'INSERT INTO session (token_sha256, username, created_at_ms, last_used_at_ms) VALUES (?, ?, ?, ?)',
          )
          .run(digest(token), username, now, now);
      })
      .immediate();
    return { token, expiresAtMs: now + SESSION_LIFETIME_MS };
  }

  /** The session of a token that has not ended. `use` counts as activity; without it the idle time runs on. */
  findSession(token: string, { use }: { use: boolean }): Session | undefined {
    const key = digest(token);
    const row = this.database
      .prepare<[Buffer], SessionRow>(
        `SELECT account.username, account.role, session.created_at_ms, session.last_used_at_ms
         FROM session JOIN account USING (username) WHERE token_sha256 = ?`,
      )
      .get(key);
    const now = this.now();
    if (row === undefined) return undefined;
    if (row.created_at_ms <= now - SESSION_LIFETIME_MS || row.last_used_at_ms <= now - SESSION_IDLE_MS)
      return undefined;
    if (use && row.last_used_at_ms <= now - TOUCH_EVERY_MS) {
      this.database.prepare('UPDATE session SET last_used_at_ms = ? WHERE token_sha256 = ?').run(now, key);
    }
    return { username: row.username, role: row.role, expiresAtMs: row.created_at_ms + SESSION_LIFETIME_MS };
  }

  endSession(token: string): void {
    this.database.prepare('DELETE FROM session WHERE token_sha256 = ?').run(digest(token));
  }
}
