import { NgatuError, toUrl } from '@ngatu/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isAllowed } from '../account/permission.ts';
import type { Session, SessionStore } from '../account/session-store.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { RequestRefused } from './api-error.ts';

const COOKIE = 'ngatu_session';
/** A browser takes a cookie of this name only with `Secure`, for the whole host and for no other (RFC 6265bis, 4.1.3.2). */
const SECURE_COOKIE = `__Host-${COOKIE}`;
/** A request that nobody's hand caused (polling) says so with this header, and does not keep the session alive. */
const BACKGROUND_HEADER = 'x-ngatu-background';
const READING_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether browsers reach this API by https. */
export function isServedSecurely(publicUrl: string | undefined): boolean {
  return publicUrl?.startsWith('https:') ?? false;
}

export function readSessionToken(
  request: FastifyRequest,
  { publicUrl }: Pick<ApiDeps, 'publicUrl'>,
): string | undefined {
  return request.cookies[isServedSecurely(publicUrl) ? SECURE_COOKIE : COOKIE];
}

/** Puts the session into the browser, or takes it out (`token` undefined). No script of the page can read it. */
export function writeSessionCookie(
  reply: FastifyReply,
  session: { token: string; expiresAtMs: number } | undefined,
  { publicUrl }: Pick<ApiDeps, 'publicUrl'>,
): void {
  const secure = isServedSecurely(publicUrl);
  reply.setCookie(secure ? SECURE_COOKIE : COOKIE, session?.token ?? '', {
    path: '/',
    httpOnly: true,
    sameSite: 'strict',
    secure,
    expires: new Date(session?.expiresAtMs ?? 0),
  });
}

/** The session behind a request, alive now. */
function findRequestSession(
  sessions: SessionStore,
  request: FastifyRequest,
  deps: ApiDeps,
): Session | undefined {
  const token = readSessionToken(request, deps);
  if (token === undefined) return undefined;
  return sessions.findSession(token, { use: request.headers[BACKGROUND_HEADER] === undefined });
}

/** The person behind a request on a route that is not public. */
export function requireSession(request: FastifyRequest): Session {
  if (request.session === undefined) throw new NgatuError('UNAUTHENTICATED', 'Nobody is signed in');
  return request.session;
}

/** True where a request that changes something comes from a page of this very origin. */
function isSameOrigin(request: FastifyRequest, publicUrl: string | undefined): boolean {
  const { origin, host } = request.headers;
  const from = origin === undefined ? undefined : toUrl(origin);
  if (from === undefined) return false;
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  return publicUrl === undefined ? from.host === host : from.origin === new URL(publicUrl).origin;
}

/** What a person has to do first keeps him from every route but those that serve it. */
function requireNothingLeft({ needs }: Session): void {
  if (needs === undefined) return;
  const what = needs === 'password' ? 'choose another password' : 'set up a second factor';
  throw new RequestRefused('ACCOUNT_INCOMPLETE', `Cannot go on: ${what} first`, { details: { needs } });
}

/** A route that does not say who may use it is a mistake of ours: the API does not start with it. */
function refuseUnruled(app: ApiApp): void {
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.access === undefined)
      throw new NgatuError('INTERNAL', `Cannot add route ${method} ${url}: it does not say who may use it`);
  });
}

/** Guards every route of `app`: the origin of what changes something, the session, the role. */
export function guardSessions(app: ApiApp, deps: ApiDeps): void {
  const { sessions, publicUrl } = deps;
  refuseUnruled(app);
  app.addHook('onRequest', async (request) => {
    if (request.is404) return;
    if (!READING_METHODS.has(request.method) && !isSameOrigin(request, publicUrl)) {
      throw new NgatuError(
        'FORBIDDEN',
        'Cannot accept the request: it did not come from a page of this site',
      );
    }
    const session = findRequestSession(sessions, request, deps);
    if (session !== undefined) request.session = session;
    const { access, isForIncomplete } = request.routeOptions.config;
    if (access === 'public') return;
    const person = requireSession(request);
    if (!isAllowed(person, access)) {
      throw new NgatuError(
        'FORBIDDEN',
        `Cannot do this as ${person.roles.join(' and ')}; it needs ${access.join(' or ')}`,
      );
    }
    if (isForIncomplete !== true) requireNothingLeft(person);
  });
}
