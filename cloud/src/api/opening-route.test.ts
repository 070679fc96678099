import { afterAll, beforeAll, expect, it } from 'vitest';
import { hashPassword } from '../account/password.ts';
import type { Role } from '../account/role.ts';
import { DEFAULT_PRIVACY_POLICY } from '../privacy/privacy-policy.ts';
import type { ApiApp } from './api-app.ts';
import {
  anEvent,
  anEvidenceFile,
  openTestCentre,
  TEST_PASSWORD_COST,
  type TestCentre,
} from './api-test-centre.ts';
import { buildApi } from './build-api.ts';

const CLIP = Buffer.from('the unblurred original of a case');
const MINUTE_MS = 60_000;

let centre: TestCentre;
let app: ApiApp;
let secondPerson = true;
const cookies = new Map<string, string>();

beforeAll(async () => {
  centre = await openTestCentre();
  const { opening } = DEFAULT_PRIVACY_POLICY;
  app = await buildApi({
    ...centre.deps,
    privacyPolicy: () => ({ ...DEFAULT_PRIVACY_POLICY, opening: { ...opening, secondPerson } }),
  });
  const passwordHash = await hashPassword('a long pass phrase', TEST_PASSWORD_COST);
  const people: [string, Role][] = [
    ['lan', 'reviewer'],
    ['hoa', 'reviewer'],
    ['minh', 'supervisor'],
    ['thu', 'supervisor'],
    ['an', 'auditor'],
  ];
  for (const [name, role] of people) {
    centre.addAccount(name, role, passwordHash);
    const reply = await send(undefined, 'POST', '/session', {
      username: name,
      password: 'a long pass phrase',
    });
    const [cookie] = [reply.headers['set-cookie']].flat();
    cookies.set(name, String(cookie).split(';')[0] ?? '');
  }
  for (const number of [1, 2]) {
    const event = anEvent(number);
    centre.commitEvent(event);
    centre.commitManifest(event, [
      anEvidenceFile(Buffer.concat([CLIP, Buffer.from([number])]), {
        ...{ role: 'clip', mediaType: 'video/mp4', codec: 'h264', durationMs: 10_000 },
      }),
    ]);
    centre.events.markEvidenceArrived(
      await centre.storeFile(Buffer.concat([CLIP, Buffer.from([number])])),
      '2025-11-22T03:01:00.000Z',
    );
  }
});
afterAll(async () => {
  await app.close();
  await centre[Symbol.asyncDispose]();
});

function send(who: string | undefined, method: 'GET' | 'POST', path: string, body?: object) {
  return app.inject({
    method,
    url: `/api/v1${path}`,
    headers: {
      host: 'localhost',
      origin: 'http://localhost',
      ...(who === undefined ? {} : { cookie: cookies.get(who) ?? '' }),
    },
    ...(body === undefined ? {} : { payload: body }),
  });
}

const clipPath = (number: number) =>
  `/evidence/${anEvidenceFile(Buffer.concat([CLIP, Buffer.from([number])])).sha256}`;
const openings = (number: number) => `/events/${anEvent(number).eventId}/openings`;

it('refuses the original without a grant, and records that', async () => {
  for (const who of ['lan', 'minh', 'an']) {
    const reply = await send(who, 'GET', clipPath(1));
    expect([reply.statusCode, reply.json().code]).toEqual([403, 'ORIGINAL_SEALED']);
    expect(reply.body).not.toContain('unblurred original of');
  }
  expect(centre.deps.audit.find({ action: 'original-refused', limit: 9 })).toHaveLength(3);
});

it('opens it after a second person has agreed, for the one who asked, for a while', async () => {
  const refused = await send('lan', 'POST', openings(1), { reason: '  x ' });
  expect(refused.json().code).toBe('REQUEST_INVALID');
  const asked = await send('lan', 'POST', openings(1), { reason: 'is the plate covered?' });
  expect(asked.json()).toMatchObject({ state: 'waiting', requestedBy: 'lan' });
  const { openingId } = asked.json();
  expect((await send('lan', 'GET', clipPath(1))).json().code).toBe('ORIGINAL_SEALED');
  const decide = (who: string, decision: string, id = openingId) =>
    send(who, 'POST', `${openings(1)}/${id}/decision`, { decision, reason: 'needed for the case' });
  expect((await decide('hoa', 'granted')).statusCode).toBe(403);
  expect((await send('minh', 'GET', '/openings')).json().items).toMatchObject([{ openingId }]);
  const granted = await decide('minh', 'granted');
  expect(granted.json()).toMatchObject({ state: 'open', decidedBy: 'minh' });
  expect((await decide('thu', 'refused')).json().code).toBe('OPENING_CONFLICT');
  const shown = await send('lan', 'GET', clipPath(1));
  expect([shown.statusCode, shown.body.startsWith('the unblurred original')]).toEqual([200, true]);
  for (const who of ['hoa', 'minh']) expect((await send(who, 'GET', clipPath(1))).statusCode).toBe(403);
  expect((await send('lan', 'GET', clipPath(2))).statusCode).toBe(403);
  const [read] = centre.deps.audit.find({ action: 'original-read', limit: 9 });
  expect(read).toMatchObject({ actor: 'lan', reason: 'is the plate covered?' });
  expect(read?.detail).toContain(openingId);
  const list = await send('an', 'GET', openings(1));
  expect(list.json()).toMatchObject({ isOpen: false, needsSecondPerson: true, items: [{ state: 'open' }] });
  centre.clock.nowMs += 31 * MINUTE_MS;
  expect((await send('lan', 'GET', clipPath(1))).json().code).toBe('ORIGINAL_SEALED');
  expect((await send('lan', 'GET', openings(1))).json().items[0].state).toBe('closed');
});

it('lets nobody agree to the own request, nor to one that has lapsed', async () => {
  const own = await send('minh', 'POST', openings(2), { reason: 'to compare both riders' });
  const decide = (who: string) =>
    send(who, 'POST', `${openings(2)}/${own.json().openingId}/decision`, {
      decision: 'granted',
      reason: 'agreed',
    });
  expect((await decide('minh')).json().code).toBe('FORBIDDEN');
  centre.clock.nowMs += 25 * 60 * MINUTE_MS;
  for (const name of ['thu', 'minh', 'an']) {
    const reply = await send(undefined, 'POST', '/session', {
      username: name,
      password: 'a long pass phrase',
    });
    cookies.set(name, String([reply.headers['set-cookie']].flat()[0]).split(';')[0] ?? '');
  }
  expect((await decide('thu')).json().code).toBe('OPENING_CONFLICT');
  expect((await send('thu', 'GET', openings(2))).json().items[0].state).toBe('lapsed');
});

it('opens at once with a reason where the policy asks for no second person', async () => {
  secondPerson = false;
  const asked = await send('thu', 'POST', openings(2), { reason: 'court order 12' });
  expect(asked.json()).toMatchObject({ state: 'open', decidedBy: 'thu' });
  expect((await send('thu', 'GET', clipPath(2))).statusCode).toBe(200);
});

it('places and lifts legal holds, and says what the policy stands on', async () => {
  const holds = `/events/${anEvent(2).eventId}/holds`;
  expect((await send('an', 'POST', holds, { reason: 'court' })).statusCode).toBe(403);
  const placed = await send('thu', 'POST', holds, { reason: 'court order 12' });
  expect(placed.statusCode).toBe(201);
  const order = {
    cause: 'order',
    reason: 'x',
    erasedBy: 'thu',
    erasedAt: '2025-11-25T00:00:00.000Z',
  } as const;
  expect(centre.events.privacy.erase(anEvent(2).eventId, order)).toBe('held');
  const lifted = await send('thu', 'POST', `${holds}/${placed.json().holdId}/end`, { reason: 'case closed' });
  expect(lifted.json().items).toMatchObject([{ liftedBy: 'thu', liftReason: 'case closed' }]);
  const { policy, facts } = (await send('an', 'GET', '/privacy/policy')).json();
  expect(policy.sources.acknowledgeWorkingDays.certainty).toBe('S');
  expect(
    facts.every(
      (fact: { source: string; certainty: string }) => fact.source !== '' && 'VSU'.includes(fact.certainty),
    ),
  ).toBe(true);
});
