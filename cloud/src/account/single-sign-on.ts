import { errorMessage, NgatuError } from '@ngatu/contract';
import {
  AuthorizationResponseError,
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  type IDToken,
  ResponseBodyError,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import type { Account, OidcIdentity } from './account-store.ts';
import { isLoopback, type OidcSettings, readClientSecret } from './oidc-settings.ts';
import type { Role } from './role.ts';

const TIMEOUT_S = 5;
/** A sign-in at the provider that takes longer is begun anew. */
const FLOW_MS = 10 * 60_000;
const FLOWS_MAX = 1_000;

/** Whom the provider vouches for, and what the settings give for that. */
export interface SignedOn extends Account {
  readonly identity: OidcIdentity;
  /** Ends the session at the provider. */
  readonly idToken: string;
}

interface Flow {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly redirectUrl: string;
  readonly atMs: number;
}

/** Whether a claim is the text, or a list that holds it. */
function hasValue(claim: unknown, value: string): boolean {
  return Array.isArray(claim) ? claim.includes(value) : claim === value;
}

/** Roles and areas that the claims give; undefined where they give no role. */
export function grantTrust(
  settings: Pick<OidcSettings, 'grants'>,
  claims: Readonly<Record<string, unknown>>,
): Pick<Account, 'roles' | 'areas'> | undefined {
  const fitting = settings.grants.filter(({ claim, value }) => hasValue(claims[claim], value));
  const roles = new Set<Role>(fitting.flatMap((grant) => grant.roles));
  if (roles.size === 0) return undefined;
  const areas = fitting.some((grant) => grant.areas === 'all')
    ? 'all'
    : [...new Set(fitting.flatMap((grant) => (grant.areas === 'all' ? [] : grant.areas)))];
  return { roles: [...roles], areas };
}

/** A name as accounts have it, from what the provider calls the person. */
function readUsername(claims: IDToken, claim: string): string {
  const given = claims[claim];
  const text = (typeof given === 'string' ? given : claims.sub).toLowerCase();
  const plain = text
    .replace(/[^a-z0-9._-]/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 64);
  if (plain.length >= 2) return plain;
  throw new NgatuError(
    'OIDC_REFUSED',
    'Cannot sign on: the provider gives the person no name that can be used',
  );
}

function toUnavailable(error: unknown): NgatuError {
  if (error instanceof NgatuError) return error;
  return new NgatuError(
    'OIDC_UNAVAILABLE',
    `Cannot reach the provider of single sign-on: ${errorMessage(error)}`,
    {
      retryable: true,
      cause: error,
    },
  );
}

/**
 * Single sign-on: authorization code with PKCE (S256), state and nonce (OpenID Connect Core 1.0, 3.1; RFC 7636). What has begun is
 * kept in memory, at most 1,000 of them: the oldest gives way.
 */
export class SingleSignOn {
  readonly name: string;
  private readonly flows = new Map<string, Flow>();
  private discovered: Promise<Configuration> | undefined;

  constructor(
    private readonly settings: OidcSettings,
    private readonly now: () => number,
  ) {
    this.name = settings.name;
  }

  /**
   * Begins: where the browser must go, and the name of what has begun, which it must bring back.
   * @throws NgatuError OIDC_UNAVAILABLE, ACCESS_SETTINGS_INVALID
   */
  async begin(redirectUrl: string): Promise<{ flowId: string; url: URL }> {
    const config = await this.discover();
    const flow: Flow = {
      ...{ state: randomState(), nonce: randomNonce(), verifier: randomPKCECodeVerifier() },
      ...{ redirectUrl, atMs: this.now() },
    };
    const url = buildAuthorizationUrl(config, {
      redirect_uri: redirectUrl,
      scope: this.settings.scope,
      state: flow.state,
      nonce: flow.nonce,
      code_challenge: await calculatePKCECodeChallenge(flow.verifier),
      code_challenge_method: 'S256',
    });
    const flowId = randomState();
    this.flows.set(flowId, flow);
    for (const key of this.flows.keys()) {
      if (this.flows.size <= FLOWS_MAX) break;
      this.flows.delete(key);
    }
    return { flowId, url };
  }

  /**
   * Ends what `flowId` names, once, with the address that the provider sent the browser to.
   * @throws NgatuError OIDC_REFUSED (also where nothing of this name has begun), OIDC_UNAVAILABLE
   */
  async finish(flowId: string | undefined, query: string): Promise<SignedOn> {
    const flow = flowId === undefined ? undefined : this.flows.get(flowId);
    if (flowId !== undefined) this.flows.delete(flowId);
    if (flow === undefined || this.now() - flow.atMs > FLOW_MS)
      throw new NgatuError('OIDC_REFUSED', 'Cannot sign on: this was not begun here, or too long ago');
    const config = await this.discover();
    const url = new URL(flow.redirectUrl);
    url.search = query;
    const tokens = await authorizationCodeGrant(config, url, {
      pkceCodeVerifier: flow.verifier,
      expectedState: flow.state,
      expectedNonce: flow.nonce,
      idTokenExpected: true,
    }).catch((error: unknown) => {
      if (this.isOutage(error)) throw toUnavailable(error);
      throw new NgatuError('OIDC_REFUSED', 'Cannot sign on: the provider did not vouch for the person', {
        cause: error,
      });
    });
    const claims = tokens.claims();
    const idToken = tokens.id_token;
    if (claims === undefined || idToken === undefined)
      throw new NgatuError('OIDC_REFUSED', 'Cannot sign on: the provider gave no ID token');
    const trust = grantTrust(this.settings, claims);
    if (trust === undefined)
      throw new NgatuError('OIDC_REFUSED', 'Cannot sign on: the provider gives the person no role here');
    return {
      ...{ username: readUsername(claims, this.settings.usernameClaim), ...trust, idToken },
      identity: { issuer: claims.iss, subject: claims.sub },
    };
  }

  /** Where the browser ends its session at the provider; undefined where the provider has no such place or does not answer. */
  async buildLogoutUrl(idToken: string, returnUrl: string): Promise<URL | undefined> {
    try {
      const config = await this.discover();
      if (config.serverMetadata().end_session_endpoint === undefined) return undefined;
      return buildEndSessionUrl(config, { id_token_hint: idToken, post_logout_redirect_uri: returnUrl });
    } catch (error) {
      // To leave here must not hang on the provider.
      if (toUnavailable(error).code === 'OIDC_UNAVAILABLE') return undefined;
      throw error;
    }
  }

  /** Neither an answer of the provider nor a check of ours: it could not be asked. */
  private isOutage(error: unknown): boolean {
    if (error instanceof ResponseBodyError || error instanceof AuthorizationResponseError) return false;
    const { code, name } = Object(error) as { code?: unknown; name?: unknown };
    return name === 'TypeError' || name === 'TimeoutError' || code === 'OAUTH_TIMEOUT';
  }

  /** What the provider says of itself, asked once; after a failure asked again the next time. */
  private async discover(): Promise<Configuration> {
    this.discovered ??= this.ask();
    try {
      return await this.discovered;
    } catch (error) {
      this.discovered = undefined;
      throw toUnavailable(error);
    }
  }

  private ask(): Promise<Configuration> {
    const { issuer, clientId } = this.settings;
    const options = {
      timeout: TIMEOUT_S,
      ...(isLoopback(issuer) ? { execute: [allowInsecureRequests] } : {}),
    };
    return discovery(new URL(issuer), clientId, readClientSecret(this.settings), undefined, options);
  }
}
