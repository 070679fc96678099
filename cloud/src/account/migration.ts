import type { Migration } from '../store/migrations/migration.ts';

const createAccounts: Migration = {
  name: '001-account',
  sql: `
CREATE TABLE account (
  username TEXT PRIMARY KEY,
  role TEXT NOT NULL CHECK (role IN ('admin', 'operator', 'reviewer')),
  password_hash TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;
CREATE TABLE session (
  token_sha256 BLOB PRIMARY KEY,
  username TEXT NOT NULL REFERENCES account (username) ON DELETE CASCADE,
  created_at_ms INTEGER NOT NULL,
  last_used_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX session_by_age ON session (created_at_ms);
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  actor TEXT,
  action TEXT NOT NULL,
  target TEXT,
  detail TEXT,
  address TEXT
) STRICT;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
`,
};

/**
 * Six roles of which an account holds several, areas, second factors, lock-out, single sign-on. Nobody loses what he could
 * do: the old administrator did everything, the old operator decided cases as well. Sessions end with this migration.
 */
const createAccess: Migration = {
  name: '002-access',
  sql: `
DROP TABLE session;
ALTER TABLE account RENAME TO account_before;
CREATE TABLE account (
  username TEXT PRIMARY KEY,
  roles TEXT NOT NULL CHECK (json_valid(roles)),
  areas TEXT CHECK (json_valid(areas)),
  password_hash TEXT,
  created_at TEXT NOT NULL,
  must_change_password INTEGER NOT NULL DEFAULT 0,
  disabled_at TEXT,
  failures INTEGER NOT NULL DEFAULT 0,
  locked_until_ms INTEGER,
  totp_secret TEXT,
  totp_since TEXT,
  totp_step INTEGER,
  oidc_issuer TEXT,
  oidc_subject TEXT,
  UNIQUE (oidc_issuer, oidc_subject)
) STRICT;
INSERT INTO account (username, roles, password_hash, created_at)
  SELECT username, CASE role
    WHEN 'admin' THEN '["supervisor","operator","auditor","admin"]'
    WHEN 'operator' THEN '["reviewer","operator"]'
    ELSE '["reviewer"]' END, password_hash, created_at FROM account_before;
DROP TABLE account_before;
CREATE TABLE session (
  token_sha256 BLOB PRIMARY KEY,
  session_id TEXT NOT NULL UNIQUE,
  username TEXT NOT NULL REFERENCES account (username) ON DELETE CASCADE,
  method TEXT NOT NULL CHECK (method IN ('password', 'oidc')),
  address TEXT NOT NULL,
  agent TEXT,
  id_token TEXT,
  created_at_ms INTEGER NOT NULL,
  last_used_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX session_by_age ON session (created_at_ms);
CREATE INDEX session_by_account ON session (username);
CREATE TABLE recovery_code (
  username TEXT NOT NULL REFERENCES account (username) ON DELETE CASCADE,
  code_sha256 BLOB NOT NULL,
  used_at TEXT,
  PRIMARY KEY (username, code_sha256)
) STRICT;
CREATE TABLE area (
  area_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  parent TEXT REFERENCES area (area_id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE TABLE area_site (
  site TEXT PRIMARY KEY,
  area_id TEXT NOT NULL REFERENCES area (area_id)
) STRICT;
CREATE TABLE policy (only INTEGER PRIMARY KEY CHECK (only = 1), body TEXT NOT NULL CHECK (json_valid(body))) STRICT;
`,
};

/**
 * The trail as a chain: each row holds the digest of itself and of the row before. Rows of before are brought over by
 * `chainOlderRows`, which alone can compute digests. The last trigger also keeps out INSERT OR REPLACE, which removes a row
 * without a DELETE.
 */
const chainAudit: Migration = {
  name: '003-audit-chain',
  sql: `
DROP TRIGGER audit_no_update;
DROP TRIGGER audit_no_delete;
ALTER TABLE audit RENAME TO audit_unchained;
CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  actor TEXT,
  action TEXT NOT NULL,
  target TEXT,
  detail TEXT,
  reason TEXT,
  address TEXT,
  digest TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_actor ON audit (actor, id);
CREATE INDEX audit_by_target ON audit (target, id);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_in_order BEFORE INSERT ON audit WHEN NEW.id <> (SELECT ifnull(max(id), 0) + 1 FROM audit)
  BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
`,
};

/** The schema of the database of accounts, in the order in which it is applied. */
export const ACCOUNT_MIGRATIONS: readonly Migration[] = [createAccounts, createAccess, chainAudit];
