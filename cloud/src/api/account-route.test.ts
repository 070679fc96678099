import { TOTP, URI } from 'otpauth';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { hashPassword } from '../account/password.ts';
import { findPasswordFault } from '../account/password-policy.ts';
import { ROLES, type Role } from '../account/role.ts';
import type { ApiApp } from './api-app.ts';
import { openTestCentre, TEST_PASSWORD_COST, type TestCentre } from './api-test-centre.ts';
import { buildApi } from './build-api.ts';

const HOST = 'centre.test';
const PASSWORD = 'correct horse battery staple';
const reason = 'asked by telephone';
const logged: string[] = [];

let centre: TestCentre;
let app: ApiApp;
let passwordHash: string;
let number = 0;
/** Whoever asks sits at another desk in each test. */
let desk = '';

beforeAll(async () => {
  centre = await openTestCentre();
  passwordHash = await hashPassword(PASSWORD, TEST_PASSWORD_COST);
  const logger = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) });
  app = await buildApi({ ...centre.deps, logger });
  await app.ready();
}, 60_000);

afterAll(async () => {
  await app.close();
  await centre[Symbol.asyncDispose]();
});

beforeEach(() => {
  number += 1;
  desk = `10.1.${number >> 8}.${number & 255}`;
});

function call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown, cookie?: string) {
  return app.inject({
    ...{ method, url: `/api/v1${path}`, remoteAddress: desk },
    headers: { host: HOST, origin: `http://${HOST}`, ...(cookie === undefined ? {} : { cookie }) },
    ...(body === undefined ? {} : { payload: body as object }),
  });
}

function addPerson(roles: readonly Role[] = ['reviewer']): string {
  number += 1;
  const username = `person-${number}`;
  centre.deps.accounts.createAccount({ username, roles, areas: 'all', passwordHash });
  return username;
}

async function signIn(username: string, password = PASSWORD, code?: string): Promise<string> {
  const response = await call('POST', '/session', {
    username,
    password,
    ...(code === undefined ? {} : { code }),
  });
  expect(response.statusCode, response.body).toBe(200);
  return `ngatu_session=${response.cookies[0]?.value}`;
}

async function refusedWith(answer: ReturnType<typeof call>): Promise<string> {
  return (await answer).json().code;
}

/** Enrols the person and gives the app that shows its codes. */
async function enrol(cookie: string): Promise<{ app: TOTP; recoveryCodes: string[] }> {
  const start = (await call('POST', '/account/totp', { password: PASSWORD }, cookie)).json();
  const parsed = URI.parse(start.uri);
  if (!(parsed instanceof TOTP)) throw new Error('not a TOTP address');
  expect(parsed.secret.base32).toBe(start.secret);
  const old = parsed.generate({ timestamp: centre.clock.nowMs - 3_600_000 });
  expect(await refusedWith(call('POST', '/account/totp/confirm', { code: old }, cookie))).toBe(
    'SECOND_FACTOR_WRONG',
  );
  const code = parsed.generate({ timestamp: centre.clock.nowMs });
  const confirmed = await call('POST', '/account/totp/confirm', { code }, cookie);
  expect(confirmed.statusCode, confirmed.body).toBe(200);
  return { app: parsed, recoveryCodes: confirmed.json().recoveryCodes };
}

it('makes accounts whose password must be changed before anything else', async () => {
  const admin = await signIn(addPerson(['admin']));
  const username = `made-${number}`;
  const made = (
    await call('POST', '/accounts', { username, roles: ['reviewer'], areas: 'all', reason }, admin)
  ).json();
  expect(made.account).toMatchObject({
    username,
    roles: ['reviewer'],
    areas: 'all',
    mustChangePassword: true,
  });
  expect(
    await refusedWith(
      call('POST', '/accounts', { username, roles: ['reviewer'], areas: 'all', reason }, admin),
    ),
  ).toBe('ACCOUNT_TAKEN');
  const cookie = await signIn(username, made.password);
  expect(await refusedWith(call('GET', '/events', undefined, cookie))).toBe('ACCOUNT_INCOMPLETE');
  const other = await signIn(username, made.password);
  const change = (next: string, current = made.password) =>
    call('PUT', '/account/password', { current, next }, cookie);
  expect((await change('short')).json().details.issues[0].path).toBe('/body/next');
  expect((await change(made.password)).statusCode).toBe(400);
  expect(await refusedWith(change('a quite long sentence', 'wrong'))).toBe('CREDENTIALS_INVALID');
  expect((await change('a quite long sentence')).statusCode).toBe(204);
  expect((await call('GET', '/events', undefined, cookie)).statusCode).toBe(200);
  expect((await call('GET', '/events', undefined, other)).statusCode).toBe(401);
  await signIn(username, 'a quite long sentence');
  const [row] = centre.deps.audit.find({ target: username, action: 'account-create', limit: 1 });
  expect(row).toMatchObject({ reason, address: desk, detail: 'reviewer; areas all' });
});

it.each([
  ['elevenchars', 'Expected at least 12'],
  ['xxlanxxlanxx', 'user name'],
  ['abababababab', 'different characters'],
  ['qwertyuiop12', 'run along the keyboard'],
  ['01234567890123', 'run along the keyboard'],
])('refuses the password %s', (password, fault) => {
  expect(findPasswordFault(password, { username: 'lan', minLength: 12 })).toContain(fault);
});

it('takes a long sentence in Vietnamese as a password, counted in characters', () => {
  expect(findPasswordFault('đường về nhà', { username: 'lan', minLength: 12 })).toBeUndefined();
});

it('asks for a second factor once there is one, takes each code once and recovery codes once', async () => {
  const username = addPerson();
  const cookie = await signIn(username);
  const { app: shown, recoveryCodes } = await enrol(cookie);
  expect(recoveryCodes).toHaveLength(10);
  const attempt = (code?: string) =>
    call('POST', '/session', { username, password: PASSWORD, ...(code === undefined ? {} : { code }) });
  expect(await refusedWith(attempt())).toBe('SECOND_FACTOR_REQUIRED');
  // The code that proved the enrolment is used up.
  expect(await refusedWith(attempt(shown.generate({ timestamp: centre.clock.nowMs })))).toBe(
    'CREDENTIALS_INVALID',
  );
  centre.clock.nowMs += 60_000;
  const code = shown.generate({ timestamp: centre.clock.nowMs });
  await signIn(username, PASSWORD, code);
  expect(await refusedWith(attempt(code))).toBe('CREDENTIALS_INVALID');
  const older = shown.generate({ timestamp: centre.clock.nowMs - 30_000 });
  expect(await refusedWith(attempt(older))).toBe('CREDENTIALS_INVALID');
  const [recovery = ''] = recoveryCodes;
  await signIn(username, PASSWORD, recovery.toUpperCase().replaceAll('-', ' '));
  expect(await refusedWith(attempt(recovery))).toBe('CREDENTIALS_INVALID');
  expect((await call('GET', '/account', undefined, cookie)).json()).toMatchObject({ recoveryCodesLeft: 9 });
  // A clock that is off by one step is taken.
  centre.clock.nowMs += 600_000;
  await signIn(username, PASSWORD, shown.generate({ timestamp: centre.clock.nowMs - 30_000 }));
  expect((await call('POST', '/account/totp/remove', { password: PASSWORD }, cookie)).statusCode).toBe(204);
  await signIn(username);
});

it('lets who must have a second factor do nothing but set it up', async () => {
  const admin = await signIn(addPerson(['admin']));
  const username = addPerson(['supervisor']);
  const cookie = await signIn(username);
  const policy = centre.deps.policy.read();
  const setPolicy = (totpRoles: Role[]) =>
    call('PUT', '/policy', { policy: { ...policy, totpRoles }, reason }, admin);
  expect((await setPolicy(['supervisor'])).statusCode).toBe(200);
  const refused = (await call('GET', '/events', undefined, cookie)).json();
  expect(refused).toMatchObject({ code: 'ACCOUNT_INCOMPLETE', details: { needs: 'totp' } });
  await enrol(cookie);
  expect((await call('GET', '/events', undefined, cookie)).statusCode).toBe(200);
  expect(await refusedWith(call('POST', '/account/totp/remove', { password: PASSWORD }, cookie))).toBe(
    'FORBIDDEN',
  );
  const removed = await call(
    'POST',
    `/accounts/${username}/actions`,
    { action: 'remove-second-factor', reason },
    admin,
  );
  expect(removed.statusCode).toBe(200);
  expect(await refusedWith(call('GET', '/events', undefined, cookie))).toBe('ACCOUNT_INCOMPLETE');
  await setPolicy([]);
});

it('locks an account after twenty wrong attempts from anywhere, visibly, until somebody unlocks it or an hour has gone', async () => {
  const admin = await signIn(addPerson(['admin']));
  const username = addPerson();
  const unknown = `nobody-${number}`;
  const home = desk;
  for (let attempt = 0; attempt < 20; attempt += 1) {
    desk = `10.9.${number & 255}.${attempt}`;
    for (const name of [username, unknown])
      expect(await refusedWith(call('POST', '/session', { username: name, password: 'wrong' }))).toBe(
        'CREDENTIALS_INVALID',
      );
  }
  desk = home;
  const locked = await call('POST', '/session', { username, password: PASSWORD });
  expect(locked.json().code).toBe('RATE_LIMITED');
  expect(locked.headers['retry-after']).toBe('3600');
  // A name that nobody has is answered alike.
  const other = await call('POST', '/session', { username: unknown, password: PASSWORD });
  expect([other.json(), other.headers['retry-after']]).toEqual([locked.json(), '3600']);
  const list = (await call('GET', '/accounts', undefined, admin)).json().items;
  const shown = list.find((item: { username: string }) => item.username === username);
  expect(shown).toMatchObject({
    failures: 20,
    lockedUntil: new Date(centre.clock.nowMs + 3_600_000).toISOString(),
  });
  await call('POST', `/accounts/${username}/actions`, { action: 'unlock', reason }, admin);
  await signIn(username);
  expect(centre.deps.audit.find({ target: username, limit: 5 }).map(({ action }) => action)).toEqual([
    'account-unlock',
    'account-locked',
  ]);
});

it('ends the sessions of who is disabled, and keeps the last administrator', async () => {
  const root = addPerson(['admin']);
  const admin = await signIn(root);
  const username = addPerson();
  const cookie = await signIn(username);
  const act = (name: string, action: string) =>
    call('POST', `/accounts/${name}/actions`, { action, reason }, admin);
  expect((await act(username, 'disable')).json().account.disabledAt).toBeDefined();
  expect((await call('GET', '/events', undefined, cookie)).statusCode).toBe(401);
  expect(await refusedWith(call('POST', '/session', { username, password: PASSWORD }))).toBe(
    'CREDENTIALS_INVALID',
  );
  await act(username, 'enable');
  await signIn(username);
  for (const { username: name, roles } of centre.deps.accounts.listAccounts())
    if (name !== root && roles.includes('admin')) await act(name, 'disable');
  expect(await refusedWith(act(root, 'disable'))).toBe('FORBIDDEN');
  expect(
    await refusedWith(call('PUT', `/accounts/${root}`, { roles: ['auditor'], areas: 'all', reason }, admin)),
  ).toBe('FORBIDDEN');
  expect(centre.deps.accounts.findAccount(root)).toMatchObject({ roles: ['admin'] });
  expect(
    await refusedWith(
      call('PUT', `/accounts/${username}`, { roles: ['auditor'], areas: ['nowhere'], reason }, admin),
    ),
  ).toBe('REQUEST_INVALID');
  expect(await refusedWith(act('no-such-person', 'unlock'))).toBe('NOT_FOUND');
});

it('takes new roles and areas at the next request of a session that runs', async () => {
  const admin = await signIn(addPerson(['admin']));
  const username = addPerson(['analyst']);
  const cookie = await signIn(username);
  expect((await call('GET', '/nodes', undefined, cookie)).statusCode).toBe(403);
  await call('PUT', `/accounts/${username}`, { roles: ['operator'], areas: [], reason }, admin);
  expect((await call('GET', '/nodes', undefined, cookie)).json()).toEqual({ nodes: [] });
});

it('refuses a tree of areas that is none', async () => {
  const admin = await signIn(addPerson(['admin']));
  const area = (areaId: string, parent?: string, sites: string[] = []) => ({
    areaId,
    name: areaId,
    sites,
    ...(parent === undefined ? {} : { parent }),
  });
  const put = (areas: unknown[]) => call('PUT', '/areas', { areas, reason }, admin);
  const wrong = [
    [area('a', 'b'), area('b', 'a')],
    [area('a', 'a')],
    [area('a', 'gone')],
    [area('a'), area('a')],
    [area('a', undefined, ['site-1']), area('b', undefined, ['site-1'])],
  ];
  for (const areas of wrong)
    expect(await refusedWith(put(areas)), JSON.stringify(areas)).toBe('REQUEST_INVALID');
  expect((await put([area('a', undefined, ['site-1']), area('b', 'a')])).statusCode).toBe(200);
  expect(centre.deps.areas.list()).toHaveLength(2);
});

it('lists the own sessions and ends one of them, never another person’s', async () => {
  const username = addPerson();
  const [one, two] = [await signIn(username), await signIn(username)];
  const { sessions } = (await call('GET', '/account', undefined, one)).json();
  expect(sessions).toHaveLength(2);
  const other = sessions.find(({ isCurrent }: { isCurrent: boolean }) => !isCurrent);
  const stranger = await signIn(addPerson());
  expect((await call('DELETE', `/account/sessions/${other.sessionId}`, undefined, stranger)).statusCode).toBe(
    404,
  );
  expect((await call('DELETE', `/account/sessions/${other.sessionId}`, undefined, one)).statusCode).toBe(204);
  expect((await call('GET', '/account', undefined, two)).statusCode).toBe(401);
});

it('shows the trail to an auditor, with who asked, and proves it', async () => {
  const auditor = await signIn(addPerson(['auditor']));
  const { items } = (await call('GET', '/audit?action=sign-in&limit=2', undefined, auditor)).json();
  expect(items).toHaveLength(2);
  expect(centre.deps.audit.list(1)[0]).toMatchObject({
    action: 'audit-read',
    detail: 'action=sign-in limit=2',
  });
  const report = (await call('GET', '/audit/verification', undefined, auditor)).json();
  expect(report.rows).toBe(centre.deps.audit.list(1)[0]?.id);
  // The test has no keeper that goes on anchoring.
  expect(report).toMatchObject({ anchors: 1, unanchoredRows: report.rows, faults: [] });
});

it('writes no secret into the log or the trail, whatever is asked', async () => {
  const username = addPerson(ROLES);
  const cookie = await signIn(username);
  const start = (await call('POST', '/account/totp', { password: PASSWORD }, cookie)).json();
  const made = (
    await call(
      'POST',
      '/accounts',
      { username: `log-${number}`, roles: ['analyst'], areas: [], reason },
      cookie,
    )
  ).json();
  const secrets = [
    PASSWORD,
    cookie.split('=')[1] ?? '',
    start.secret,
    made.password,
    'typed-into-the-wrong-field',
  ];
  expect(secrets.every((secret) => typeof secret === 'string' && secret.length >= 12)).toBe(true);
  const document = (await app.inject({ url: '/api/openapi.json' })).json();
  for (const [path, methods] of Object.entries<Record<string, unknown>>(document.paths)) {
    if (path.endsWith('/stream')) continue;
    for (const method of Object.keys(methods)) {
      const url = path.replace('/api/v1', '').replaceAll(/\{\w+\}/g, 'typed-into-the-wrong-field');
      const body =
        method === 'get' || method === 'delete'
          ? undefined
          : { password: PASSWORD, username: PASSWORD, code: start.secret };
      await call(method.toUpperCase() as 'GET', url, body, method === 'delete' ? undefined : cookie);
    }
  }
  await call('POST', '/session', { username: 'typed-into-the-wrong-field', password: PASSWORD });
  // The log is at its most talkative; an unforeseen failure is logged with its error.
  const broken = await call('GET', '/audit?from=2025-13-01T00:00:00.000Z', undefined, cookie);
  expect(broken.statusCode).toBe(400);
  const trail = JSON.stringify(centre.deps.audit.list(1_000));
  for (const secret of secrets) {
    expect(logged.join('').includes(secret)).toBe(false);
    expect(trail.includes(secret)).toBe(false);
  }
});
