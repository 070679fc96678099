import type { InjectOptions } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hashPassword } from '../account/password.ts';
import type { ApiApp } from './api-app.ts';
import { openTestCentre, TEST_PASSWORD_COST, TEST_SITE, type TestCentre } from './api-test-centre.ts';
import { buildApi } from './build-api.ts';

const PASSWORD = 'correct horse battery staple';
const HOST = 'centre.test';
const PASSAGES = '/api/v1/screening/gates/hanoi/gate-1/hall/passages';
const HOUR_MS = 3_600_000;
const DECIDED = 'sc-0000000000000001';
const REFUSED = 'sc-0000000000000002';

let centre: TestCentre;
let app: ApiApp;

beforeEach(async () => {
  centre = await openTestCentre();
  const hash = await hashPassword(PASSWORD, TEST_PASSWORD_COST);
  for (const role of ['operator', 'auditor', 'reviewer'] as const) centre.addAccount(role, role, hash);
  app = await buildApi(centre.deps);
  const at = new Date(centre.clock.nowMs).toISOString();
  const results = (
    [
      [DECIDED, 'measure'],
      [REFUSED, 'refused'],
    ] as const
  ).map(([screeningId, outcome]) => ({
    ...{ schemaVersion: 1 as const, screeningId, gate: 'hall', at, outcome, frames: 6 },
    instruction: { vi: 'Đo bằng nhiệt kế', en: 'Measure with a thermometer' },
  }));
  const body = { schemaVersion: 1 as const, ...TEST_SITE, gate: 'hall', results, selfChecks: [] };
  const item = { ...TEST_SITE, outboxId: '6f1c2f5e-6a57-4b61-9b40-3e0d6f9d2a44', seq: 1 };
  const message = { channel: 'screening' as const, body };
  expect(centre.events.commit([{ ...item, message }], at)).toMatchObject([{ outcome: 'committed' }]);
});

afterEach(async () => {
  await app.close();
  await centre[Symbol.asyncDispose]();
});

async function signIn(username: string): Promise<(options: InjectOptions) => ReturnType<ApiApp['inject']>> {
  const headers = { origin: `http://${HOST}`, host: HOST };
  const payload = { username, password: PASSWORD };
  const answer = await app.inject({ method: 'POST', url: '/api/v1/session', payload, headers });
  const cookie = `ngatu_session=${answer.cookies.find(({ name }) => name === 'ngatu_session')?.value}`;
  return (options) =>
    app.inject({ ...options, headers: { ...headers, cookie } }) as ReturnType<ApiApp['inject']>;
}

const enter = (screeningId: string, celsius = 38.2): InjectOptions => ({
  method: 'PUT',
  url: `${PASSAGES}/${screeningId}/reading`,
  payload: { celsius, place: 'oral' },
});

it('takes a reading within the hour after a passage, and not later', async () => {
  const operator = await signIn('operator');
  expect((await operator(enter(DECIDED))).json()).toMatchObject({ reading: { celsius: 38.2 } });
  const gates = (await operator({ url: '/api/v1/screening/gates' })).json();
  expect(gates.gates).toMatchObject([{ counts: { confirmed: { sensitivity: { hits: 1, total: 1 } } } }]);
  centre.clock.nowMs += HOUR_MS + 1;
  const late = await operator(enter(DECIDED, 36.6));
  expect([late.statusCode, late.json().code]).toEqual([409, 'SCREENING_CLOSED']);
  // Who entered it is on record, what was measured is not.
  const entered = centre.deps.audit.list(50).filter(({ action }) => action === 'thermometer-enter');
  expect(entered).toMatchObject([{ actor: 'operator', target: DECIDED }]);
  expect(JSON.stringify(entered)).not.toContain('38.2');
});

it.each([
  ['a passage that is not known', enter('sc-00000000000000ff'), 404, 'NOT_FOUND'],
  ['a passage about which nothing was decided', enter(REFUSED), 404, 'NOT_FOUND'],
  ['a temperature that nobody has', enter(DECIDED, 97), 400, 'REQUEST_INVALID'],
])('refuses %s', async (_what, request, status, code) => {
  const answer = await (await signIn('operator'))(request);
  expect([answer.statusCode, answer.json().code]).toEqual([status, code]);
});

it('shows single passages to those who measure and who audit, and to nobody else', async () => {
  expect((await (await signIn('auditor'))({ url: PASSAGES })).json().items).toHaveLength(2);
  expect((await (await signIn('auditor'))(enter(DECIDED))).statusCode).toBe(403);
  expect((await (await signIn('reviewer'))({ url: PASSAGES })).statusCode).toBe(403);
});
