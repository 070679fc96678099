import { NgatuError } from '@ngatu/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AccountStore, Session } from '../account/account-store.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';

const COOKIE = 'ngatu_session';
/** A request that nobody's hand caused (polling) says so with this header, and does not keep the session alive. */
const BACKGROUND_HEADER = 'x-ngatu-background';
const READING_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

export function readSessionToken(request: FastifyRequest): string | undefined {
  return request.cookies[COOKIE];
}

/** Puts the session into the browser, or takes it out (`token` undefined). No script of the page can read it. */
export function writeSessionCookie(
  reply: FastifyReply,
  session: { token: string; expiresAtMs: number } | undefined,
  publicUrl: string | undefined,
): void {
  reply.setCookie(COOKIE, session?.token ?? '', {
    path: '/',
    httpOnly: true,
    sameSite: 'strict',
    secure: publicUrl?.startsWith('https:') ?? false,
    expires: new Date(session?.expiresAtMs ?? 0),
  });
}

/** The session behind a request, alive now. */
export function findRequestSession(accounts: AccountStore, request: FastifyRequest): Session | undefined {
  const token = readSessionToken(request);
  if (token === undefined) return undefined;
  return accounts.findSession(token, { use: request.headers[BACKGROUND_HEADER] === undefined });
}

/** The person behind a request on a route that is not public. */
export function requireSession(request: FastifyRequest): Session {
  if (request.session === undefined) throw new NgatuError('UNAUTHENTICATED', 'Nobody is signed in');
  return request.session;
}

/** True where a request that changes something comes from a page of this very origin. */
function isSameOrigin(request: FastifyRequest, publicUrl: string | undefined): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined || !URL.canParse(origin)) return false;
  const from = new URL(origin);
  return publicUrl === undefined ? from.host === host : from.origin === new URL(publicUrl).origin;
}

/** Guards every route of `app`: the origin of what changes something, the session, the role. */
export function guardSessions(app: ApiApp, { accounts, publicUrl }: ApiDeps): void {
  app.addHook('onRequest', async (request) => {
    if (request.is404) return;
    if (!READING_METHODS.has(request.method) && !isSameOrigin(request, publicUrl)) {
      throw new NgatuError(
        'FORBIDDEN',
        'Cannot accept the request: it did not come from a page of this site',
      );
    }
    const session = findRequestSession(accounts, request);
    if (session !== undefined) request.session = session;
    const { access } = request.routeOptions.config;
    if (access === 'public') return;
    const { role } = requireSession(request);
    if (access !== undefined && !access.includes(role)) {
      throw new NgatuError(
        'FORBIDDEN',
        `Cannot show this to the role "${role}"; it needs ${access.join(' or ')}`,
      );
    }
  });
}
