import { NgatuError } from '@ngatu/contract';
import { Type } from '@sinclair/typebox';
import { hashPassword } from '../account/password.ts';
import { findPasswordFault } from '../account/password-policy.ts';
import { isAllowed, MAY } from '../account/permission.ts';
import {
  buildTotpUri,
  findTotpStep,
  generateRecoveryCodes,
  generateTotpSecret,
} from '../account/second-factor.ts';
import type { Session } from '../account/session-store.ts';
import type { SignIn } from '../account/sign-in.ts';
import {
  type OwnAccount,
  PasswordChange,
  PasswordProof,
  RecoveryCodes,
  SessionParams,
  TotpConfirm,
  TotpStart,
} from './account-schema.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { refuseInvalid } from './api-error.ts';
import { refusals } from './refusal-schema.ts';
import { requireSession } from './session-guard.ts';

const OwnAccountRef = Type.Unsafe<OwnAccount>({ $ref: 'OwnAccount#' });
/** Asks for a password: as at the door. */
const PASSWORD_LIMIT = { max: 30, timeWindow: 60_000 };
const own = { access: MAY.ownAccount, isForIncomplete: true } as const;
/** Enrolments that have begun and wait for their first code. */
const PENDING_MAX = 200;
const PENDING_MS = 10 * 60_000;

/** The secrets that a person has been shown and has not yet proved to hold; the oldest gives way. */
class PendingSecrets {
  private readonly bySession = new Map<string, { secret: string; atMs: number }>();

  constructor(private readonly now: () => number) {}

  begin(sessionId: string): string {
    const secret = generateTotpSecret();
    this.bySession.delete(sessionId);
    this.bySession.set(sessionId, { secret, atMs: this.now() });
    for (const key of this.bySession.keys()) {
      if (this.bySession.size <= PENDING_MAX) break;
      this.bySession.delete(key);
    }
    return secret;
  }

  find(sessionId: string): string | undefined {
    const pending = this.bySession.get(sessionId);
    return pending !== undefined && this.now() - pending.atMs < PENDING_MS ? pending.secret : undefined;
  }

  end(sessionId: string): void {
    this.bySession.delete(sessionId);
  }
}

/** @throws NgatuError FORBIDDEN where password and second factor are kept by the provider of single sign-on */
function requireLocal({ method }: Session): void {
  if (method === 'password') return;
  throw new NgatuError('FORBIDDEN', 'Cannot do this here: the provider of single sign-on looks after it');
}

function addReadRoute(app: ApiApp, { accounts, sessions, policy }: ApiDeps): void {
  app.get(
    '/account',
    {
      config: own,
      schema: {
        summary: 'One’s own account, its second factor and its sessions',
        tags: ['account'],
        response: { 200: OwnAccountRef, ...refusals(401, 403) },
      },
    },
    async (request) => {
      const session = requireSession(request);
      const { username } = session;
      const { totpRoles, passwordMinLength } = policy.read();
      const record = accounts.findAccount(username);
      return {
        ...{ username, passwordMinLength },
        hasPassword: record?.hasPassword === true,
        ...(record?.totpSince === undefined ? {} : { totpSince: record.totpSince }),
        recoveryCodesLeft: accounts.countRecoveryCodes(username),
        isTotpRequired: isAllowed(session, totpRoles),
        sessions: sessions.listSessions(username).map(({ username: _, ...entry }) => ({
          ...entry,
          isCurrent: entry.sessionId === session.sessionId,
        })),
      };
    },
  );
}

function addPasswordRoute(app: ApiApp, deps: ApiDeps, gate: SignIn): void {
  const { accounts, audit, policy } = deps;
  app.put(
    '/account/password',
    {
      config: { ...own, rateLimit: PASSWORD_LIMIT },
      schema: {
        summary: 'Choose another password; every other session of the account ends',
        tags: ['account'],
        body: PasswordChange,
        response: { 204: Type.Null(), ...refusals(400, 401, 403, 429) },
      },
    },
    async (request, reply) => {
      const session = requireSession(request);
      requireLocal(session);
      const { username, sessionId } = session;
      const { current, next } = request.body;
      await gate.confirmPassword({ username, password: current, address: request.ip });
      const fault =
        next === current
          ? 'Expected another password than the present one'
          : findPasswordFault(next, { username, minLength: policy.read().passwordMinLength });
      if (fault !== undefined) throw refuseInvalid([{ path: '/body/next', reason: fault }]);
      const hash = await hashPassword(next, deps.passwordCost);
      accounts.transact(() => {
        accounts.replacePassword(username, { hash, mustChange: false, keepSessionId: sessionId });
        audit.append({ actor: username, action: 'password-change', target: username, address: request.ip });
      });
      return reply.status(204).send(null);
    },
  );
}

function addTotpRoutes(app: ApiApp, deps: ApiDeps, gate: SignIn): void {
  const { accounts, audit } = deps;
  const pending = new PendingSecrets(deps.now);
  app.post(
    '/account/totp',
    {
      config: { ...own, rateLimit: PASSWORD_LIMIT },
      schema: {
        summary: 'Begin to set up a second factor: the secret for an authenticator app',
        tags: ['account'],
        body: PasswordProof,
        response: { 200: TotpStart, ...refusals(400, 401, 403, 429) },
      },
    },
    async (request) => {
      const session = requireSession(request);
      requireLocal(session);
      const { username, sessionId } = session;
      await gate.confirmPassword({ username, password: request.body.password, address: request.ip });
      const secret = pending.begin(sessionId);
      return { secret, uri: buildTotpUri(secret, username) };
    },
  );
  app.post(
    '/account/totp/confirm',
    {
      config: { ...own, rateLimit: PASSWORD_LIMIT },
      schema: {
        summary: 'Prove that the app shows the right code; gives the recovery codes',
        tags: ['account'],
        body: TotpConfirm,
        response: { 200: RecoveryCodes, ...refusals(400, 401, 403, 429) },
      },
    },
    async (request) => {
      const { username, sessionId } = requireSession(request);
      const secret = pending.find(sessionId);
      const step = secret === undefined ? undefined : findTotpStep(secret, request.body.code, deps.now());
      if (secret === undefined || step === undefined) {
        const why = secret === undefined ? 'it must be begun anew' : 'this is not the code of now';
        throw new NgatuError('SECOND_FACTOR_WRONG', `Cannot set up the second factor: ${why}`);
      }
      const recoveryCodes = generateRecoveryCodes();
      accounts.transact(() => {
        accounts.enrolTotp(username, { secret, step, recoveryCodes });
        audit.append({
          actor: username,
          action: 'second-factor-enrol',
          target: username,
          address: request.ip,
        });
      });
      pending.end(sessionId);
      return { recoveryCodes };
    },
  );
}

function addTotpRemoveRoute(app: ApiApp, { accounts, audit, policy }: ApiDeps, gate: SignIn): void {
  app.post(
    '/account/totp/remove',
    {
      config: { access: MAY.ownAccount, rateLimit: PASSWORD_LIMIT },
      schema: {
        summary: 'Remove the second factor, where the policy does not ask for one',
        tags: ['account'],
        body: PasswordProof,
        response: { 204: Type.Null(), ...refusals(400, 401, 403, 429) },
      },
    },
    async (request, reply) => {
      const session = requireSession(request);
      requireLocal(session);
      const { username } = session;
      await gate.confirmPassword({ username, password: request.body.password, address: request.ip });
      if (isAllowed(session, policy.read().totpRoles))
        throw new NgatuError('FORBIDDEN', 'Cannot remove the second factor: the policy asks for one');
      accounts.transact(() => {
        accounts.removeTotp(username);
        audit.append({
          actor: username,
          action: 'second-factor-remove',
          target: username,
          address: request.ip,
        });
      });
      return reply.status(204).send(null);
    },
  );
}

function addSessionEndRoute(app: ApiApp, { accounts, sessions, audit }: ApiDeps): void {
  app.delete(
    '/account/sessions/:sessionId',
    {
      config: own,
      schema: {
        summary: 'End one of one’s own sessions',
        tags: ['account'],
        params: SessionParams,
        response: { 204: Type.Null(), ...refusals(400, 401, 403, 404) },
      },
    },
    async (request, reply) => {
      const { username } = requireSession(request);
      const { sessionId } = request.params;
      accounts.transact(() => {
        if (!sessions.endNamedSession(username, sessionId))
          throw new NgatuError('NOT_FOUND', `There is no session "${sessionId}" of this account`);
        audit.append({ actor: username, action: 'session-end', target: sessionId, address: request.ip });
      });
      return reply.status(204).send(null);
    },
  );
}

/** What everybody does with the own account. `gate` counts wrong passwords as at the door. */
export function addOwnAccountRoutes(app: ApiApp, deps: ApiDeps, gate: SignIn): void {
  addReadRoute(app, deps);
  addPasswordRoute(app, deps, gate);
  addTotpRoutes(app, deps, gate);
  addTotpRemoveRoute(app, deps, gate);
  addSessionEndRoute(app, deps);
}
