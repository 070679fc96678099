import type { InjectOptions } from 'fastify';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { hashPassword } from '../account/password.ts';
import type { ApiApp } from './api-app.ts';
import {
  anEvent,
  anEvidenceFile,
  eventIdOf,
  openTestCentre,
  TEST_PASSWORD_COST,
  TEST_SITE,
  type TestCentre,
} from './api-test-centre.ts';
import { buildApi } from './build-api.ts';

const PASSWORD = 'correct horse battery staple';
const HOST = 'centre.test';
const URL = `/api/v1/events/${eventIdOf(1)}/original`;

let passwordHash: string;
let centre: TestCentre;
let app: ApiApp;
const clip = anEvidenceFile(Buffer.from('original'), { role: 'clip', mediaType: 'video/mp4', codec: 'hevc' });
const still = anEvidenceFile(Buffer.from('still'));

beforeAll(async () => {
  passwordHash = await hashPassword(PASSWORD, TEST_PASSWORD_COST);
});

beforeEach(async () => {
  centre = await openTestCentre();
  centre.addAccount('lan', 'reviewer', passwordHash);
  centre.addAccount('ngoc', 'analyst', passwordHash);
  app = await buildApi(centre.deps);
  centre.commitEvent(anEvent(1));
  centre.commitManifest(anEvent(1), [still, clip]);
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

it('fetches the original with a reason, tells where it is, and keeps who wanted it', async () => {
  const call = await signIn('lan');
  const { sha256, sizeBytes } = clip;
  const onNode = { role: 'clip', sha256, sizeBytes, arrived: false };
  expect((await call({ method: 'GET', url: URL })).json()).toEqual({ files: [onNode] });
  expect((await call({ method: 'POST', url: URL, payload: { reason: '   ' } })).statusCode).toBe(400);
  const asked = await call({ method: 'POST', url: URL, payload: { reason: 'biển số không rõ' } });
  expect(asked.statusCode).toBe(202);
  expect(asked.json().files).toMatchObject([
    { ...onNode, transfer: { requestedBy: 'lan', cause: 'demanded' } },
  ]);
  expect(centre.events.transfers.listWanted(10)).toMatchObject([
    { ...TEST_SITE, files: [{ sha256, eventId: eventIdOf(1), priority: 50 }] },
  ]);
  centre.events.transfers.noteProgress(sha256, 3, new Date(centre.clock.nowMs).toISOString());
  expect((await call({ method: 'GET', url: URL })).json().files[0].transfer.receivedBytes).toBe(3);
  expect(centre.deps.audit.list(20)).toContainEqual(
    expect.objectContaining({
      actor: 'lan',
      action: 'original-request',
      target: eventIdOf(1),
      detail: '1 to fetch: biển số không rõ',
    }),
  );
});

it('says that it is gone and why, and lets a person ask once more', async () => {
  const call = await signIn('lan');
  const gone = { reason: 'expired', at: new Date(centre.clock.nowMs).toISOString() } as const;
  await call({ method: 'POST', url: URL, payload: { reason: 'cần xem' } });
  expect(centre.events.transfers.markGone({ sha256: clip.sha256, ...TEST_SITE }, gone)).toBe(true);
  expect((await call({ method: 'GET', url: URL })).json().files[0].transfer.gone).toEqual(gone);
  expect(centre.events.transfers.listWanted(10)).toEqual([]);
  const again = await call({ method: 'POST', url: URL, payload: { reason: 'cần xem lại' } });
  expect(again.json().files[0].transfer.gone).toBeUndefined();
  expect(centre.events.transfers.listWanted(10)).toHaveLength(1);
});

it('is asked for by the decision that confirms the case, and by no other', async () => {
  const call = await signIn('lan');
  const decide = (decision: string, expectedReviews: number) =>
    call({
      method: 'POST',
      url: `/api/v1/events/${eventIdOf(1)}/reviews`,
      payload: { decision, reason: 'thấy rõ', expectedReviews },
    });
  await decide('rejected', 0);
  expect(centre.events.transfers.listWanted(10)).toEqual([]);
  const confirmed = await decide('confirmed', 1);
  expect(confirmed.statusCode).toBe(201);
  expect(centre.events.transfers.listWanted(10)).toMatchObject([
    { files: [{ sha256: clip.sha256, priority: 10 }] },
  ]);
});

it('is nothing for who may not see cases, nor where there is no original', async () => {
  const analyst = await signIn('ngoc');
  expect((await analyst({ method: 'POST', url: URL, payload: { reason: 'tò mò' } })).statusCode).toBe(403);
  const call = await signIn('lan');
  centre.commitEvent(anEvent(2));
  const url = `/api/v1/events/${eventIdOf(2)}/original`;
  expect((await call({ method: 'POST', url, payload: { reason: 'cần xem' } })).statusCode).toBe(404);
  expect((await call({ method: 'GET', url })).json()).toEqual({ files: [] });
});
