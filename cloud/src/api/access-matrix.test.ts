import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Event, EvidenceManifest, NodeState } from '@ngatu/contract';
import Fastify, { type InjectOptions } from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hashPassword } from '../account/password.ts';
import { MAY } from '../account/permission.ts';
import { ROLES, type Role } from '../account/role.ts';
import { SingleSignOn } from '../account/single-sign-on.ts';
import { DuckdbSeriesStore } from '../store/duckdb-series-store.ts';
import { ACCESS_RULES, type AccessRule, readRoles } from './access-rule-table.ts';
import type { ApiApp } from './api-app.ts';
import {
  anEvent,
  anEvidenceFile,
  aPlateFinding,
  eventIdOf,
  openTestCentre,
  PLATE,
  TEST_PASSWORD_COST,
  type TestCentre,
} from './api-test-centre.ts';
import { buildApi } from './build-api.ts';
import { guardSessions } from './session-guard.ts';

const HOST = 'centre.test';
const ORIGIN = { origin: `http://${HOST}`, host: HOST };
const PASSWORD = 'correct horse battery staple';
const OUTBOX = '6f1c2f5e-6a57-4b61-9b40-3e0d6f9d2a1';
/** Their names are looked for in the answers. */
const SITES = ['site-east', 'site-west'] as const;
type Site = (typeof SITES)[number];

/** Areas of an account, and the sites that it must see then. `city` holds `west` as its child. */
const SCOPES: readonly { readonly areas: readonly string[] | 'all'; readonly sites: readonly Site[] }[] = [
  { areas: 'all', sites: SITES },
  { areas: ['east'], sites: ['site-east'] },
  { areas: ['city'], sites: ['site-west'] },
  { areas: [], sites: [] },
];
const TREE = [
  { areaId: 'east', name: 'Đông', sites: ['site-east'] },
  { areaId: 'city', name: 'Thành phố', sites: [] },
  { areaId: 'west', name: 'Tây', parent: 'city', sites: ['site-west'] },
];

/** Nobody listens on port 1. */
const PROVIDER_DOWN = {
  ...{ version: 1 as const, name: 'Tỉnh', issuer: 'http://127.0.0.1:1', clientId: 'ngatu' },
  ...{ scope: 'openid', usernameClaim: 'sub', grants: [] },
};

let centre: TestCentre;
let series: DuckdbSeriesStore;
let app: ApiApp;
let passwordHash: string;
let count = 1_000;
const seq: Record<Site, number> = { 'site-east': 0, 'site-west': 0 };

/** Commits as the ingestor of a node at `site`. */
function commit(site: Site, message: Parameters<TestCentre['events']['commit']>[0][number]['message']): void {
  seq[site] += 1;
  const outboxId = `${OUTBOX}${SITES.indexOf(site)}`;
  const item = { site, node: 'gate-1', outboxId, seq: seq[site], message };
  const [outcome] = centre.events.commit([item], new Date(centre.clock.nowMs).toISOString());
  expect(outcome).toEqual({ outcome: 'committed' });
}

function commitEvent(site: Site): Event {
  count += 1;
  const event = anEvent(1, { eventId: eventIdOf(count), site, node: 'gate-1', camera: `cam-${site}` });
  commit(site, { channel: 'event', body: event });
  return event;
}

function commitManifest(
  event: Event,
  files: EvidenceManifest['files'],
  plate?: EvidenceManifest['plate'],
): void {
  const { eventId, site, node, camera, capturedAt: createdAt } = event;
  const body = {
    schemaVersion: 1 as const,
    eventId,
    site,
    node,
    camera,
    createdAt,
    files: [...files],
    missing: [],
    ...(plate === undefined ? {} : { plate }),
  };
  commit(site as Site, { channel: 'evidence', body });
}

function beginSession(username: string): string {
  return `ngatu_session=${centre.deps.sessions.beginSession({ username, method: 'password', address: '::1' }).token}`;
}

function addPerson(changes: { roles?: readonly Role[]; areas?: readonly string[] | 'all' } = {}): string {
  count += 1;
  const username = `person-${count}`;
  centre.deps.accounts.createAccount({
    roles: ['reviewer'],
    areas: 'all',
    username,
    passwordHash,
    ...changes,
  });
  return username;
}

beforeAll(async () => {
  centre = await openTestCentre();
  series = await DuckdbSeriesStore.open(`${centre.dataDir}/series.duckdb`);
  passwordHash = await hashPassword(PASSWORD, TEST_PASSWORD_COST);
  centre.deps.areas.replace(TREE);
  const at = new Date(centre.clock.nowMs - 60_000).toISOString();
  for (const [index, site] of SITES.entries()) {
    const camera = `cam-${site}`;
    const event = commitEvent(site);
    const bytes = Buffer.from(`still of ${site}`);
    commitManifest(event, [anEvidenceFile(bytes)], aPlateFinding());
    await centre.storeFile(bytes);
    const state: NodeState = {
      schemaVersion: 1,
      state: 'online',
      bootId: 'boot-1',
      at,
      version: '0.1.0',
      cameras: [camera],
    };
    centre.events.setNodeState(site, 'gate-1', state);
    const drops = [
      { what: 'event', reason: 'outbox-full', droppedAt: at, eventId: event.eventId, sizeBytes: 1 } as const,
    ];
    const report = {
      schemaVersion: 1,
      site,
      node: 'gate-1',
      intervals: [],
      measurements: [],
      drops,
    } as const;
    commit(site, { channel: 'telemetry', body: structuredClone(report) as never });
    centre.events.appendDeadLetters([
      {
        topic: `ngatu/v1/${site}/gate-1/event`,
        code: 'MESSAGE_NOT_JSON',
        reason: 'x',
        payload: Buffer.from('{'),
        receivedAt: at,
      },
    ]);
    commitScreening(site);
    declare(site);
    const origin = { site, node: 'gate-1', camera, outboxId: `${OUTBOX}${index}` };
    const reading = { at, metric: 'waterLevel', value: 1, tags: { sensor: `gauge-${site}` } };
    await series.write([
      { ...origin, seq: 1, ordinal: 0, at, metric: 'lineCount', value: 1 },
      { ...origin, seq: 1, ordinal: 1, ...reading },
      { ...origin, seq: 1, ordinal: 2, at, metric: 'sensorAnomaly', value: 1, tags: findingTags(site) },
    ]);
  }
  app = await buildApi({
    ...centre.deps,
    series,
    singleSignOn: new SingleSignOn(PROVIDER_DOWN, centre.deps.now),
  });
  await app.ready();
}, 60_000);

afterAll(async () => {
  await app.close();
  await series.close();
  await centre[Symbol.asyncDispose]();
});

const findingTags = (site: Site) => ({
  ...{ sensor: `gauge-${site}`, quantity: 'waterLevel', kind: 'anomaly', cause: 'value' },
  ...{ usualLow: '0.2', usualHigh: '0.4' },
});

/** A gate with one passage more, and the address of its passages. */
function commitScreening(site: Site): { readonly screeningId: string; readonly path: string } {
  count += 1;
  const screeningId = `sc-${count.toString(16).padStart(16, '0')}`;
  const result = {
    ...{ schemaVersion: 1, screeningId, gate: 'hall-1', at: instant(-60_000), outcome: 'pass' },
    ...{ instruction: { vi: 'x', en: 'x' }, frames: 6, method: 'inner-canthi', skinC: 35.2 },
  } as const;
  const body = {
    schemaVersion: 1,
    site,
    node: 'gate-1',
    gate: 'hall-1',
    results: [result],
    selfChecks: [],
  } as const;
  commit(site, { channel: 'screening', body: structuredClone(body) as never });
  return { screeningId, path: `/screening/gates/${site}/gate-1/hall-1/passages` };
}

function declare(site: Site): string {
  count += 1;
  const directiveId = `di-${count.toString(16).padStart(32, '0')}`;
  const [from, until] = [0, 3_600_000].map((ms) => new Date(centre.clock.nowMs + ms).toISOString());
  const place = { site, node: `gate-${count}`, camera: `cam-${site}` };
  const record = { directiveId, ...place, kind: 'officer-directing', reason: 'x', declaredBy: 'x' } as const;
  centre.events.directives.declare({
    ...record,
    from: from ?? '',
    until: until ?? '',
    declaredAt: from ?? '',
  });
  return directiveId;
}

function placeHold(eventId: string): string {
  const holdId = `hold-${randomBytes(12).toString('hex')}`;
  const placedAt = new Date(centre.clock.nowMs).toISOString();
  centre.events.privacy.placeHold({ holdId, eventId, reason: 'court', placedBy: 'x', placedAt });
  return holdId;
}

function askOpening(eventId: string): string {
  const openingId = `op-${randomBytes(12).toString('hex')}`;
  const [requestedAt = '', lapsesAt = ''] = [0, 3_600_000].map((ms) =>
    new Date(centre.clock.nowMs + ms).toISOString(),
  );
  centre.events.privacy.requestOpening({
    openingId,
    eventId,
    reason: 'court',
    requestedBy: 'x',
    requestedAt,
    lapsesAt,
  });
  return openingId;
}

/** What one cell asks: as whom, about which site. Everything that it changes is made for it. */
interface Cell {
  readonly site: Site;
  readonly username: string;
}

const reason = 'for the matrix';
const proof = { password: PASSWORD };
const instant = (ms: number) => new Date(centre.clock.nowMs + ms).toISOString();
const caseOf = (site: Site) => `/events/${commitEvent(site).eventId}`;

/** How each route is asked: the address below `/api/v1` and the body. */
const REQUESTS: Readonly<Record<string, (cell: Cell) => readonly [string, unknown?]>> = {
  'POST /api/v1/session': () => ['/session', { username: randomBytes(6).toString('hex'), password: 'x' }],
  'PUT /api/v1/account/password': () => [
    '/account/password',
    { current: PASSWORD, next: 'another long word!' },
  ],
  'POST /api/v1/account/totp': () => ['/account/totp', proof],
  'POST /api/v1/account/totp/confirm': () => ['/account/totp/confirm', { code: '123456' }],
  'POST /api/v1/account/totp/remove': () => ['/account/totp/remove', proof],
  'DELETE /api/v1/account/sessions/{sessionId}': ({ username }) => {
    beginSession(username);
    return [`/account/sessions/${centre.deps.sessions.listSessions(username)[0]?.sessionId}`];
  },
  'POST /api/v1/accounts': () => [
    '/accounts',
    { username: `made-${randomBytes(6).toString('hex')}`, roles: ['analyst'], areas: [], reason },
  ],
  'PUT /api/v1/accounts/{username}': () => [
    `/accounts/${addPerson()}`,
    { roles: ['analyst'], areas: 'all', reason },
  ],
  'POST /api/v1/accounts/{username}/actions': () => [
    `/accounts/${addPerson()}/actions`,
    { action: 'disable', reason },
  ],
  'PUT /api/v1/areas': () => ['/areas', { areas: TREE, reason }],
  'PUT /api/v1/policy': () => ['/policy', { policy: centre.deps.policy.read(), reason }],
  'GET /api/v1/events/{eventId}': ({ site }) => [caseOf(site)],
  'POST /api/v1/events/{eventId}/reviews': ({ site }) => [
    `${caseOf(site)}/reviews`,
    { decision: 'confirmed', reason, expectedReviews: 0 },
  ],
  'GET /api/v1/evidence/{sha256}': ({ site }) => {
    const { sha256 } = anEvidenceFile(Buffer.from(`still of ${site}`));
    return [`/evidence/${sha256}`];
  },
  'GET /api/v1/events/{eventId}/original': ({ site }) => [`${caseOf(site)}/original`],
  'POST /api/v1/events/{eventId}/export': ({ site }) => [
    `${caseOf(site)}/export`,
    { reason: 'For the file' },
  ],
  'POST /api/v1/events/{eventId}/original': ({ site }) => {
    const event = commitEvent(site);
    const clip = { role: 'clip', mediaType: 'video/mp4', codec: 'h264', durationMs: 10_000 } as const;
    commitManifest(event, [anEvidenceFile(Buffer.from(`clip ${event.eventId}`), clip)]);
    return [`/events/${event.eventId}/original`, { reason }];
  },
  'GET /api/v1/events/{eventId}/openings': ({ site }) => [`${caseOf(site)}/openings`],
  'POST /api/v1/events/{eventId}/openings': ({ site }) => [`${caseOf(site)}/openings`, { reason }],
  'POST /api/v1/events/{eventId}/openings/{openingId}/decision': ({ site }) => {
    const { eventId } = commitEvent(site);
    return [`/events/${eventId}/openings/${askOpening(eventId)}/decision`, { decision: 'granted', reason }];
  },
  'GET /api/v1/events/{eventId}/holds': ({ site }) => [`${caseOf(site)}/holds`],
  'POST /api/v1/events/{eventId}/holds': ({ site }) => [`${caseOf(site)}/holds`, { reason }],
  'POST /api/v1/events/{eventId}/holds/{holdId}/end': ({ site }) => {
    const { eventId } = commitEvent(site);
    return [`/events/${eventId}/holds/${placeHold(eventId)}/end`, { reason }];
  },
  'GET /api/v1/sensors': () => ['/sensors'],
  'GET /api/v1/sensors/findings': () => [`/sensors/findings?from=${instant(-7_200_000)}&to=${instant(0)}`],
  'GET /api/v1/series': () => [
    `/series?metric=lineCount&aggregate=sum&stepMs=3600000&from=${instant(-7_200_000)}&to=${instant(0)}`,
  ],
  'GET /api/v1/events/{eventId}/plate': ({ site }) => [`${caseOf(site)}/plate`],
  'POST /api/v1/events/{eventId}/plate/judgements': ({ site }) => [
    `${caseOf(site)}/plate/judgements`,
    { verdict: 'unreadable', reason, expectedJudgements: 0 },
  ],
  'POST /api/v1/plates/search': () => ['/plates/search', { plate: PLATE, reason }],
  'GET /api/v1/cameras/{site}/{node}/{camera}/directives': ({ site }) => [
    `/cameras/${site}/gate-1/cam-${site}/directives`,
  ],
  'POST /api/v1/cameras/{site}/{node}/{camera}/directives': ({ site }) => [
    `/cameras/${site}/gate-1/cam-${site}/directives`,
    { kind: 'officer-directing', until: instant(900_000), reason },
  ],
  'GET /api/v1/screening/gates/{site}/{node}/{gate}/passages': ({ site }) => [commitScreening(site).path],
  'PUT /api/v1/screening/gates/{site}/{node}/{gate}/passages/{screeningId}/reading': ({ site }) => {
    const { path, screeningId } = commitScreening(site);
    return [`${path}/${screeningId}/reading`, { celsius: 37.2, place: 'oral' }];
  },
  'POST /api/v1/directives/{directiveId}/end': ({ site }) => [`/directives/${declare(site)}/end`, { reason }],
};

function buildRequest(route: string, cell: Cell, cookie: string | undefined): InjectOptions {
  const [method = '', path = ''] = route.split(' ');
  const [url, payload] = REQUESTS[route]?.(cell) ?? [path.replace('/api/v1', '')];
  count += 1;
  return {
    method: method as 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: `/api/v1${url}`,
    headers: { ...ORIGIN, ...(cookie === undefined ? {} : { cookie }) },
    // Each asks from its own desk, or the limits of rate would answer.
    remoteAddress: `10.${(count >> 16) & 255}.${(count >> 8) & 255}.${count & 255}`,
    ...(payload === undefined ? {} : { payload: payload as object }),
  };
}

async function listRoutes(): Promise<string[]> {
  const document = (await app.inject({ url: '/api/openapi.json' })).json();
  return Object.entries<Record<string, unknown>>(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
}

/** The stream is read until it has told all that it has to tell: `alive` comes only then. */
async function readStream(request: InjectOptions): Promise<{ statusCode: number; body: string }> {
  const response = await app.inject({
    ...request,
    headers: { ...request.headers, 'last-event-id': '0' },
    payloadAsStream: true,
  });
  const stream = response.stream();
  let body = '';
  for await (const chunk of stream) {
    body += String(chunk);
    if (response.statusCode !== 200 || body.includes('event: alive')) break;
    if (body.includes('event: ready')) centre.clock.nowMs += 15_000;
  }
  stream.destroy();
  return { statusCode: response.statusCode, body };
}

function ask(route: string, request: InjectOptions): Promise<{ statusCode: number; body: string }> {
  return route === 'GET /api/v1/events/stream' ? readStream(request) : app.inject(request);
}

it('has a rule for every route, and a route for every rule', async () => {
  expect((await listRoutes()).sort()).toEqual(Object.keys(ACCESS_RULES).sort());
});

function expectedStatus(rule: AccessRule, role: Role, isInside: boolean): number {
  const roles = readRoles(rule.roles);
  if (roles !== 'public' && !roles.includes(role)) return 403;
  return isInside ? rule.status : (rule.outside ?? rule.status);
}

it.each(ROLES)(
  'lets a %s do what the table says, in every scope',
  async (role) => {
    const wrong: string[] = [];
    for (const { areas, sites } of SCOPES) {
      for (const [route, rule] of Object.entries(ACCESS_RULES)) {
        for (const site of rule.scope === 'one' ? SITES : SITES.slice(0, 1)) {
          const username = addPerson({ roles: [role], areas });
          const cookie = beginSession(username);
          const answer = await ask(route, buildRequest(route, { site, username }, cookie));
          const expected = expectedStatus(rule, role, sites.includes(site) || rule.scope !== 'one');
          const cell = `${role} of ${areas} about ${site}: ${route}`;
          if (answer.statusCode !== expected)
            wrong.push(`${cell}: ${answer.statusCode}, not ${expected}: ${answer.body.slice(0, 200)}`);
          if (rule.scope === 'many' && answer.statusCode === 200) {
            const seen = SITES.filter((name) => answer.body.includes(name));
            if (route === 'GET /api/v1/openings' ? seen.length > 0 : seen.join() !== sites.join())
              wrong.push(`${cell}: shows ${seen.join() || 'nothing'}, not ${sites.join() || 'nothing'}`);
          }
        }
      }
    }
    expect(wrong).toEqual([]);
  },
  60_000,
);

const needsSession = Object.entries(ACCESS_RULES).filter(([, { roles }]) => roles !== 'public');

it('answers 401 to nobody, to a forged cookie and to an account that was disabled', async () => {
  const disabled = addPerson({ roles: ROLES });
  const cookie = beginSession(disabled);
  centre.deps.accounts.setDisabled(disabled, true);
  const cell = { site: SITES[0], username: addPerson() };
  for (const [route] of needsSession) {
    for (const shown of [undefined, `ngatu_session=${'A'.repeat(43)}`, cookie]) {
      const answer = await app.inject(buildRequest(route, cell, shown));
      expect([answer.statusCode, answer.json().code], route).toEqual([401, 'UNAUTHENTICATED']);
    }
  }
});

it('keeps who has something to do first from everything else, whatever the roles', async () => {
  const username = addPerson({ roles: ROLES });
  centre.deps.accounts.replacePassword(username, { hash: passwordHash, mustChange: true });
  for (const [route, { isForIncomplete }] of needsSession) {
    const answer = await app.inject(
      buildRequest(route, { site: SITES[0], username }, beginSession(username)),
    );
    const isStopped = answer.statusCode === 403 && answer.json().code === 'ACCOUNT_INCOMPLETE';
    expect(isStopped, route).toBe(isForIncomplete !== true);
    centre.deps.accounts.replacePassword(username, { hash: passwordHash, mustChange: true });
  }
});

it('takes nothing that changes something from another site, or from no page', async () => {
  const username = addPerson({ roles: ROLES });
  const cookie = beginSession(username);
  const foreign = [
    { host: HOST },
    { host: HOST, origin: 'null' },
    { host: HOST, origin: 'http://127.é' },
    { host: HOST, origin: 'http://evil.test' },
    { host: HOST, origin: `https://${HOST}:8443` },
    { ...ORIGIN, 'sec-fetch-site': 'cross-site' },
    { ...ORIGIN, 'sec-fetch-site': 'same-site' },
  ];
  for (const route of Object.keys(ACCESS_RULES).filter((name) => !name.startsWith('GET'))) {
    const request = buildRequest(route, { site: SITES[0], username }, cookie);
    for (const headers of foreign) {
      const answer = await app.inject({ ...request, headers: { ...headers, cookie } });
      expect([answer.statusCode, answer.json().code], `${route} ${JSON.stringify(headers)}`).toEqual([
        403,
        'FORBIDDEN',
      ]);
    }
  }
});

it('gives an analyst no picture and no case', async () => {
  // The newest case, with a picture that has arrived.
  commitManifest(commitEvent('site-east'), [anEvidenceFile(Buffer.from('still of site-east'))]);
  const cookie = beginSession(addPerson({ roles: ['analyst'] }));
  const list = await app.inject({ url: '/api/v1/events?letPass=with', headers: { cookie } });
  expect(list.json().items.length).toBeGreaterThan(1);
  expect(list.body).not.toMatch(/[0-9a-f]{64}/);
  const reviewer = beginSession(addPerson({ roles: ['reviewer'] }));
  const full = await app.inject({ url: '/api/v1/events?limit=200', headers: { cookie: reviewer } });
  expect(full.body).toMatch(/"stillSha256":"[0-9a-f]{64}"/);
});

it('shows a plate in a list to nobody, and a part of it only to who may open cases', async () => {
  const file = anEvidenceFile(Buffer.from('still of site-east'));
  commitManifest(commitEvent('site-east'), [file], aPlateFinding());
  for (const role of ROLES) {
    const headers = { cookie: beginSession(addPerson({ roles: [role] })) };
    const list = await app.inject({ url: '/api/v1/events?limit=200', headers });
    expect(list.body, role).not.toContain(PLATE);
    const mayOpen = ['reviewer', 'supervisor', 'auditor'].includes(role);
    expect(list.body.includes('99Z-•••99'), role).toBe(mayOpen);
  }
});

it('adds up what several roles may do', async () => {
  const cookie = beginSession(addPerson({ roles: ['operator', 'analyst'] }));
  for (const [url, status] of [
    ['/nodes', 200],
    ['/events', 200],
    ['/audit', 403],
  ] as const) {
    expect((await app.inject({ url: `/api/v1${url}`, headers: { cookie } })).statusCode, url).toBe(status);
  }
});

it('is told in docs/access.md as the code has it', async () => {
  const path = fileURLToPath(new URL('../../../docs/access.md', import.meta.url));
  const text = await readFile(path, 'utf8');
  for (const [name, roles] of Object.entries(MAY)) {
    const marks = ROLES.map((role) => ((roles as readonly Role[]).includes(role) ? '●' : ' '));
    expect(text, name).toContain(`| \`${name}\` | ${marks.join(' | ')} |`);
  }
});

it('refuses a route that does not say who may use it', async () => {
  const bare = Fastify() as unknown as ApiApp;
  guardSessions(bare, centre.deps);
  expect(() => bare.get('/unruled', async () => 'secret')).toThrow(/does not say who may use it/);
  await bare.close();
});
