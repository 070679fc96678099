import { createHash, randomBytes } from 'node:crypto';
import type Database from 'better-sqlite3';
import type { PolicyStore } from './access-policy.ts';
import { type Account, decodeTrust } from './account-store.ts';
import type { AreaTree } from './area-tree.ts';

/** How a person proved who it is: here, or at the provider of single sign-on. */
export type SignInMethod = 'password' | 'oidc';

/** A signed-in person. */
export interface Session extends Account {
  /** Names the session in lists; it opens nothing. */
  readonly sessionId: string;
  readonly method: SignInMethod;
  /** The sites of the person's areas. */
  readonly sites: readonly string[] | 'all';
  /** What the person has to do before anything else; absent where nothing is left. */
  readonly needs?: 'password' | 'totp';
  /** When the session ends by age, whatever happens in it; ms since the epoch. */
  readonly expiresAtMs: number;
}

/** One row of the list of sessions. Instants RFC 3339. */
export interface SessionRecord {
  readonly sessionId: string;
  readonly username: string;
  readonly method: SignInMethod;
  readonly address: string;
  readonly agent?: string;
  readonly createdAt: string;
  readonly lastUsedAt: string;
}

export interface NewSession {
  readonly username: string;
  readonly method: SignInMethod;
  readonly address: string;
  /** The browser's own name. */
  readonly agent?: string;
  /** What ends the session at the provider as well. */
  readonly idToken?: string;
}

/** A session ends this long after the sign-in. One shift. */
export const SESSION_LIFETIME_MS = 12 * 3_600_000;
/** A session ends when nobody has used it for this long. */
export const SESSION_IDLE_MS = 2 * 3_600_000;
/** The last use is written at most this often. */
const TOUCH_EVERY_MS = 60_000;
const AGENT_MAX_LENGTH = 200;

interface SessionRow {
  session_id: string;
  username: string;
  method: SignInMethod;
  address: string;
  agent: string | null;
  created_at_ms: number;
  last_used_at_ms: number;
}

interface TrustRow extends SessionRow {
  roles: string;
  areas: string | null;
  must_change_password: number;
  totp_since: string | null;
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function recordOf(row: SessionRow): SessionRecord {
  return {
    sessionId: row.session_id,
    username: row.username,
    method: row.method,
    address: row.address,
    ...(row.agent === null ? {} : { agent: row.agent }),
    createdAt: new Date(row.created_at_ms).toISOString(),
    lastUsedAt: new Date(row.last_used_at_ms).toISOString(),
  };
}

/** Sessions. Tokens are kept as SHA-256 only. Roles, areas and what is left to do are read anew at each look. */
export class SessionStore {
  constructor(
    private readonly database: Database.Database,
    private readonly rules: { readonly areas: AreaTree; readonly policy: PolicyStore },
    private readonly now: () => number,
  ) {}

  /** Begins a session and returns its token (256 random bits), which is not kept. Sessions that have ended are removed. */
  beginSession(session: NewSession): { token: string; expiresAtMs: number } {
    const token = randomBytes(32).toString('base64url');
    const now = this.now();
    this.database
      .transaction(() => {
        this.database
          .prepare('DELETE FROM session WHERE created_at_ms <= ? OR last_used_at_ms <= ?')
          .run(now - SESSION_LIFETIME_MS, now - SESSION_IDLE_MS);
        this.database
          .prepare(
            `INSERT INTO session (token_sha256, session_id, username, method, address, agent, id_token, created_at_ms, last_used_at_ms)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          )
          .run(
            digest(token),
            randomBytes(9).toString('base64url'),
            session.username,
            session.method,
            session.address,
            session.agent?.slice(0, AGENT_MAX_LENGTH) ?? null,
            session.idToken ?? null,
            now,
            now,
          );
      })
      .immediate();
    return { token, expiresAtMs: now + SESSION_LIFETIME_MS };
  }

  /** The session of a token that has not ended. `use` counts as activity; without it the idle time runs on. */
  findSession(token: string, { use }: { use: boolean }): Session | undefined {
    const key = digest(token);
    const now = this.now();
    const row = this.database
      .prepare<[Buffer, number, number], TrustRow>(
        `SELECT session.*, roles, areas, must_change_password, totp_since FROM session JOIN account USING (username)
         WHERE token_sha256 = ? AND disabled_at IS NULL AND session.created_at_ms > ? AND last_used_at_ms > ?`,
      )
      .get(key, now - SESSION_LIFETIME_MS, now - SESSION_IDLE_MS);
    if (row === undefined) return undefined;
    if (use && row.last_used_at_ms <= now - TOUCH_EVERY_MS) {
      this.database.prepare('UPDATE session SET last_used_at_ms = ? WHERE token_sha256 = ?').run(now, key);
    }
    return this.sessionOf(row);
  }

  /** What ends the session at the provider, where it began there. */
  findIdToken(token: string): string | undefined {
    const row = this.database
      .prepare<[Buffer], { idToken: string | null }>(
        'SELECT id_token AS idToken FROM session WHERE token_sha256 = ?',
      )
      .get(digest(token));
    return row?.idToken ?? undefined;
  }

  endSession(token: string): void {
    this.database.prepare('DELETE FROM session WHERE token_sha256 = ?').run(digest(token));
  }

  /** The sessions of an account that have not ended, the last used first. */
  listSessions(username: string): SessionRecord[] {
    const now = this.now();
    return this.database
      .prepare<[string, number, number], SessionRow>(
        `SELECT * FROM session WHERE username = ? AND created_at_ms > ? AND last_used_at_ms > ?
         ORDER BY last_used_at_ms DESC, session_id`,
      )
      .all(username, now - SESSION_LIFETIME_MS, now - SESSION_IDLE_MS)
      .map(recordOf);
  }

  /** Ends one session of an account. False where it has none of this name. */
  endNamedSession(username: string, sessionId: string): boolean {
    return (
      this.database
        .prepare('DELETE FROM session WHERE username = ? AND session_id = ?')
        .run(username, sessionId).changes > 0
    );
  }

  private sessionOf(row: TrustRow): Session {
    const trust = decodeTrust(row);
    const needs = this.findNeed(row, trust.roles);
    return {
      username: row.username,
      ...trust,
      sessionId: row.session_id,
      method: row.method,
      sites: this.rules.areas.listSites(trust.areas),
      ...(needs === undefined ? {} : { needs }),
      expiresAtMs: row.created_at_ms + SESSION_LIFETIME_MS,
    };
  }

  /** Who signed in at the provider has password and second factor there. */
  private findNeed(row: TrustRow, roles: Account['roles']): Session['needs'] {
    if (row.method === 'oidc') return undefined;
    if (row.must_change_password === 1) return 'password';
    if (row.totp_since !== null) return undefined;
    const { totpRoles } = this.rules.policy.read();
    return roles.some((role) => totpRoles.includes(role)) ? 'totp' : undefined;
  }
}
