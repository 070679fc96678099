import { NgatuError } from '@ngatu/contract';
import { Type } from '@sinclair/typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { SignedOn } from '../account/single-sign-on.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { refusals } from './refusal-schema.ts';
import { isServedSecurely, writeSessionCookie } from './session-guard.ts';

/** Ties what has begun to the browser in which it began. Lax: the provider sends the browser back from another site. */
const FLOW_COOKIE = 'ngatu_sign_on';
const FLOW_PATH = '/api/v1/session/oidc';
const FLOW_SECONDS = 600;
const PER_MINUTE = 60;

/** The address under which this browser sees the centre. */
export function findOwnOrigin(request: FastifyRequest, publicUrl: string | undefined): string {
  return new URL(publicUrl ?? `${request.protocol}://${request.host}`).origin;
}

function writeFlowCookie(reply: FastifyReply, flowId: string | undefined, deps: ApiDeps): void {
  reply.setCookie(FLOW_COOKIE, flowId ?? '', {
    path: FLOW_PATH,
    httpOnly: true,
    sameSite: 'lax',
    secure: isServedSecurely(deps.publicUrl),
    maxAge: flowId === undefined ? 0 : FLOW_SECONDS,
  });
}

/**
 * The account of a person that the provider vouches for, made at the first sign-in; roles and areas are what the provider
 * says now.
 * @throws NgatuError OIDC_REFUSED where it is disabled, or another person's account has the name
 */
function settleAccount({ accounts, audit }: ApiDeps, person: SignedOn, address: string): string {
  const { identity, username, roles, areas } = person;
  const known = accounts.findByIdentity(identity);
  if (known?.disabledAt !== undefined)
    throw new NgatuError('OIDC_REFUSED', 'Cannot sign on: the account is disabled here');
  if (known !== undefined) {
    accounts.updateTrust({ username: known.username, roles, areas });
    return known.username;
  }
  if (!accounts.createAccount({ username, roles, areas, oidc: identity }))
    throw new NgatuError('OIDC_REFUSED', 'Cannot sign on: another account here has this name');
  const detail = `by ${identity.issuer}: ${roles.join(' ')}; areas ${areas === 'all' ? 'all' : areas.join(' ')}`;
  audit.append({ action: 'account-create', target: username, detail, address });
  return username;
}

function beginSession(deps: ApiDeps, request: FastifyRequest, person: SignedOn) {
  const { accounts, audit, sessions } = deps;
  const agent = request.headers['user-agent'];
  return accounts.transact(() => {
    const username = settleAccount(deps, person, request.ip);
    audit.append({ actor: username, action: 'sign-in', detail: 'oidc', address: request.ip });
    return sessions.beginSession({
      ...{ username, method: 'oidc', address: request.ip, idToken: person.idToken },
      ...(agent === undefined ? {} : { agent }),
    });
  });
}

/** Back to the console, which says in words what went wrong. */
function redirectRefused(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!(error instanceof NgatuError) || !error.code.match(/^(OIDC|ACCESS)_/)) throw error;
  request.log.warn({ code: error.code, reason: error.message }, 'single sign-on failed');
  const code = error.code === 'OIDC_REFUSED' ? 'OIDC_REFUSED' : 'OIDC_UNAVAILABLE';
  return reply.redirect(`/#/sign-on-failed/${code}`, 302);
}

/** Single sign-on; without a provider in the settings there are no such routes. */
export function addOidcRoutes(app: ApiApp, deps: ApiDeps): void {
  const { singleSignOn, publicUrl, audit } = deps;
  if (singleSignOn === undefined) return;
  const config = { access: 'public', rateLimit: { max: PER_MINUTE, timeWindow: 60_000 } } as const;
  const response = {
    302: Type.Null({ description: 'To the provider, or back to the console' }),
    ...refusals(429),
  };
  app.get(
    '/session/oidc/start',
    {
      config,
      schema: { summary: 'Begin single sign-on', tags: ['session'], security: [], response },
    },
    async (request, reply) => {
      try {
        const redirectUrl = `${findOwnOrigin(request, publicUrl)}${FLOW_PATH}/callback`;
        const { flowId, url } = await singleSignOn.begin(redirectUrl);
        writeFlowCookie(reply, flowId, deps);
        return reply.redirect(url.href, 302);
      } catch (error) {
        return redirectRefused(error, request, reply);
      }
    },
  );
  app.get(
    '/session/oidc/callback',
    {
      config,
      schema: {
        summary: 'Where the provider sends the browser back to',
        tags: ['session'],
        security: [],
        response,
      },
    },
    async (request, reply) => {
      writeFlowCookie(reply, undefined, deps);
      try {
        const query = request.raw.url?.split('?')[1] ?? '';
        const person = await singleSignOn.finish(request.cookies[FLOW_COOKIE], query);
        writeSessionCookie(reply, beginSession(deps, request, person), deps);
        return reply.redirect('/', 302);
      } catch (error) {
        audit.append({ action: 'sign-in-refused', detail: 'oidc', address: request.ip });
        return redirectRefused(error, request, reply);
      }
    },
  );
}
