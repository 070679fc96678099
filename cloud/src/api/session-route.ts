import { Type } from '@sinclair/typebox';
import type { Session } from '../account/account-store.ts';
import { SignIn } from '../account/sign-in.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { SessionStatus, type SignedInAccount, SignInRequest } from './api-schema.ts';
import { refusals } from './refusal-schema.ts';
import { readSessionToken, requireSession, writeSessionCookie } from './session-guard.ts';

/** Sign-in requests of one address a minute, over all names: above any hand, below what would occupy the cores. */
const SIGN_INS_PER_MINUTE = 60;

function describeAccount({ username, role, expiresAtMs }: Session): SignedInAccount {
  return { username, role, expiresAt: new Date(expiresAtMs).toISOString() };
}

export function addSessionRoutes(app: ApiApp, deps: ApiDeps): void {
  const { accounts, audit, publicUrl } = deps;
  const gate = new SignIn(accounts, audit, deps.now);

  app.post(
    '/session',
    {
      config: { access: 'public', rateLimit: { max: SIGN_INS_PER_MINUTE, timeWindow: 60_000 } },
      schema: {
        summary: 'Sign in; the session is a cookie',
        tags: ['session'],
        security: [],
        body: SignInRequest,
        response: { 200: SessionStatus, ...refusals(400, 401, 403, 429) },
      },
    },
    async (request, reply) => {
      const signedIn = await gate.signIn({ ...request.body, address: request.ip });
      writeSessionCookie(reply, signedIn, publicUrl);
      return { account: describeAccount(signedIn) };
    },
  );

  app.get(
    '/session',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Who is signed in',
        tags: ['session'],
        security: [],
        response: { 200: SessionStatus, ...refusals() },
      },
    },
    async (request) => (request.session === undefined ? {} : { account: describeAccount(request.session) }),
  );

  app.delete(
    '/session',
    {
      schema: {
        summary: 'Sign out; the browser forgets what it cached',
        tags: ['session'],
        response: { 204: Type.Null(), ...refusals(401, 403) },
      },
    },
    async (request, reply) => {
      audit.append({ actor: requireSession(request).username, action: 'sign-out', address: request.ip });
      const token = readSessionToken(request);
      if (token !== undefined) accounts.endSession(token);
      writeSessionCookie(reply, undefined, publicUrl);
      return reply.header('clear-site-data', '"cache"').status(204).send(null);
    },
  );
}
