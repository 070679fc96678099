import { NgatuError } from '@ngatu/contract';
import type { Account, AccountStore } from './account-store.ts';
import type { AuditTrail } from './audit-trail.ts';
import { generatePassword, hashPassword, verifyPassword } from './password.ts';
import { SignInThrottle, type ThrottleKey } from './sign-in-throttle.ts';

/** Verifications that may run at once: each takes 19 MiB and a core for some ten milliseconds. */
const MAX_CONCURRENT = 4;

/**
 * One person at one desk is locked after five wrong passwords. The wider keys stop guessing from many desks or at many
 * names, and are wide so that a stranger cannot keep somebody else out.
 */
function buildThrottleKeys({ username, address }: Credentials): ThrottleKey[] {
  return [
    { name: `user ${username} address ${address}`, freeAttempts: 5 },
    { name: `address ${address}`, freeAttempts: 25 },
    { name: `user ${username}`, freeAttempts: 100 },
  ];
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
  readonly address: string;
}

export interface SignedIn extends Account {
  readonly token: string;
  readonly expiresAtMs: number;
}

/** Refused for now; try again after `retryAfterSeconds`. */
export class SignInLocked extends NgatuError {
  constructor(readonly retryAfterSeconds: number) {
    super('RATE_LIMITED', `Cannot sign in: too many attempts; try again in ${retryAfterSeconds} s`, {
      retryable: true,
    });
  }
}

/** Checks passwords. An unknown user costs the same time, the same locks and the same answer as a wrong password. */
export class SignIn {
  private readonly throttle: SignInThrottle;
  /** What the password of an unknown user is compared with. */
  private readonly decoyHash: Promise<string>;
  private running = 0;

  constructor(
    private readonly accounts: AccountStore,
    private readonly audit: AuditTrail,
    now: () => number,
  ) {
    this.throttle = new SignInThrottle(now);
    this.decoyHash = hashPassword(generatePassword());
  }

  /**
   * Begins a session.
   * @throws NgatuError CREDENTIALS_INVALID, RATE_LIMITED (`SignInLocked`)
   */
  async signIn(credentials: Credentials): Promise<SignedIn> {
    const { username, password, address } = credentials;
    const keys = buildThrottleKeys(credentials);
    const lockedForMs = this.throttle.lockedForMs(keys);
    if (lockedForMs > 0) throw new SignInLocked(Math.ceil(lockedForMs / 1_000));
    if (this.running >= MAX_CONCURRENT) throw new SignInLocked(1);
    this.throttle.recordAttempt(keys);
    const account = this.accounts.findAccount(username);
    if (!(await this.verify(account?.passwordHash, password)) || account === undefined) {
      // A name that is not an account's is not written down: it may be a password in the wrong field.
      const actor = account === undefined ? {} : { actor: account.username };
      this.audit.append({ ...actor, action: 'sign-in-refused', address });
      throw new NgatuError('CREDENTIALS_INVALID', 'Cannot sign in: the user name or password is wrong');
    }
    this.throttle.recordSuccess(keys);
    this.audit.append({ actor: username, action: 'sign-in', address });
    const { token, expiresAtMs } = this.accounts.beginSession(username);
    return { username: account.username, role: account.role, token, expiresAtMs };
  }

  private async verify(passwordHash: string | undefined, password: string): Promise<boolean> {
    this.running += 1;
    try {
      return await verifyPassword(passwordHash ?? (await this.decoyHash), password);
    } finally {
      this.running -= 1;
    }
  }
}
