import type { InjectOptions } from 'fastify';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hashPassword } from '../account/password.ts';
import type { ApiApp } from './api-app.ts';
import { anEvent, eventIdOf, openTestCentre, TEST_SITE, type TestCentre } from './api-test-centre.ts';
import { buildApi } from './build-api.ts';

const PASSWORD = 'correct horse battery staple';
const HOST = 'centre.test';
const CAMERA = '/api/v1/cameras/hanoi/gate-1/junction-north/directives';
const MINUTE_MS = 60_000;

let passwordHash: string;
let centre: TestCentre;
let app: ApiApp;

beforeAll(async () => {
  passwordHash = await hashPassword(PASSWORD);
});

beforeEach(async () => {
  centre = await openTestCentre();
  centre.addAccount('lan', 'reviewer', passwordHash);
  centre.addAccount('tuan', 'operator', passwordHash);
  app = await buildApi(centre.deps);
  report();
});

afterEach(async () => {
  await app.close();
  await centre[Symbol.asyncDispose]();
});

/** The node says what it is, and which directives it holds. */
function report(directiveRevision?: number): void {
  centre.events.setNodeState(TEST_SITE.site, TEST_SITE.node, {
    schemaVersion: 1,
    state: 'online',
    bootId: 'boot-1',
    at: new Date(centre.clock.nowMs).toISOString(),
    version: '0.1.0',
    cameras: ['junction-north'],
    ...(directiveRevision === undefined ? {} : { directiveRevision }),
  });
}

function at(offsetMs: number): string {
  return new Date(centre.clock.nowMs + offsetMs).toISOString();
}

async function signIn(username: string): Promise<(options: InjectOptions) => ReturnType<ApiApp['inject']>> {
  const headers = { origin: `http://${HOST}`, host: HOST };
  const payload = { username, password: PASSWORD };
  const answer = await app.inject({ method: 'POST', url: '/api/v1/session', payload, headers });
  const cookie = `ngatu_session=${answer.cookies.find(({ name }) => name === 'ngatu_session')?.value}`;
  return (options) =>
    app.inject({ ...options, headers: { ...headers, cookie } }) as ReturnType<ApiApp['inject']>;
}

const aRequest = (changes: object = {}) => ({
  kind: 'officer-directing',
  until: at(30 * MINUTE_MS),
  reason: 'Tắc đường, CSGT phân luồng',
  ...changes,
});

describe('directives', () => {
  it('are declared, delivered, listed, ended early, and stand in the trail with who and why', async () => {
    const call = await signIn('tuan');
    const declared = await call({ method: 'POST', url: CAMERA, payload: aRequest() });
    expect(declared.statusCode).toBe(201);
    const { directiveId } = declared.json();
    expect(declared.json()).toEqual({
      directiveId: expect.stringMatching(/^di-[0-9a-f]{32}$/),
      ...TEST_SITE,
      camera: 'junction-north',
      kind: 'officer-directing',
      from: at(0),
      until: at(30 * MINUTE_MS),
      plannedUntil: at(30 * MINUTE_MS),
      reason: 'Tắc đường, CSGT phân luồng',
      declaredBy: 'tuan',
      declaredAt: at(0),
      state: 'active',
      delivered: false,
    });
    const set = centre.events.directives.buildSet(TEST_SITE, at(0));
    expect(set?.directives).toMatchObject([
      { directiveId, kind: 'officer-directing', until: at(30 * MINUTE_MS) },
    ]);
    expect(set?.directives[0]).not.toHaveProperty('declaredBy');
    report(set?.revision);
    expect((await call({ url: CAMERA })).json().items).toMatchObject([{ directiveId, delivered: true }]);

    centre.clock.nowMs += 10 * MINUTE_MS;
    const url = `/api/v1/directives/${directiveId}/end`;
    const ended = await call({ method: 'POST', url, payload: { reason: 'Hết ùn tắc' } });
    expect(ended.json()).toMatchObject({
      state: 'ended',
      until: at(0),
      endedBy: 'tuan',
      endReason: 'Hết ùn tắc',
      delivered: false,
    });
    expect((await call({ url: CAMERA })).json().items).toEqual([]);
    expect((await call({ url: `${CAMERA}?ended=true` })).json().items).toMatchObject([{ directiveId }]);
    // the node still hears of it for a while: pictures of before may wait to be judged
    const after = centre.events.directives.buildSet(TEST_SITE, at(0));
    expect(after?.directives).toMatchObject([{ directiveId, until: at(0) }]);
    expect(after?.revision).toBeGreaterThan(set?.revision ?? Number.POSITIVE_INFINITY);
    expect(centre.events.directives.buildSet(TEST_SITE, at(11 * MINUTE_MS))?.directives).toEqual([]);
    const again = await call({ method: 'POST', url, payload: { reason: 'Hết ùn tắc' } });
    expect([again.statusCode, again.json().code]).toEqual([409, 'DIRECTIVE_ENDED']);
    expect(centre.deps.audit.list(2)).toMatchObject([
      { actor: 'tuan', action: 'directive-end', target: directiveId, detail: 'Hết ùn tắc' },
      { actor: 'tuan', action: 'directive-declare', target: directiveId },
    ]);
  });

  it('end by themselves, and are planned ahead and taken back', async () => {
    const call = await signIn('tuan');
    const planned = await call({
      method: 'POST',
      url: CAMERA,
      payload: aRequest({ kind: 'emergency-passage', from: at(60 * MINUTE_MS), until: at(90 * MINUTE_MS) }),
    });
    expect(planned.json()).toMatchObject({ state: 'planned' });
    const url = `/api/v1/directives/${planned.json().directiveId}/end`;
    const back = await call({ method: 'POST', url, payload: { reason: 'Đổi kế hoạch' } });
    expect(back.json()).toMatchObject({
      state: 'ended',
      from: at(60 * MINUTE_MS),
      until: at(60 * MINUTE_MS),
    });
    await call({ method: 'POST', url: CAMERA, payload: aRequest({ kind: 'rules-suspended' }) });
    expect((await call({ url: '/api/v1/directives' })).json().items).toHaveLength(2);
    centre.clock.nowMs += 31 * MINUTE_MS;
    expect((await call({ url: CAMERA })).json().items).toMatchObject([{ state: 'ended' }]);
    centre.clock.nowMs += 60 * MINUTE_MS;
    expect((await call({ url: '/api/v1/directives' })).json().items).toEqual([]);
  });

  it.each([
    ['an unknown kind', { kind: 'holiday' }, '/body/kind'],
    ['an end in the past', { until: new Date(0).toISOString() }, '/body/until'],
    ['no end', { until: undefined }, '/body/until'],
    ['an end that is no time', { until: '2025-13-22T04:30:00.000Z' }, '/body/until'],
    ['more than twelve hours', { until: '2025-11-22T16:00:00.001Z' }, '/body/until'],
    ['a beginning in the past', { from: '2025-11-22T03:30:00.000Z' }, '/body/from'],
    ['an end before the beginning', { from: '2025-11-22T05:30:00.000Z' }, '/body/until'],
    ['no reason', { reason: '     ' }, '/body/reason'],
    ['something else beside', { camera: 'other' }, '/body/camera'],
  ])('are refused with %s', async (_name, changes, path) => {
    const call = await signIn('tuan');
    const answer = await call({ method: 'POST', url: CAMERA, payload: aRequest(changes) });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'REQUEST_INVALID' });
    expect(answer.json().details.issues.map((issue: { path: string }) => issue.path)).toContain(path);
    expect(centre.events.directives.listRevisions()).toEqual([]);
  });

  it('are refused to a reviewer, to a stranger, and about a camera that is not there', async () => {
    const payload = aRequest();
    const stranger = await app.inject({
      method: 'POST',
      url: CAMERA,
      payload,
      headers: { origin: `http://${HOST}`, host: HOST },
    });
    expect(stranger.statusCode).toBe(401);
    const reviewer = await signIn('lan');
    expect((await reviewer({ method: 'POST', url: CAMERA, payload })).statusCode).toBe(403);
    expect((await reviewer({ url: CAMERA })).statusCode).toBe(200);
    const operator = await signIn('tuan');
    for (const url of [
      CAMERA.replace('north', 'west'),
      CAMERA.replace('gate-1', 'gate-2'),
      CAMERA.replace('hanoi', 'hue'),
    ]) {
      const answer = await operator({ method: 'POST', url, payload });
      expect([answer.statusCode, answer.json().code]).toEqual([404, 'NOT_FOUND']);
    }
    const url = `/api/v1/directives/di-${'0'.repeat(32)}/end`;
    const unknown = await operator({ method: 'POST', url, payload: { reason: 'Nhầm' } });
    expect([unknown.statusCode, unknown.json().code]).toEqual([404, 'NOT_FOUND']);
  });

  it('of one node have a limit, which frees itself', async () => {
    const call = await signIn('tuan');
    for (let count = 0; count < 100; count++) {
      const answer = await call({ method: 'POST', url: CAMERA, payload: aRequest() });
      expect(answer.statusCode).toBe(201);
    }
    const refused = await call({ method: 'POST', url: CAMERA, payload: aRequest() });
    expect([refused.statusCode, refused.json().code]).toEqual([409, 'DIRECTIVE_LIMIT']);
    centre.clock.nowMs += 45 * MINUTE_MS;
    expect((await call({ method: 'POST', url: CAMERA, payload: aRequest() })).statusCode).toBe(201);
  });
});

describe('cases that were let pass', () => {
  const letPass = {
    reason: 'officer-directing',
    explanation: { vi: 'CSGT điều khiển.', en: 'An officer directs.' },
  } as const;

  it('are listed on their own, not among the others, and nobody decides them', async () => {
    centre.commitEvent(anEvent(1));
    centre.commitEvent(anEvent(2, { letPass }));
    const call = await signIn('lan');
    const idsOf = async (query: string) => {
      const page = (await call({ url: `/api/v1/events${query}` })).json();
      return page.items.map(({ eventId }: { eventId: string }) => eventId);
    };
    expect(await idsOf('')).toEqual([eventIdOf(1)]);
    expect(await idsOf('?letPass=only')).toEqual([eventIdOf(2)]);
    expect(await idsOf('?letPass=with&review=open')).toEqual([eventIdOf(2), eventIdOf(1)]);
    const [summary] = (await call({ url: '/api/v1/events?letPass=only' })).json().items;
    expect(summary).toMatchObject({ letPass: 'officer-directing' });
    const url = `/api/v1/events/${eventIdOf(2)}`;
    expect((await call({ url })).json()).toMatchObject({ event: { letPass }, laws: [] });
    const flagged = (await call({ url: `/api/v1/events/${eventIdOf(1)}` })).json();
    expect(flagged.laws).toMatchObject([
      { kind: 'RED_LIGHT', rows: [{ clause: '7.c', fineMinVnd: 4_000_000, certainty: 'V' }] },
      { kind: 'STOP_LINE', rows: [{ clause: '1.a', fineMaxVnd: 400_000 }] },
    ]);
    const payload = { decision: 'confirmed', reason: 'Thấy rõ', expectedReviews: 0 };
    const decided = await call({ method: 'POST', url: `${url}/reviews`, payload });
    expect([decided.statusCode, decided.json().code]).toEqual([409, 'EVENT_LET_PASS']);
    expect((await call({ url })).json().reviews).toEqual([]);
    expect((await call({ url: '/api/v1/events?letPass=maybe' })).statusCode).toBe(400);
  });
});
