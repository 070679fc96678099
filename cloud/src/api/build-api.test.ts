import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ERROR_CODES, NgatuError } from '@ngatu/contract';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { InjectOptions } from 'fastify';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hashPassword } from '../account/password.ts';
import { SESSION_IDLE_MS, SESSION_LIFETIME_MS } from '../account/session-store.ts';
import { DuckdbSeriesStore } from '../store/duckdb-series-store.ts';
import { RemoteSeriesStore } from '../store/remote-series-store.ts';
import type { ApiApp } from './api-app.ts';
import { ApiError } from './api-schema.ts';
import {
  anEvent,
  anEvidenceFile,
  eventIdOf,
  openTestCentre,
  TEST_PASSWORD_COST,
  type TestCentre,
} from './api-test-centre.ts';
import { buildApi } from './build-api.ts';

const PASSWORD = 'correct horse battery staple';
const HOST = 'centre.test';
const SAME_ORIGIN = { origin: `http://${HOST}`, host: HOST };
const ERROR_SHAPE = TypeCompiler.Compile(ApiError);

let passwordHash: string;
let centre: TestCentre;
let app: ApiApp;

beforeAll(async () => {
  passwordHash = await hashPassword(PASSWORD, TEST_PASSWORD_COST);
});

beforeEach(async () => {
  centre = await openTestCentre();
  centre.addAccount('lan', 'reviewer', passwordHash);
  centre.addAccount('minh', 'supervisor', passwordHash);
  centre.addAccount('tuan', 'operator', passwordHash);
  app = await buildApi(centre.deps);
  await app.ready();
});

afterEach(async () => {
  await app.close();
  await centre[Symbol.asyncDispose]();
});

function inject(options: InjectOptions) {
  return app.inject({ ...options, headers: { ...SAME_ORIGIN, ...options.headers } });
}

function attempt(username: string, password: string) {
  return inject({ method: 'POST', url: '/api/v1/session', payload: { username, password } });
}

/** The cookie of a new session. */
async function signIn(username = 'lan'): Promise<Record<string, string>> {
  const response = await attempt(username, PASSWORD);
  expect(response.statusCode).toBe(200);
  const cookie = response.cookies.find(({ name }) => name === 'ngatu_session');
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/' });
  return { cookie: `ngatu_session=${cookie?.value}` };
}

function expectRefusal(
  response: { statusCode: number; body: string },
  status: number,
  code: string,
): ApiError {
  const body: unknown = JSON.parse(response.body);
  expect(body).toMatchObject({ code });
  expect(response.statusCode).toBe(status);
  if (!ERROR_SHAPE.Check(body)) throw new Error(`not the one shape of errors: ${response.body}`);
  return body;
}

describe('session', () => {
  it('signs in, tells who is signed in, and signs out', async () => {
    expect((await inject({ url: '/api/v1/session' })).json()).toEqual({});
    const session = await signIn();
    const account = (await inject({ url: '/api/v1/session', headers: session })).json().account;
    expect(account).toEqual({
      username: 'lan',
      roles: ['reviewer'],
      areas: 'all',
      method: 'password',
      expiresAt: new Date(centre.clock.nowMs + SESSION_LIFETIME_MS).toISOString(),
    });
    const out = await inject({ method: 'DELETE', url: '/api/v1/session', headers: session });
    expect(out.statusCode).toBe(204);
    expect(out.headers['clear-site-data']).toBe('"cache"');
    expectRefusal(await inject({ url: '/api/v1/events', headers: session }), 401, 'UNAUTHENTICATED');
    const trail = centre.deps.audit.list(10).map(({ actor, action }) => ({ actor, action }));
    expect(trail).toEqual([
      { actor: 'lan', action: 'sign-out' },
      { actor: 'lan', action: 'sign-in' },
    ]);
  });

  it('gives the same answer to a wrong password and an unknown user', async () => {
    const wrong = await attempt('lan', 'nonsense');
    const unknown = await attempt('nobody', 'nonsense');
    expectRefusal(wrong, 401, 'CREDENTIALS_INVALID');
    expect(unknown.json()).toEqual(wrong.json());
    const [second, first] = centre.deps.audit.list(2);
    expect(first).toMatchObject({ actor: 'lan', action: 'sign-in-refused' });
    expect(second).toMatchObject({ action: 'sign-in-refused' });
    expect(second).not.toHaveProperty('actor');
  });

  it('locks out after five wrong passwords, longer each time, and lets in again', async () => {
    for (let count = 0; count < 5; count += 1) {
      expectRefusal(await attempt('lan', 'nonsense'), 401, 'CREDENTIALS_INVALID');
    }
    const locked = await attempt('lan', PASSWORD);
    expectRefusal(locked, 429, 'RATE_LIMITED');
    expect(locked.headers['retry-after']).toBe('2');
    centre.clock.nowMs += 2_000;
    expectRefusal(await attempt('lan', 'nonsense'), 401, 'CREDENTIALS_INVALID');
    expect((await attempt('lan', PASSWORD)).headers['retry-after']).toBe('4');
    centre.clock.nowMs += 4_000;
    await signIn('lan');
  });

  it('ends after twelve hours, and earlier when idle; polling does not keep it alive', async () => {
    const used = await signIn();
    const polled = await signIn('minh');
    const start = centre.clock.nowMs;
    const step = SESSION_IDLE_MS / 2;
    for (let at = start + step; at < start + SESSION_LIFETIME_MS; at += step) {
      centre.clock.nowMs = at;
      expect((await inject({ url: '/api/v1/cameras', headers: used })).statusCode).toBe(200);
      const background = await inject({
        url: '/api/v1/cameras',
        headers: { ...polled, 'x-ngatu-background': '1' },
      });
      expect(background.statusCode).toBe(at < start + SESSION_IDLE_MS ? 200 : 401);
    }
    centre.clock.nowMs = start + SESSION_LIFETIME_MS;
    expectRefusal(await inject({ url: '/api/v1/cameras', headers: used }), 401, 'UNAUTHENTICATED');
  });

  it('keeps only the digest of a token and no password', async () => {
    const { cookie } = await signIn();
    const files = await readdir(centre.dataDir);
    const stored = await Promise.all(
      files
        .filter((name) => name.startsWith('accounts.sqlite'))
        .map((name) => readFile(`${centre.dataDir}/${name}`)),
    );
    expect(stored.length).toBeGreaterThan(0);
    const token = cookie?.slice('ngatu_session='.length) ?? '';
    expect(token.length).toBe(43);
    for (const bytes of stored) {
      expect(bytes.includes(token)).toBe(false);
      expect(bytes.includes(PASSWORD)).toBe(false);
    }
    expect(stored.some((bytes) => bytes.includes('$argon2id$'))).toBe(true);
  });
});

describe('requests from elsewhere', () => {
  it('refuses what changes something and comes from another origin, or from none', async () => {
    const session = await signIn();
    const url = `/api/v1/events/${eventIdOf(1)}/reviews`;
    centre.commitEvent(anEvent(1));
    const payload = { decision: 'confirmed', reason: 'clear', expectedReviews: 0 };
    for (const origin of ['http://evil.test', 'null', `http://${HOST}:81`]) {
      const response = await inject({ method: 'POST', url, payload, headers: { ...session, origin } });
      expectRefusal(response, 403, 'FORBIDDEN');
    }
    const none = await app.inject({ method: 'POST', url, payload, headers: { ...session, host: HOST } });
    expectRefusal(none, 403, 'FORBIDDEN');
    expect(centre.events.getEvent(eventIdOf(1))?.reviews).toEqual([]);
    expect((await inject({ method: 'POST', url, payload, headers: session })).statusCode).toBe(201);
  });

  it('takes the public address where there is one, with a secure cookie', async () => {
    const proxied = await buildApi({ ...centre.deps, publicUrl: 'https://ngatu.example' });
    try {
      const request = {
        method: 'POST',
        url: '/api/v1/session',
        payload: { username: 'lan', password: PASSWORD },
      } as const;
      expectRefusal(await proxied.inject({ ...request, headers: SAME_ORIGIN }), 403, 'FORBIDDEN');
      const good = await proxied.inject({
        ...request,
        headers: { origin: 'https://ngatu.example', host: HOST },
      });
      expect(good.cookies[0]).toMatchObject({ secure: true, sameSite: 'Strict' });
    } finally {
      await proxied.close();
    }
  });

  it('sends the security headers with every answer, refusals too', async () => {
    for (const url of ['/api/v1/health', '/api/v1/events', '/nowhere', '/api/docs']) {
      const { headers } = await inject({ url });
      expect(headers['content-security-policy'], url).toContain("default-src 'none'");
      expect(headers['content-security-policy'], url).not.toContain('unsafe');
      expect(headers['x-content-type-options'], url).toBe('nosniff');
    }
  });
});

describe('refusals', () => {
  it('names the place of each bad body, query and parameter', async () => {
    const session = await signIn();
    const review = `/api/v1/events/${eventIdOf(1)}/reviews`;
    const good = { decision: 'confirmed', reason: 'clear', expectedReviews: 0 };
    const cases: [InjectOptions, string][] = [
      [{ url: '/api/v1/events?limit=0' }, '/query/limit'],
      [{ url: '/api/v1/events?limit=many' }, '/query/limit'],
      [{ url: '/api/v1/events?kinds=PARKING' }, '/query/kinds/0'],
      [{ url: '/api/v1/events?cameras=No%20Slug' }, '/query/cameras/0'],
      [{ url: '/api/v1/events?review=done' }, '/query/review'],
      [{ url: '/api/v1/events?from=yesterday' }, '/query/from'],
      [{ url: '/api/v1/events?to=2025-13-40T00:00:00.000Z' }, '/query/to'],
      [{ url: '/api/v1/events?cursor=nonsense' }, '/query/cursor'],
      [{ url: '/api/v1/events?unknown=1' }, '/query/unknown'],
      [{ url: '/api/v1/events/ev-1' }, '/params/eventId'],
      [{ url: '/api/v1/evidence/abc' }, '/params/sha256'],
      [{ url: '/api/v1/cameras?from=2025-11-22T00:00:00.000Z&to=2025-11-21T00:00:00.000Z' }, '/query/from'],
      [{ url: '/api/v1/cameras?from=2025-01-01T00:00:00.000Z' }, '/query/from'],
      [{ url: '/api/v1/cameras?buckets=97' }, '/query/buckets'],
      [{ url: '/api/v1/series?metric=fps&aggregate=mean&stepMs=60000' }, '/query/from'],
      [
        {
          url: '/api/v1/series?metric=fps&aggregate=mean&stepMs=1000&from=2025-01-01T00:00:00.000Z&to=2025-02-01T00:00:00.000Z',
        },
        '/query/stepMs',
      ],
      [{ method: 'POST', url: review, payload: { ...good, decision: 'maybe' } }, '/body/decision'],
      [{ method: 'POST', url: review, payload: { ...good, reason: 'no' } }, '/body/reason'],
      [{ method: 'POST', url: review, payload: { ...good, reason: ' n    ' } }, '/body/reason'],
      [{ method: 'POST', url: review, payload: { ...good, reason: 'x'.repeat(501) } }, '/body/reason'],
      [{ method: 'POST', url: review, payload: { ...good, reason: 12345 } }, '/body/reason'],
      [{ method: 'POST', url: review, payload: { ...good, expectedReviews: -1 } }, '/body/expectedReviews'],
      [{ method: 'POST', url: review, payload: { ...good, penalty: 1 } }, '/body/penalty'],
      [{ method: 'POST', url: review, payload: [] }, '/body'],
      [{ method: 'POST', url: review }, '/body'],
      [
        { method: 'POST', url: '/api/v1/session', payload: { username: '', password: 'x' } },
        '/body/username',
      ],
    ];
    centre.commitEvent(anEvent(1));
    for (const [request, path] of cases) {
      const response = await inject({ ...request, headers: session });
      const { details } = expectRefusal(response, 400, 'REQUEST_INVALID');
      expect(details, request.url as string).toMatchObject({
        issues: expect.arrayContaining([expect.objectContaining({ path })]),
      });
    }
    expect(centre.events.getEvent(eventIdOf(1))?.reviews).toEqual([]);
  });

  it('refuses what is no JSON, too large or of another type in the one shape', async () => {
    const request = { method: 'POST', url: '/api/v1/session' } as const;
    const json = { 'content-type': 'application/json' };
    expectRefusal(
      await inject({ ...request, payload: '{"username"', headers: json }),
      400,
      'REQUEST_INVALID',
    );
    expectRefusal(
      await inject({ ...request, payload: `"${'x'.repeat(20_000)}"`, headers: json }),
      413,
      'REQUEST_INVALID',
    );
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expectRefusal(
      await inject({ ...request, payload: 'username=lan', headers: form }),
      415,
      'REQUEST_INVALID',
    );
    expectRefusal(await inject({ url: '/api/v1/events/%E0%A4%A' }), 400, 'REQUEST_INVALID');
    expectRefusal(await inject({ url: '/api/v1/nothing' }), 404, 'NOT_FOUND');
    expectRefusal(await inject({ url: '/nothing' }), 404, 'NOT_FOUND');
  });

  it('says NOT_FOUND of an unknown event', async () => {
    const session = await signIn();
    expectRefusal(
      await inject({ url: `/api/v1/events/${eventIdOf(9)}`, headers: session }),
      404,
      'NOT_FOUND',
    );
    const payload = { decision: 'rejected', reason: 'nothing there', expectedReviews: 0 };
    const review = {
      method: 'POST',
      url: `/api/v1/events/${eventIdOf(9)}/reviews`,
      payload,
      headers: session,
    } as const;
    expectRefusal(await inject(review), 404, 'NOT_FOUND');
  });

  it('keeps what it knows of an unforeseen failure to itself', async () => {
    const lines: string[] = [];
    const { pino } = await import('pino');
    const logger = pino({}, { write: (line: string) => void lines.push(line) });
    const secret = 'the key lies in /etc/secret';
    const events = Object.create(centre.events, {
      listEvents: { value: () => expect.fail(secret) },
      listNodes: {
        value: () => {
          throw new NgatuError('STORE_UNAVAILABLE', secret);
        },
      },
    });
    const broken = await buildApi({ ...centre.deps, events, logger });
    try {
      const session = await signIn();
      const internal = await broken.inject({ url: '/api/v1/events', headers: session });
      expectRefusal(internal, 500, 'INTERNAL');
      const unavailable = await broken.inject({ url: '/api/v1/cameras', headers: session });
      expectRefusal(unavailable, 503, 'STORE_UNAVAILABLE');
      expect(internal.body + unavailable.body).not.toContain('secret');
      expect(lines.join()).toContain(secret);
    } finally {
      await broken.close();
    }
  });

  it('answers 429 to a flood', async () => {
    let last = await inject({ url: '/api/v1/health' });
    for (let count = 0; count < 61; count += 1) {
      last = await inject({ method: 'POST', url: '/api/v1/session', payload: {} });
    }
    expectRefusal(last, 429, 'RATE_LIMITED');
    expect(Number(last.headers['retry-after'])).toBeGreaterThan(0);
  });
});

describe('routes of the OpenAPI document', () => {
  const PUBLIC = new Set(['GET /api/v1/health', 'GET /api/v1/session', 'POST /api/v1/session']);

  it('answer 401 without a session, except those on the list', async () => {
    const document = (await inject({ url: '/api/openapi.json' })).json();
    const routes = Object.entries<Record<string, unknown>>(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(routes.length).toBeGreaterThanOrEqual(12);
    expect(routes).toEqual(expect.arrayContaining([...PUBLIC]));
    for (const route of routes) {
      const [method, path] = route.split(' ') as ['GET' | 'POST' | 'DELETE', string];
      const url = path.replace('{eventId}', eventIdOf(1)).replace('{sha256}', 'a'.repeat(64));
      const response = await inject({ method, url });
      if (PUBLIC.has(route)) expect(response.statusCode, route).not.toBe(401);
      else expectRefusal(response, 401, 'UNAUTHENTICATED');
      const forged = await inject({ method, url, headers: { cookie: `ngatu_session=${'A'.repeat(43)}` } });
      if (!PUBLIC.has(route)) expectRefusal(forged, 401, 'UNAUTHENTICATED');
    }
  });

  it('has a page to read it', async () => {
    const page = await inject({ url: '/api/docs/' });
    expect(page.statusCode).toBe(200);
    expect(page.body).toContain('swagger');
  });

  it('refers only to schemas that it holds', async () => {
    const text = (await inject({ url: '/api/openapi.json' })).body;
    const { components } = JSON.parse(text);
    const references = [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name);
    expect(references.length).toBeGreaterThan(10);
    for (const name of references) expect(Object.keys(components.schemas)).toContain(name);
  });
});

describe('events', () => {
  it('lists newest first and filters by kind, camera, state and time', async () => {
    const session = await signIn();
    for (let number = 1; number <= 6; number += 1) {
      centre.commitEvent(
        anEvent(number, {
          kind: number % 2 === 0 ? 'STOP_LINE' : 'RED_LIGHT',
          camera: number <= 3 ? 'junction-north' : 'junction-south',
        }),
      );
    }
    const ids = async (query: string) => {
      const response = await inject({ url: `/api/v1/events?${query}`, headers: session });
      expect(response.statusCode).toBe(200);
      return response
        .json()
        .items.map(({ eventId }: { eventId: string }) => Number.parseInt(eventId.slice(3), 16));
    };
    expect(await ids('')).toEqual([6, 5, 4, 3, 2, 1]);
    expect(await ids('kinds=STOP_LINE')).toEqual([6, 4, 2]);
    expect(await ids('kinds=STOP_LINE&kinds=RED_LIGHT&cameras=junction-south')).toEqual([6, 5, 4]);
    expect(await ids(`from=${anEvent(2).capturedAt}&to=${anEvent(4).capturedAt}`)).toEqual([3, 2]);
    centre.events.appendReview(
      eventIdOf(5),
      { decision: 'rejected', reason: 'unclear', reviewer: 'lan', decidedAt: '2025-11-22T04:00:00.000Z' },
      0,
    );
    expect(await ids('review=open')).toEqual([6, 4, 3, 2, 1]);
    expect(await ids('review=rejected')).toEqual([5]);
  });

  it('pages without repeating or missing an event while new ones arrive', async () => {
    const session = await signIn();
    for (let number = 1; number <= 25; number += 1) centre.commitEvent(anEvent(number * 2));
    const seen: string[] = [];
    let cursor: string | undefined;
    let arriving = 100;
    do {
      const query = cursor === undefined ? 'limit=4' : `limit=4&cursor=${encodeURIComponent(cursor)}`;
      const page = (await inject({ url: `/api/v1/events?${query}`, headers: session })).json();
      seen.push(...page.items.map(({ eventId }: { eventId: string }) => eventId));
      cursor = page.nextCursor;
      arriving += 1;
      centre.commitEvent(anEvent(arriving));
    } while (cursor !== undefined);
    const before = Array.from({ length: 25 }, (_, index) => eventIdOf((25 - index) * 2));
    expect(seen).toEqual(before);
  });

  it('shows a case with its evidence and records who read it', async () => {
    const session = await signIn();
    const event = anEvent(1);
    const bytes = Buffer.from('a still');
    const file = anEvidenceFile(bytes);
    centre.commitEvent(event);
    const url = `/api/v1/events/${event.eventId}`;
    expect((await inject({ url, headers: session })).json()).not.toHaveProperty('evidence');
    centre.commitManifest(event, [file], {
      missing: [{ role: 'clip', reason: 'the ring no longer held the time' }],
    });
    const waiting = (await inject({ url, headers: session })).json();
    expect(waiting.event).toEqual(event);
    expect(waiting.review).toBe('open');
    expect(waiting.evidence.files).toEqual([{ ...file, arrived: false }]);
    expect(waiting.evidence.missing).toEqual([{ role: 'clip', reason: 'the ring no longer held the time' }]);
    await centre.storeFile(bytes);
    expect((await inject({ url, headers: session })).json().evidence.files[0].arrived).toBe(true);
    const reads = centre.deps.audit.list(10).filter(({ action }) => action === 'event-read');
    expect(reads).toHaveLength(3);
    expect(reads[0]).toMatchObject({ actor: 'lan', target: event.eventId, at: '2025-11-22T04:00:00.000Z' });
  });
});

it('shows nothing whose reading cannot be recorded', async () => {
  const session = await signIn();
  centre.commitEvent(anEvent(1));
  const refuse = () => {
    throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
  };
  const audit = Object.create(centre.deps.audit, { append: { value: refuse } });
  const blind = await buildApi({ ...centre.deps, audit });
  try {
    const url = `/api/v1/events/${eventIdOf(1)}`;
    expectRefusal(await blind.inject({ url, headers: session }), 503, 'STORE_UNAVAILABLE');
  } finally {
    await blind.close();
  }
});

describe('reviews', () => {
  it('decides a case once; who comes second learns what the first decided', async () => {
    const [lan, minh] = [await signIn('lan'), await signIn('minh')];
    centre.commitEvent(anEvent(1));
    const decide = (session: Record<string, string>, decision: string, expectedReviews: number) =>
      inject({
        method: 'POST',
        url: `/api/v1/events/${eventIdOf(1)}/reviews`,
        payload: { decision, reason: '  clear in the stills ', expectedReviews },
        headers: session,
      });
    const first = await decide(lan, 'confirmed', 0);
    expect(first.statusCode).toBe(201);
    const review = {
      decision: 'confirmed',
      reason: 'clear in the stills',
      reviewer: 'lan',
      decidedAt: '2025-11-22T04:00:00.000Z',
    };
    expect(first.json()).toMatchObject({ review: 'confirmed', reviews: [review] });
    const late = expectRefusal(await decide(minh, 'rejected', 0), 409, 'REVIEW_CONFLICT');
    expect(late.details).toEqual({ reviews: [review] });
    const informed = await decide(minh, 'rejected', 1);
    expect(informed.json()).toMatchObject({ review: 'rejected', reviews: [review, { reviewer: 'minh' }] });
    const trail = centre.deps.audit.list(10).filter(({ action }) => action === 'review');
    expect(trail.map(({ actor, detail }) => `${actor} ${detail}`)).toEqual([
      'minh rejected: appended',
      'minh rejected: conflict',
      'lan confirmed: appended',
    ]);
  });
});

describe('evidence files', () => {
  const bytes = Buffer.from(Array.from({ length: 1_000 }, (_, index) => index % 251));

  async function storeAnnounced(): Promise<{ url: string; sha256: string }> {
    const file = anEvidenceFile(bytes, {
      role: 'preview',
      mediaType: 'video/mp4',
      codec: 'h264',
      durationMs: 10_000,
    });
    centre.commitEvent(anEvent(1));
    centre.commitManifest(anEvent(1), [file]);
    await centre.storeFile(bytes);
    return { url: `/api/v1/evidence/${file.sha256}`, sha256: file.sha256 };
  }

  it('sends the whole file with the type of its manifest, and 304 to who has it', async () => {
    const session = await signIn();
    const { url, sha256 } = await storeAnnounced();
    const whole = await inject({ url, headers: session });
    expect(whole.statusCode).toBe(200);
    expect(whole.rawPayload.equals(bytes)).toBe(true);
    expect(whole.headers).toMatchObject({
      'content-type': 'video/mp4',
      'content-length': '1000',
      'accept-ranges': 'bytes',
      etag: `"${sha256}"`,
      'cache-control': 'private, no-cache',
    });
    const again = await inject({ url, headers: { ...session, 'if-none-match': `"${sha256}"` } });
    expect(again.statusCode).toBe(304);
    expect(again.body).toBe('');
    const reads = centre.deps.audit.list(5).filter(({ action }) => action === 'evidence-read');
    expect(reads).toHaveLength(2);
    expect(reads[0]).toMatchObject({ actor: 'lan', target: sha256, detail: `${eventIdOf(1)} preview` });
  });

  it.each([
    ['bytes=0-0', 206, 0, 0],
    ['bytes=10-19', 206, 10, 19],
    ['bytes=990-', 206, 990, 999],
    ['bytes=990-5000', 206, 990, 999],
    ['bytes=-5', 206, 995, 999],
    ['bytes=-5000', 206, 0, 999],
    ['bytes=5-2', 200, 0, 999],
    ['bytes=0-1,5-6', 200, 0, 999],
    ['lines=1-2', 200, 0, 999],
    ['bytes=-', 200, 0, 999],
  ])('answers %s with %i', async (range, status, start, end) => {
    const session = await signIn();
    const { url } = await storeAnnounced();
    const response = await inject({ url, headers: { ...session, range } });
    expect(response.statusCode).toBe(status);
    expect(response.rawPayload.equals(bytes.subarray(start, end + 1))).toBe(true);
    expect(response.headers['content-length']).toBe(String(end - start + 1));
    if (status === 206) expect(response.headers['content-range']).toBe(`bytes ${start}-${end}/1000`);
  });

  it('refuses a range outside the file and ignores one for another version', async () => {
    const session = await signIn();
    const { url } = await storeAnnounced();
    for (const range of ['bytes=1000-', 'bytes=-0']) {
      const outside = await inject({ url, headers: { ...session, range } });
      expectRefusal(outside, 416, 'REQUEST_INVALID');
      expect(outside.headers['content-range']).toBe('bytes */1000');
    }
    const stale = await inject({ url, headers: { ...session, range: 'bytes=0-1', 'if-range': '"other"' } });
    expect(stale.statusCode).toBe(200);
  });

  it('shows only what a manifest announced and what has arrived', async () => {
    const session = await signIn();
    const stray = await centre.storeFile(Buffer.from('not announced'));
    expectRefusal(
      await inject({ url: `/api/v1/evidence/${stray}`, headers: session }),
      404,
      'EVIDENCE_UNKNOWN',
    );
    const file = anEvidenceFile(Buffer.from('on its way'));
    centre.commitEvent(anEvent(2));
    centre.commitManifest(anEvent(2), [file]);
    expectRefusal(
      await inject({ url: `/api/v1/evidence/${file.sha256}`, headers: session }),
      404,
      'NOT_FOUND',
    );
    expect(centre.deps.audit.list(10).some(({ action }) => action === 'evidence-read')).toBe(false);
  });
});

it('exports no case that carries no seal', async () => {
  const session = await signIn('minh');
  centre.commitEvent(anEvent(1));
  const url = `/api/v1/events/${eventIdOf(1)}/export`;
  const answer = await inject({ method: 'POST', url, payload: { reason: 'court' }, headers: session });
  expectRefusal(answer, 409, 'SEAL_MISSING');
});

describe('fleet', () => {
  const interval = (
    fromMs: number,
    toMs: number,
    state: 'analysed' | 'blind' | 'degraded',
    reason?: 'camera-stalled',
  ) => ({
    from: new Date(centre.clock.nowMs + fromMs).toISOString(),
    to: new Date(centre.clock.nowMs + toMs).toISOString(),
    state,
    ...(reason === undefined ? {} : { reason }),
    framesDecoded: 10,
    framesAnalysed: state === 'blind' ? 0 : 10,
    framesDropped: 0,
  });
  const nodeState = (state: 'online' | 'offline') => ({
    schemaVersion: 1 as const,
    state,
    bootId: 'boot-1',
    at: new Date(centre.clock.nowMs).toISOString(),
    version: '0.1.0',
    cameras: ['junction-north', 'never-seen'],
  });

  it('tells looking from not looking, in shares, a timeline and now', async () => {
    const session = await signIn();
    centre.events.setNodeState('hanoi', 'gate-1', nodeState('online'));
    centre.commitIntervals('junction-north', [
      interval(-3_600_000, -1_800_000, 'analysed'),
      interval(-1_800_000, -600_000, 'blind', 'camera-stalled'),
      interval(-600_000, -1_000, 'analysed'),
    ]);
    const from = new Date(centre.clock.nowMs - 7_200_000).toISOString();
    const url = `/api/v1/cameras?from=${from}&buckets=12`;
    const report = (await inject({ url, headers: session })).json();
    const [north, never] = report.cameras;
    expect(north).toMatchObject({
      camera: 'junction-north',
      now: 'analysed',
      nodeState: 'online',
      analysedMs: 2_399_000,
      blindMs: 1_200_000,
      unreportedMs: 3_601_000,
      blindByReason: { 'camera-stalled': 1_200_000 },
    });
    expect(north.gaps).toHaveLength(1);
    expect(north.timeline.map(({ blindMs }: { blindMs: number }) => blindMs)).toEqual([
      0, 0, 0, 0, 0, 0, 0, 0, 0, 600_000, 600_000, 0,
    ]);
    expect(never).toMatchObject({ camera: 'never-seen', now: 'unreported', unreportedMs: 7_200_000 });
    expect(never.timeline).toHaveLength(12);

    centre.events.setNodeState('hanoi', 'gate-1', nodeState('offline'));
    expect((await inject({ url, headers: session })).json().cameras[0]).toMatchObject({ now: 'unreported' });
    centre.events.setNodeState('hanoi', 'gate-1', nodeState('online'));
    centre.clock.nowMs += 120_000;
    expect((await inject({ url, headers: session })).json().cameras[0]).toMatchObject({ now: 'unreported' });
  });

  it('lists the nodes with the holes in their numbers', async () => {
    const session = await signIn('tuan');
    centre.events.setNodeState('hanoi', 'gate-1', nodeState('online'));
    centre.commitEvent(anEvent(1));
    const { nodes } = (await inject({ url: '/api/v1/nodes', headers: session })).json();
    expect(nodes).toEqual([
      { site: 'hanoi', node: 'gate-1', state: nodeState('online'), committedThrough: 1, missing: [] },
    ]);
  });

  it('shows dead letters to operators only, and records it', async () => {
    const [reviewer, operator] = [await signIn('lan'), await signIn('tuan')];
    centre.events.appendDeadLetters([
      {
        topic: 'ngatu/v1/hanoi/gate-1/event',
        code: 'MESSAGE_NOT_JSON',
        reason: 'Unexpected token',
        payload: Buffer.from('{oops'),
        receivedAt: '2025-11-22T03:59:00.000Z',
      },
    ]);
    expectRefusal(await inject({ url: '/api/v1/dead-letters', headers: reviewer }), 403, 'FORBIDDEN');
    expect((await inject({ url: '/api/v1/dead-letters', headers: operator })).json()).toEqual({
      total: 1,
      items: [
        {
          topic: 'ngatu/v1/hanoi/gate-1/event',
          code: 'MESSAGE_NOT_JSON',
          reason: 'Unexpected token',
          receivedAt: '2025-11-22T03:59:00.000Z',
          sizeBytes: 5,
          payloadStart: '{oops',
        },
      ],
    });
    expect(centre.deps.audit.list(1)[0]).toMatchObject({ actor: 'tuan', action: 'dead-letters-read' });
  });

  it('tells its health without a session and without data', async () => {
    expect((await inject({ url: '/api/v1/health' })).json()).toEqual({ status: 'ok' });
  });
});

describe('series', () => {
  it('gives the lines of a measurement', async () => {
    const session = await signIn();
    const series = await DuckdbSeriesStore.open(`${centre.dataDir}/series.duckdb`);
    const own = await buildApi({ ...centre.deps, series });
    try {
      const origin = {
        site: 'hanoi',
        node: 'gate-1',
        camera: 'junction-north',
        outboxId: '6f1c2f5e-6a57-4b61-9b40-3e0d6f9d2a11',
      };
      await series.write(
        [1, 2, 3].map((value, ordinal) => ({
          ...origin,
          seq: 1,
          ordinal,
          at: `2025-11-22T03:0${ordinal}:00.000Z`,
          metric: 'lineCount',
          value,
          tags: { label: value === 3 ? 'car' : 'motorbike' },
        })),
      );
      const query =
        'metric=lineCount&aggregate=sum&stepMs=3600000&from=2025-11-22T03:00:00.000Z&to=2025-11-22T04:00:00.000Z';
      const sum = async (more: string) => {
        const response = await own.inject({ url: `/api/v1/series?${query}${more}`, headers: session });
        return response
          .json()
          .lines.map((line: { points: { value: number }[] }) => line.points.map(({ value }) => value));
      };
      expect(await sum('')).toEqual([[6]]);
      expect(await sum('&tag=label:motorbike')).toEqual([[3]]);
    } finally {
      await own.close();
      await series.close();
    }
  });

  it('says STORE_UNAVAILABLE where the store does not answer', async () => {
    const session = await signIn();
    const series = new RemoteSeriesStore('http://127.0.0.1:1', 'token');
    const lonely = await buildApi({ ...centre.deps, series });
    try {
      const url =
        '/api/v1/series?metric=fps&aggregate=mean&stepMs=60000&from=2025-11-22T03:00:00.000Z&to=2025-11-22T04:00:00.000Z';
      expectRefusal(await lonely.inject({ url, headers: session }), 503, 'STORE_UNAVAILABLE');
    } finally {
      await lonely.close();
      await series.close();
    }
  });
});

it('tests each code that the API can answer with', async () => {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const names = (await readdir(folder)).filter((name) => name.endsWith('.test.ts'));
  const own = (await Promise.all(names.map((name) => readFile(folder + name, 'utf8')))).join('\n');
  const source = await readFile(`${folder}api-error.ts`, 'utf8');
  const codes = [...source.matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b/g)]
    .map(([code]) => code)
    .filter((code) => code in ERROR_CODES);
  expect(codes.length).toBeGreaterThan(8);
  for (const code of new Set(codes)) {
    if (code !== 'DISK_FULL') expect(own, code).toContain(`'${code}'`);
  }
});
