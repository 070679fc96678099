import { NgatuError } from '@ngatu/contract';
import type { PolicyStore } from './access-policy.ts';
import type { AccountRecord, AccountStore } from './account-store.ts';
import type { AuditTrail } from './audit-trail.ts';
import { ARGON2_COST, type Argon2Cost, generatePassword, hashPassword, verifyPassword } from './password.ts';
import { findTotpStep, readRecoveryCode } from './second-factor.ts';
import type { SessionStore } from './session-store.ts';
import { SignInThrottle, type ThrottleKey } from './sign-in-throttle.ts';

/** Verifications that may run at once: each takes 19 MiB and a core for some ten milliseconds. */
const MAX_CONCURRENT = 4;

/**
 * One person at one desk is locked after five wrong passwords. The wider key stops guessing at many names. What guessing
 * from many desks at one name costs is the account's own lock, which a restart does not forget.
 */
function buildThrottleKeys({ username, address }: Credentials): ThrottleKey[] {
  return [
    { name: `user ${username} address ${address}`, freeAttempts: 5 },
    { name: `address ${address}`, freeAttempts: 25 },
  ];
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** Code of the second factor, or a recovery code. */
  readonly code?: string;
  readonly address: string;
  /** The browser's own name. */
  readonly agent?: string;
}

export interface SignedIn {
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

/** What signing in stands on. */
export interface SignInParts {
  readonly accounts: AccountStore;
  readonly sessions: SessionStore;
  readonly policy: PolicyStore;
  readonly audit: AuditTrail;
  readonly now: () => number;
  /** The cost of this centre's hashes. */
  readonly passwordCost?: Argon2Cost;
}

/**
 * Checks passwords and second factors. An unknown user costs the same time, the same locks and the same answer as a wrong
 * password.
 */
export class SignIn {
  private readonly throttle: SignInThrottle;
  /** What the password of an unknown user is compared with. */
  private readonly decoyHash: Promise<string>;
  private running = 0;

  constructor(private readonly parts: SignInParts) {
    this.throttle = new SignInThrottle(parts.now);
    this.decoyHash = hashPassword(generatePassword(), parts.passwordCost ?? ARGON2_COST);
  }

  /**
   * Begins a session.
   * @throws NgatuError CREDENTIALS_INVALID, SECOND_FACTOR_REQUIRED, RATE_LIMITED (`SignInLocked`)
   */
  async signIn(credentials: Credentials): Promise<SignedIn> {
    const { username, password, address, agent } = credentials;
    const { accounts, sessions, audit } = this.parts;
    const account = accounts.findAccount(username);
    const keys = buildThrottleKeys(credentials);
    this.refuseLocked(account, username, keys);
    this.throttle.recordAttempt(keys);
    const secrets = accounts.readSecrets(username);
    const isRight = await this.verify(secrets.passwordHash, password);
    if (account === undefined || account.disabledAt !== undefined || !isRight)
      throw this.refuse(account, credentials);
    this.checkSecondFactor(account, credentials);
    this.throttle.recordSuccess(keys);
    return accounts.transact(() => {
      accounts.clearFailures(username);
      audit.append({ actor: username, action: 'sign-in', address });
      return sessions.beginSession({
        ...{ username, method: 'password', address },
        ...(agent === undefined ? {} : { agent }),
      });
    });
  }

  /**
   * Whether this is the password of a person who is signed in, for what is worth asking again. Wrong ones count as at
   * the door.
   * @throws NgatuError CREDENTIALS_INVALID, RATE_LIMITED (`SignInLocked`)
   */
  async confirmPassword(credentials: Credentials): Promise<void> {
    const { accounts } = this.parts;
    const account = accounts.findAccount(credentials.username);
    const keys = buildThrottleKeys(credentials);
    this.refuseLocked(account, credentials.username, keys);
    this.throttle.recordAttempt(keys);
    const { passwordHash } = accounts.readSecrets(credentials.username);
    if (!(await this.verify(passwordHash, credentials.password))) throw this.refuse(account, credentials);
    this.throttle.recordSuccess(keys);
  }

  /** @throws SignInLocked */
  private refuseLocked(
    account: AccountRecord | undefined,
    username: string,
    keys: readonly ThrottleKey[],
  ): void {
    const { now } = this.parts;
    const ownMs = account?.lockedUntil === undefined ? 0 : Date.parse(account.lockedUntil) - now();
    const unknown = account === undefined ? [this.buildUnknownKey(username)] : [];
    const lockedForMs = Math.max(ownMs, this.throttle.lockedForMs([...keys, ...unknown]));
    if (lockedForMs > 0) throw new SignInLocked(Math.ceil(lockedForMs / 1_000));
    if (this.running >= MAX_CONCURRENT) throw new SignInLocked(1);
  }

  /** A name that nobody has is locked as an account is, or the lock would tell the two apart. */
  private buildUnknownKey(username: string): ThrottleKey {
    const { lockAfterFailures, lockMinutes } = this.parts.policy.read();
    const lockMs = lockMinutes * 60_000;
    return { name: `unknown ${username}`, freeAttempts: lockAfterFailures, lockMs };
  }

  /** Counts the attempt and writes it down, in one transaction for known and unknown names. */
  private refuse(account: AccountRecord | undefined, { username, address }: Credentials): NgatuError {
    const { accounts, audit, policy } = this.parts;
    const { lockAfterFailures, lockMinutes } = policy.read();
    if (account === undefined) this.throttle.recordAttempt([this.buildUnknownKey(username)]);
    accounts.transact(() => {
      // A name that is not an account's is not written down: it may be a password in the wrong field.
      const actor = account === undefined ? {} : { actor: account.username };
      audit.append({ ...actor, action: 'sign-in-refused', address });
      if (account === undefined) return;
      const rule = { lockAfter: lockAfterFailures, lockMs: lockMinutes * 60_000 };
      if (!accounts.recordFailure(account.username, rule)) return;
      audit.append({ action: 'account-locked', target: account.username, address });
    });
    return new NgatuError('CREDENTIALS_INVALID', 'Cannot sign in: the user name or password is wrong');
  }

  /** @throws NgatuError SECOND_FACTOR_REQUIRED, CREDENTIALS_INVALID */
  private checkSecondFactor(account: AccountRecord, credentials: Credentials): void {
    const { accounts, audit, now } = this.parts;
    const { username } = account;
    const { totpSecret } = accounts.readSecrets(username);
    if (totpSecret === undefined) return;
    const { code, address } = credentials;
    if (code === undefined) {
      throw new NgatuError(
        'SECOND_FACTOR_REQUIRED',
        'Cannot sign in yet: the code of the second factor is missing',
      );
    }
    const step = findTotpStep(totpSecret, code.trim(), now());
    if (step !== undefined && accounts.takeTotpStep(username, step)) return;
    const recovery = readRecoveryCode(code);
    if (recovery === undefined || !accounts.takeRecoveryCode(username, recovery))
      throw this.refuse(account, credentials);
    audit.append({ actor: username, action: 'recovery-code-used', address });
  }

  private async verify(passwordHash: string | undefined, password: string): Promise<boolean> {
    this.running += 1;
    try {
      const isRight = await verifyPassword(passwordHash ?? (await this.decoyHash), password);
      return isRight && passwordHash !== undefined;
    } finally {
      this.running -= 1;
    }
  }
}
