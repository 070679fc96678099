import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { OidcSettings } from '../account/oidc-settings.ts';
import { hashPassword } from '../account/password.ts';
import { grantTrust, SingleSignOn } from '../account/single-sign-on.ts';
import type { ApiApp } from './api-app.ts';
import { openTestCentre, TEST_PASSWORD_COST, type TestCentre } from './api-test-centre.ts';
import { buildApi } from './build-api.ts';

const SECRET = 'a-client-secret-of-32-characters!';
const PASSWORD = 'correct horse battery staple';

/** What the provider says of its people, by the name that they sign in with. */
const PEOPLE: Record<string, { groups: string[]; preferred_username: string }> = {
  lan: { groups: ['duyet', 'dong'], preferred_username: 'Nguyen.Lan' },
  minh: { groups: ['khac'], preferred_username: 'minh' },
  thief: { groups: ['duyet'], preferred_username: 'local' },
};

let provider: Server | undefined;
let providerPort = 0;
const issuerOf = (port: number) => `http://127.0.0.1:${port}`;
/** Who sits at the browser. */
let person = 'lan';
let centre: TestCentre;
let app: ApiApp;
let url: string;
let singleSignOn: SingleSignOn;

/** A real provider whose sign-in page always lets `person` in. */
async function startProvider(port: number): Promise<Server> {
  const { default: Provider } = await silenced(() => import('oidc-provider'));
  let handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  const server = createServer((request, response) => void handle(request, response));
  const issuer = issuerOf(port);
  const oidc = await silenced(
    async () =>
      new Provider(issuer, {
        clients: [
          {
            client_id: 'ngatu',
            client_secret: SECRET,
            redirect_uris: [callbackOf()],
            post_logout_redirect_uris: [`${url}/`],
            response_types: ['code'],
            grant_types: ['authorization_code'],
          },
        ],
        pkce: { required: () => true },
        claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
        conformIdTokenClaims: false,
        cookies: { keys: ['only for this test'] },
        features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
        interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
        findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub, ...PEOPLE[sub] }) }),
        loadExistingGrant: async (context) => {
          const grant = new context.oidc.provider.Grant({
            clientId: context.oidc.client?.clientId ?? '',
            accountId: context.oidc.session?.accountId ?? '',
          });
          grant.addOIDCScope('openid profile');
          await grant.save();
          return grant;
        },
      }),
  );
  const callback = oidc.callback();
  handle = (request, response) =>
    request.url?.startsWith('/interaction/') === true
      ? oidc.interactionFinished(request, response, { login: { accountId: person } })
      : callback(request, response);
  await new Promise<void>((ready) => server.listen(port, '127.0.0.1', ready));
  return server;
}

/** The library says that it does not know this Node.js; that is not what is tested. */
async function silenced<T>(work: () => Promise<T>): Promise<T> {
  const spies = (['warn', 'info', 'error'] as const).map((name) =>
    vi.spyOn(console, name).mockImplementation(() => undefined),
  );
  try {
    return await work();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** A browser: keeps cookies by host and follows redirects by hand. */
class TestBrowser {
  private readonly jar = new Map<string, Map<string, string>>();
  /** Every address that it was sent to. */
  readonly visited: string[] = [];

  async get(address: string, options: RequestInit = {}): Promise<Response> {
    const { host } = new URL(address);
    const cookies = this.jar.get(host) ?? new Map<string, string>();
    this.jar.set(host, cookies);
    const response = await fetch(address, {
      ...options,
      redirect: 'manual',
      headers: {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...options.headers,
      },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  }

  /** Where it ends up: at the console, or before an address that begins with `until`. */
  async follow(address: string, until?: string): Promise<string> {
    let at = address;
    for (let hop = 0; hop < 12; hop += 1) {
      this.visited.push(at);
      const location = (await this.get(at)).headers.get('location');
      if (location === null) return at;
      at = new URL(location, at).href;
      if (at.startsWith(`${url}/#`) || at === `${url}/`) return at;
      if (until !== undefined && at.startsWith(until)) return at;
    }
    throw new Error('too many redirects');
  }

  async session(): Promise<{ account?: Record<string, unknown>; singleSignOn?: { name: string } }> {
    return (await this.get(`${url}/api/v1/session`)).json() as Promise<Record<string, never>>;
  }

  signOut(): Promise<Response> {
    return this.get(`${url}/api/v1/session`, { method: 'DELETE', headers: { origin: url } });
  }
}

const start = () => `${url}/api/v1/session/oidc/start`;
const callbackOf = () => `${url}/api/v1/session/oidc/callback`;

function settingsOf(changes: Partial<OidcSettings> = {}): OidcSettings {
  return {
    version: 1,
    name: 'Tỉnh',
    issuer: issuerOf(providerPort),
    clientId: 'ngatu',
    clientSecret: { env: 'NGATU_TEST_OIDC_SECRET' },
    scope: 'openid profile',
    usernameClaim: 'preferred_username',
    grants: [
      { claim: 'groups', value: 'duyet', roles: ['reviewer'], areas: [] },
      { claim: 'groups', value: 'dong', roles: [], areas: ['east'] },
    ],
    ...changes,
  };
}

async function findPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

beforeAll(async () => {
  process.env['NGATU_TEST_OIDC_SECRET'] = SECRET;
  centre = await openTestCentre({ nowMs: Date.now() });
  const passwordHash = await hashPassword(PASSWORD, TEST_PASSWORD_COST);
  centre.addAccount('local', 'admin', passwordHash);
  // The provider must know the address of the centre, and the centre that of the provider.
  const port = await findPort();
  providerPort = await findPort();
  url = `http://127.0.0.1:${port}`;
  singleSignOn = new SingleSignOn(settingsOf(), () => centre.clock.nowMs);
  app = await buildApi({ ...centre.deps, singleSignOn });
  await app.listen({ host: '127.0.0.1', port });
}, 60_000);

afterAll(async () => {
  await app.close();
  provider?.closeAllConnections();
  await new Promise((closed) => provider?.close(closed));
  await centre[Symbol.asyncDispose]();
});

beforeEach(() => {
  person = 'lan';
});

it('says so while the provider is down, local accounts sign in as ever, and it recovers by itself', async () => {
  const browser = new TestBrowser();
  expect(await browser.follow(start())).toBe(`${url}/#/sign-on-failed/OIDC_UNAVAILABLE`);
  const local = await browser.get(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { origin: url, 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'local', password: PASSWORD }),
  });
  expect(local.status).toBe(200);
  provider = await startProvider(providerPort);
  expect(await new TestBrowser().follow(start())).toBe(`${url}/`);
});

it('signs on with code, PKCE, state and nonce; the provider says roles and areas', async () => {
  const browser = new TestBrowser();
  expect(await browser.session()).toEqual({ singleSignOn: { name: 'Tỉnh' } });
  expect(await browser.follow(start())).toBe(`${url}/`);
  const asked = new URL(browser.visited[1] ?? '').searchParams;
  expect(Object.fromEntries(asked)).toMatchObject({
    response_type: 'code',
    client_id: 'ngatu',
    code_challenge_method: 'S256',
    redirect_uri: callbackOf(),
  });
  for (const name of ['state', 'nonce', 'code_challenge'])
    expect(asked.get(name)?.length).toBeGreaterThan(30);
  expect((await browser.session()).account).toMatchObject({
    username: 'nguyen.lan',
    roles: ['reviewer'],
    areas: ['east'],
    method: 'oidc',
  });
  const made = centre.deps.audit.find({ target: 'nguyen.lan', limit: 5 });
  expect(made.map(({ action }) => action)).toEqual(['account-create']);
  const password = { username: 'nguyen.lan', password: 'anything' };
  const local = await app.inject({
    ...{ method: 'POST', url: '/api/v1/session', payload: password },
    headers: { host: 'x', origin: 'http://x' },
  });
  expect(local.json().code).toBe('CREDENTIALS_INVALID');
});

it('reads roles and areas anew at each sign-in, and signs out at the provider as well', async () => {
  const groups = PEOPLE['lan'];
  const browser = new TestBrowser();
  await browser.follow(start());
  const out = await browser.signOut();
  const { logoutUrl } = (await out.json()) as { logoutUrl: string };
  const logout = new URL(logoutUrl);
  expect(logout.origin).toBe(issuerOf(providerPort));
  expect(logout.searchParams.get('post_logout_redirect_uri')).toBe(`${url}/`);
  expect((await browser.get(logoutUrl)).status).toBe(200);
  expect(await browser.session()).not.toHaveProperty('account');
  PEOPLE['lan'] = { groups: ['duyet'], preferred_username: 'renamed' };
  try {
    await browser.follow(start());
    expect((await browser.session()).account).toMatchObject({ username: 'nguyen.lan', areas: [] });
  } finally {
    if (groups !== undefined) PEOPLE['lan'] = groups;
  }
});

describe('is refused', () => {
  const refused = () => `${url}/#/sign-on-failed/OIDC_REFUSED`;

  it('to who gets no role, and to who has the name of a local account', async () => {
    for (const name of ['minh', 'thief']) {
      person = name;
      const browser = new TestBrowser();
      expect(await browser.follow(start()), name).toBe(refused());
      expect(await browser.session(), name).not.toHaveProperty('account');
    }
    expect(centre.deps.accounts.findAccount('local')).toMatchObject({ roles: ['admin'] });
  });

  it('to a disabled account', async () => {
    const browser = new TestBrowser();
    await browser.follow(start());
    centre.deps.accounts.setDisabled('nguyen.lan', true);
    expect(await browser.follow(start())).toBe(refused());
    centre.deps.accounts.setDisabled('nguyen.lan', false);
  });

  it.each(['state', 'code', 'iss'])('with another %s', async (name) => {
    const browser = new TestBrowser();
    const back = new URL(await browser.follow(start(), callbackOf()));
    expect(back.searchParams.get(name)).not.toBeNull();
    back.searchParams.set(name, 'https://evil.example');
    expect(await browser.follow(back.href)).toBe(refused());
    expect(await browser.session()).not.toHaveProperty('account');
  });

  it('in a browser that did not begin it, and a second time', async () => {
    const [browser, victim] = [new TestBrowser(), new TestBrowser()];
    await browser.follow(start());
    const back = browser.visited.find((address) => address.startsWith(callbackOf())) ?? '';
    expect(await victim.follow(back)).toBe(refused());
    expect(await victim.session()).not.toHaveProperty('account');
    expect(await browser.follow(back)).toBe(refused());
  });
});

it('adds grants up, takes lists and single texts, and gives nothing for nothing', () => {
  const grants: OidcSettings['grants'] = [
    { claim: 'groups', value: 'a', roles: ['reviewer'], areas: ['east'] },
    { claim: 'department', value: 'ioc', roles: ['analyst', 'reviewer'], areas: 'all' },
    { claim: 'groups', value: 'b', roles: [], areas: ['west'] },
  ];
  expect(grantTrust({ grants }, { groups: ['a', 'b'] })).toEqual({
    roles: ['reviewer'],
    areas: ['east', 'west'],
  });
  expect(grantTrust({ grants }, { groups: ['a'], department: 'ioc' })).toEqual({
    roles: ['reviewer', 'analyst'],
    areas: 'all',
  });
  expect(grantTrust({ grants }, { groups: ['b'] })).toBeUndefined();
  expect(grantTrust({ grants }, { groups: 'ab', department: ['iocx'] })).toBeUndefined();
  expect(grantTrust({ grants }, {})).toBeUndefined();
});
