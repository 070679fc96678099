import type { InjectOptions } from 'fastify';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { hashPassword } from '../account/password.ts';
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

const PASSWORD = 'correct horse battery staple';
const HOST = 'centre.test';
const URL = `/api/v1/events/${eventIdOf(1)}/plate`;
const SEARCH = '/api/v1/plates/search';

let passwordHash: string;
let centre: TestCentre;
let app: ApiApp;
const files = [
  anEvidenceFile(Buffer.from('still')),
  anEvidenceFile(Buffer.from('plate'), { role: 'plate-crop' }),
];

beforeAll(async () => {
  passwordHash = await hashPassword(PASSWORD, TEST_PASSWORD_COST);
});

beforeEach(async () => {
  centre = await openTestCentre();
  centre.addAccount('lan', 'reviewer', passwordHash);
  centre.addAccount('minh', 'supervisor', passwordHash);
  app = await buildApi(centre.deps);
  centre.commitEvent(anEvent(1));
  centre.commitManifest(anEvent(1), files, { plate: aPlateFinding() });
});

afterEach(async () => {
  await app.close();
  await centre[Symbol.asyncDispose]();
});

type Answer = Awaited<ReturnType<ApiApp['inject']>>;

async function signIn(username: string): Promise<(options: InjectOptions) => Promise<Answer>> {
  const headers = { origin: `http://${HOST}`, host: HOST };
  const payload = { username, password: PASSWORD };
  const answer = await app.inject({ method: 'POST', url: '/api/v1/session', payload, headers });
  const cookie = `ngatu_session=${answer.cookies.find(({ name }) => name === 'ngatu_session')?.value}`;
  return (options) => app.inject({ ...options, headers: { ...headers, cookie } });
}

const judge = (call: (options: InjectOptions) => Promise<Answer>, payload: object) =>
  call({
    method: 'POST',
    url: `${URL}/judgements`,
    payload: { expectedJudgements: 0, reason: 'thấy rõ', ...payload },
  });

it('shows the plate in full to who opens it, and records that; lists and the case itself show a part', async () => {
  const call = await signIn('lan');
  expect((await call({ method: 'GET', url: URL })).json()).toEqual({
    finding: aPlateFinding(),
    judgements: [],
  });
  expect(centre.deps.audit.list(1)).toMatchObject([
    { actor: 'lan', action: 'plate-read', target: eventIdOf(1) },
  ]);
  const list = await call({ method: 'GET', url: '/api/v1/events' });
  expect(list.json().items[0].plate).toEqual({ state: 'read', masked: '99Z-•••99' });
  const detail = await call({ method: 'GET', url: `/api/v1/events/${eventIdOf(1)}` });
  expect(detail.statusCode).toBe(200);
  for (const { body } of [list, detail]) expect(body).not.toContain(PLATE);
});

it('keeps what persons said beside what was read, the newest counting, and whose word it was', async () => {
  const call = await signIn('lan');
  const change = centre.events.latestChange();
  const corrected = await judge(call, { verdict: 'corrected', text: '88Z-123.45' });
  expect(corrected.statusCode).toBe(201);
  expect(corrected.json()).toMatchObject({
    finding: { text: PLATE },
    judgements: [{ verdict: 'corrected', text: '88Z12345', judgedBy: 'lan', reason: 'thấy rõ' }],
  });
  // everybody who watches the list is told
  expect(centre.events.listChanges(change, 10)).toMatchObject([
    { event: { plate: { state: 'corrected', masked: '88Z-•••45' } } },
  ]);
  const late = await judge(call, { verdict: 'unreadable' });
  expect([late.statusCode, late.json().code]).toEqual([409, 'PLATE_CONFLICT']);
  expect((await judge(call, { verdict: 'unreadable', expectedJudgements: 1 })).statusCode).toBe(201);
  const list = await call({ method: 'GET', url: '/api/v1/events' });
  expect(list.json().items[0].plate).toEqual({ state: 'unreadable' });
  const confirmed = await judge(call, { verdict: 'confirmed', expectedJudgements: 2 });
  expect(confirmed.json().judgements.map((one: { text?: string }) => one.text)).toEqual([
    '88Z12345',
    undefined,
    PLATE,
  ]);
  expect(JSON.stringify(centre.deps.audit.list(50))).not.toMatch(/99Z|88Z/);
});

it('refuses what says nothing, and a reason that would keep the plate for ever', async () => {
  const call = await signIn('lan');
  for (const payload of [
    { verdict: 'corrected' },
    { verdict: 'corrected', text: '--' },
    { verdict: 'corrected', text: '88Z-123.45', reason: 'rõ ràng là 88Z 12345' },
    { verdict: 'confirmed', reason: 'đúng 99z-999.99' },
    { verdict: 'confirmed', reason: '  a ' },
    { verdict: 'guessed' },
  ]) {
    const answer = await judge(call, payload);
    expect([answer.statusCode, answer.json().code], JSON.stringify(payload)).toEqual([
      400,
      'REQUEST_INVALID',
    ]);
  }
  centre.commitEvent(anEvent(2));
  const url = `/api/v1/events/${eventIdOf(2)}/plate/judgements`;
  const nothing = { verdict: 'confirmed', reason: 'thấy rõ', expectedJudgements: 0 };
  expect((await call({ method: 'POST', url, payload: nothing })).statusCode).toBe(400);
  // a person may read what the node did not
  const read = { ...nothing, verdict: 'corrected', text: '88Z-123.45' };
  expect((await call({ method: 'POST', url, payload: read })).statusCode).toBe(201);
  const letPass = { reason: 'emergency-vehicle', explanation: { vi: 'x', en: 'x' } } as const;
  centre.commitEvent(anEvent(3, { letPass }));
  const passed = await call({ method: 'POST', url: url.replace(eventIdOf(2), eventIdOf(3)), payload: read });
  expect([passed.statusCode, passed.json().code]).toEqual([409, 'EVENT_LET_PASS']);
});

it('finds cases by plate for a supervisor with a reason, surest first, and records what was found but not what was sought', async () => {
  const reviewer = await signIn('lan');
  const payload = { plate: '99Z-999.99', reason: 'Tin báo số 12' };
  expect((await reviewer({ method: 'POST', url: SEARCH, payload })).statusCode).toBe(403);
  const call = await signIn('minh');
  const find = async (changes: object) => {
    const answer = await call({ method: 'POST', url: SEARCH, payload: { ...payload, ...changes } });
    return answer.statusCode === 200
      ? answer.json().items.map((item: { eventId: string; source: string }) => [item.eventId, item.source])
      : answer.statusCode;
  };
  centre.commitEvent(anEvent(2));
  centre.commitManifest(anEvent(2), files, {
    plate: aPlateFinding({ state: 'unreadable', reason: 'unsure' }),
  });
  centre.commitEvent(anEvent(3));
  const said = { verdict: 'corrected', text: PLATE, reason: 'x', judgedBy: 'lan', judgedAt: 'x' } as const;
  expect(centre.events.plates.judge(eventIdOf(3), said, 0)).toBe('appended');
  const all = [
    [eventIdOf(3), 'person'],
    [eventIdOf(1), 'read'],
    [eventIdOf(2), 'candidate'],
  ];
  expect(await find({})).toEqual(all);
  expect(await find({ plate: '9?z ????9' })).toEqual(400);
  expect(await find({ plate: '9?z 9999?' })).toEqual(all);
  expect(await find({ limit: 1 })).toEqual(all.slice(0, 1));
  expect(await find({ to: anEvent(2).capturedAt })).toEqual([[eventIdOf(1), 'read']]);
  expect(await find({ plate: '12345678' })).toEqual([]);
  // what means something to a pattern is no part of a plate
  expect(await find({ plate: '[0-9]*[A-Z]*' })).toEqual([]);
  expect(await find({ reason: 'tìm 99Z 99999' })).toEqual(400);
  const trail = centre.deps.audit.find({ action: 'plate-search', limit: 50 });
  expect(trail.at(-1)).toMatchObject({
    ...{ actor: 'minh', reason: 'Tin báo số 12' },
    detail: `3 found: ${eventIdOf(3)} ${eventIdOf(1)} ${eventIdOf(2)}`,
  });
  expect(JSON.stringify(trail)).not.toContain('9999');
});

it('shows no plate of a refused manifest to who looks after the nodes', async () => {
  centre.addAccount('tu', 'operator', passwordHash);
  const payload = Buffer.from(JSON.stringify({ body: { eventId: eventIdOf(9), plate: aPlateFinding() } }));
  const letter = { topic: 'ngatu/v1/hanoi/gate-1/evidence', code: 'SEAL_INVALID', reason: 'x' } as const;
  centre.events.appendDeadLetters([{ ...letter, payload, receivedAt: '2025-11-22T03:00:00.000Z' }]);
  const call = await signIn('tu');
  const { body } = await call({ method: 'GET', url: '/api/v1/dead-letters' });
  expect(body).toContain(eventIdOf(9));
  expect(body).not.toContain(PLATE);
  expect(body).not.toContain('89Z99999');
});

it('goes with its case, and with the request of the person whose plate it is', () => {
  const { plates, privacy } = centre.events;
  const by = (plate: string) => privacy.findCases({ plate }, 10);
  expect(by('99z-999.99')).toEqual([eventIdOf(1)]);
  // a hint is no finding: somebody else's case is not told
  expect(by('89Z99999')).toEqual([]);
  const said = {
    verdict: 'corrected',
    text: '88Z12345',
    reason: 'x',
    judgedBy: 'lan',
    judgedAt: 'x',
  } as const;
  plates.judge(eventIdOf(1), said, 0);
  expect(by(PLATE)).toEqual([]);
  expect(by('88Z12345')).toEqual([eventIdOf(1)]);
  const erasure = { cause: 'data-subject', reason: 'dsr', erasedBy: 'minh', erasedAt: 'x' } as const;
  expect(privacy.erase(eventIdOf(1), erasure)).toBe('erased');
  expect(plates.find(eventIdOf(1))).toBeUndefined();
  expect(plates.search({ pattern: '88Z12345', limit: 10 })).toEqual([]);
  expect(JSON.stringify(privacy.listTombstones(10))).not.toMatch(/88Z|99Z/);
});
