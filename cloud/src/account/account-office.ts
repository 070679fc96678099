import { NgatuError } from '@ngatu/contract';
import type { Access } from './access.ts';
import type { AccountRecord } from './account-store.ts';
import { type Argon2Cost, generatePassword, hashPassword } from './password.ts';
import type { Role } from './role.ts';

/** Small letters, digits and `. _ -`: what can be typed and read out, and cannot be mistaken for another. */
export const USERNAME_PATTERN = '^[a-z0-9][a-z0-9._-]{1,63}$';

export const ACCOUNT_ACTIONS = [
  'disable',
  'enable',
  'unlock',
  'reset-password',
  'remove-second-factor',
] as const;
export type AccountAction = (typeof ACCOUNT_ACTIONS)[number];

/** Who looks after the accounts, from where and why; all of it goes into the audit trail. */
interface OfficeRequest {
  readonly actor: string;
  readonly reason: string;
  readonly address?: string;
}

interface AccountChange {
  readonly username: string;
  readonly roles: readonly Role[];
  readonly areas: readonly string[] | 'all';
}

type OfficeParts = Pick<Access, 'accounts' | 'areas' | 'audit'>;

const AUDIT_ACTION = {
  disable: 'account-disable',
  enable: 'account-enable',
  unlock: 'account-unlock',
  'reset-password': 'password-reset',
  'remove-second-factor': 'second-factor-remove',
} as const satisfies Readonly<Record<AccountAction, string>>;

function describeTrust({ roles, areas }: Pick<AccountChange, 'roles' | 'areas'>): string {
  return `${roles.join(' ')}; areas ${areas === 'all' ? 'all' : areas.join(' ')}`;
}

/** What administrators do with accounts, in the console and on the command line. Each act and its record are one transaction. */
export class AccountOffice {
  constructor(
    private readonly parts: OfficeParts,
    private readonly passwordCost?: Argon2Cost,
  ) {}

  /**
   * Makes an account with a random password that its owner must change at the first sign-in.
   * @throws NgatuError ACCOUNT_TAKEN, REQUEST_INVALID (name, no role, an area that is not there)
   */
  async create(account: AccountChange, request: OfficeRequest): Promise<{ password: string }> {
    const { accounts, audit } = this.parts;
    const { username } = account;
    if (!new RegExp(USERNAME_PATTERN).test(username))
      throw new NgatuError('REQUEST_INVALID', `Cannot make account "${username}": the name is none`);
    this.checkTrust(account);
    const password = generatePassword();
    const passwordHash = await hashPassword(password, this.passwordCost);
    accounts.transact(() => {
      if (!accounts.createAccount({ ...account, passwordHash, mustChangePassword: true }))
        throw new NgatuError('ACCOUNT_TAKEN', `Cannot make account "${username}": the name is taken`);
      audit.append({
        ...request,
        action: 'account-create',
        target: username,
        detail: describeTrust(account),
      });
    });
    return { password };
  }

  /** @throws NgatuError NOT_FOUND, REQUEST_INVALID, FORBIDDEN where nobody would be left to look after the accounts */
  changeTrust(change: AccountChange, request: OfficeRequest): AccountRecord {
    const { accounts, audit } = this.parts;
    this.checkTrust(change);
    return accounts.transact(() => {
      const before = this.require(change.username);
      accounts.updateTrust(change);
      this.requireAdmin();
      audit.append({
        ...request,
        action: 'account-change',
        target: change.username,
        detail: `${describeTrust(before)} -> ${describeTrust(change)}`,
      });
      return this.require(change.username);
    });
  }

  /**
   * Gives the new password where the act is `reset-password`: its owner must change it.
   * @throws NgatuError NOT_FOUND, FORBIDDEN where nobody would be left to look after the accounts
   */
  async act(
    username: string,
    action: AccountAction,
    request: OfficeRequest,
  ): Promise<{ account: AccountRecord; password?: string }> {
    const { accounts, audit } = this.parts;
    this.require(username);
    const password = action === 'reset-password' ? generatePassword() : undefined;
    const hash = password === undefined ? '' : await hashPassword(password, this.passwordCost);
    const account = accounts.transact(() => {
      if (action === 'disable' || action === 'enable') accounts.setDisabled(username, action === 'disable');
      if (action === 'unlock') accounts.clearFailures(username);
      if (action === 'reset-password') accounts.replacePassword(username, { hash, mustChange: true });
      if (action === 'remove-second-factor') accounts.removeTotp(username);
      this.requireAdmin();
      audit.append({ ...request, action: AUDIT_ACTION[action], target: username });
      return this.require(username);
    });
    return { account, ...(password === undefined ? {} : { password }) };
  }

  private require(username: string): AccountRecord {
    const account = this.parts.accounts.findAccount(username);
    if (account === undefined) throw new NgatuError('NOT_FOUND', `There is no account "${username}"`);
    return account;
  }

  /** Undoes the transaction around it where the last administrator would go. */
  private requireAdmin(): void {
    const isLeft = this.parts.accounts
      .listAccounts()
      .some(({ roles, disabledAt }) => roles.includes('admin') && disabledAt === undefined);
    if (!isLeft) throw new NgatuError('FORBIDDEN', 'Cannot do this: no administrator would be left');
  }

  private checkTrust({ roles, areas }: AccountChange): void {
    if (roles.length === 0)
      throw new NgatuError('REQUEST_INVALID', 'Cannot set the account: it needs at least one role');
    if (areas === 'all') return;
    const known = new Set(this.parts.areas.list().map(({ areaId }) => areaId));
    const unknown = areas.find((areaId) => !known.has(areaId));
    if (unknown !== undefined)
      throw new NgatuError('REQUEST_INVALID', `Cannot set the account: there is no area "${unknown}"`);
  }
}
