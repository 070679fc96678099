import { Type } from '@sinclair/typebox';
import { MAY } from '../account/permission.ts';
import type { Session } from '../account/session-store.ts';
import type { SignIn } from '../account/sign-in.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { SessionStatus, type SignedInAccount, SignedOut, SignInRequest } from './api-schema.ts';
import { findOwnOrigin } from './oidc-route.ts';
import { refusals } from './refusal-schema.ts';
import { readSessionToken, requireSession, writeSessionCookie } from './session-guard.ts';

/** Sign-in requests of one address a minute, over all names: above any hand, below what would occupy the cores. */
const SIGN_INS_PER_MINUTE = 60;

function describeAccount({ username, roles, areas, method, needs, expiresAtMs }: Session): SignedInAccount {
  return {
    username,
    roles: [...roles],
    areas: areas === 'all' ? 'all' : [...areas],
    method,
    ...(needs === undefined ? {} : { needs }),
    expiresAt: new Date(expiresAtMs).toISOString(),
  };
}

export function addSessionRoutes(app: ApiApp, deps: ApiDeps, gate: SignIn): void {
  const { sessions, singleSignOn } = deps;

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
      const agent = request.headers['user-agent'];
      const signedIn = await gate.signIn({
        ...request.body,
        address: request.ip,
        ...(agent === undefined ? {} : { agent }),
      });
      writeSessionCookie(reply, signedIn, deps);
      const session = sessions.findSession(signedIn.token, { use: false });
      return session === undefined ? {} : { account: describeAccount(session) };
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
    async (request) => ({
      ...(request.session === undefined ? {} : { account: describeAccount(request.session) }),
      ...(singleSignOn === undefined ? {} : { singleSignOn: { name: singleSignOn.name } }),
    }),
  );

  addSignOutRoute(app, deps);
}

function addSignOutRoute(app: ApiApp, deps: ApiDeps): void {
  const { sessions, audit, singleSignOn, publicUrl } = deps;
  app.delete(
    '/session',
    {
      config: { access: MAY.ownAccount, isForIncomplete: true },
      schema: {
        summary: 'Sign out; the browser forgets what it cached',
        tags: ['session'],
        response: { 200: SignedOut, 204: Type.Null(), ...refusals(401, 403) },
      },
    },
    async (request, reply) => {
      audit.append({ actor: requireSession(request).username, action: 'sign-out', address: request.ip });
      const token = readSessionToken(request, deps) ?? '';
      const idToken = sessions.findIdToken(token);
      sessions.endSession(token);
      writeSessionCookie(reply, undefined, deps);
      const returnUrl = `${findOwnOrigin(request, publicUrl)}/`;
      const logoutUrl =
        idToken === undefined ? undefined : await singleSignOn?.buildLogoutUrl(idToken, returnUrl);
      if (logoutUrl !== undefined) {
        return reply.header('clear-site-data', '"cache"').send({ logoutUrl: logoutUrl.href });
      }
      return reply.header('clear-site-data', '"cache"').status(204).send(null);
    },
  );
}
