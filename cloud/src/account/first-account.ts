import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import { openAccountDatabase } from './account-database.ts';
import { AccountStore } from './account-store.ts';
import { AuditAnchor } from './audit-anchor.ts';
import { AuditTrail } from './audit-trail.ts';
import { generatePassword, hashPassword } from './password.ts';

export const FIRST_USERNAME = 'admin';
/**
 * A centre of one person: the first account looks after the accounts and decides cases, until there are others and these
 * roles are taken away from it.
 */
const FIRST_ROLES = ['supervisor', 'operator', 'auditor', 'admin'] as const;

export interface FirstSignIn {
  readonly username: string;
  readonly password: string;
}

/** Where the accounts lie in the data folder of the centre. */
export function buildAccountsPath(dataDir: string): string {
  return join(dataDir, 'accounts.sqlite');
}

function buildFirstSignInPath(dataDir: string): string {
  return join(dataDir, 'first-sign-in.txt');
}

/** Readable by the owner alone from its first byte, and whole or not there. */
async function writeSecretFile(path: string, text: string): Promise<void> {
  const partial = `${path}.partial`;
  await rm(partial, { force: true });
  const file = await open(partial, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, path);
}

/**
 * Makes the account `admin` with a random password where there is no account yet, and leaves the password in
 * `first-sign-in.txt` (mode 0600). The file is written first: a kill in between leaves a file that the next start
 * replaces, never an account that nobody can open.
 */
export async function createFirstAccount(
  accounts: AccountStore,
  dataDir: string,
): Promise<FirstSignIn | undefined> {
  if (accounts.hasAccounts()) return undefined;
  const password = generatePassword();
  const passwordHash = await hashPassword(password);
  await writeSecretFile(
    buildFirstSignInPath(dataDir),
    `username: ${FIRST_USERNAME}\npassword: ${password}\n`,
  );
  accounts.createAccount({ username: FIRST_USERNAME, roles: FIRST_ROLES, areas: 'all', passwordHash });
  return { username: FIRST_USERNAME, password };
}

/**
 * Gives the account a new random password, ends its sessions and removes `first-sign-in.txt`, which would now lie.
 * May run while the API runs. `actor` is who asks, for the audit trail.
 * @throws NgatuError NOT_FOUND where there is no such account; PERMISSION_DENIED, STORE_CORRUPT
 */
export async function resetPassword(request: {
  readonly dataDir: string;
  readonly username: string;
  readonly actor: string;
}): Promise<FirstSignIn> {
  const { dataDir, username, actor } = request;
  const database = openAccountDatabase(buildAccountsPath(dataDir));
  try {
    const password = generatePassword();
    const passwordHash = await hashPassword(password);
    if (
      !new AccountStore(database, Date.now).replacePassword(username, {
        hash: passwordHash,
        mustChange: false,
      })
    ) {
      throw new NgatuError(
        'NOT_FOUND',
        `Cannot reset the password of "${username}": there is no such account`,
      );
    }
    new AuditTrail(database, Date.now).append({ actor, action: 'password-reset', target: username });
    new AuditAnchor(dataDir).write(database, Date.now());
    if (username === FIRST_USERNAME) await rm(buildFirstSignInPath(dataDir), { force: true });
    return { username, password };
  } finally {
    database.close();
  }
}
