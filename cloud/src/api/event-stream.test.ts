import { afterEach, beforeEach, expect, it } from 'vitest';
import type { EventSummary } from '../store/event-store.ts';
import type { ApiApp } from './api-app.ts';
import { anEvent, anEvidenceFile, eventIdOf, openTestCentre, type TestCentre } from './api-test-centre.ts';
import { buildApi } from './build-api.ts';
import { EventStream } from './event-stream.ts';

const showAll = (event: EventSummary) => event;

let centre: TestCentre;
let app: ApiApp;
let url: string;
let cookie: string;
let token: string;
const opened: AbortController[] = [];

beforeEach(async () => {
  centre = await openTestCentre();
  centre.addAccount('lan', 'reviewer', 'not used: the session is begun by hand');
  app = await buildApi(centre.deps);
  url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/api/v1/events/stream`;
  token = centre.deps.sessions.beginSession({ username: 'lan', method: 'password', address: '::1' }).token;
  cookie = `ngatu_session=${token}`;
});

afterEach(async () => {
  for (const controller of opened.splice(0)) controller.abort();
  await app.close();
  await centre[Symbol.asyncDispose]();
});

interface Message {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: Record<string, unknown>;
}

/** A browser: `next()` gives the next message; undefined at the end of the stream. */
async function listen(headers: Record<string, string> = {}) {
  const controller = new AbortController();
  opened.push(controller);
  const response = await fetch(url, { headers: { cookie, ...headers }, signal: controller.signal });
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  const next = async (): Promise<Message | undefined> => {
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end >= 0) {
        const block = text.slice(0, end);
        text = text.slice(end + 2);
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
        return { id: field('id'), event: field('event'), data: JSON.parse(field('data') ?? '{}') };
      }
      const chunk = await reader?.read();
      if (chunk === undefined || chunk.done) return undefined;
      text += decoder.decode(chunk.value, { stream: true });
    }
  };
  return { response, next, stop: () => controller.abort() };
}

it('pushes events, arriving stills and decisions as they commit', async () => {
  centre.commitEvent(anEvent(1));
  const { response, next } = await listen();
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(await next()).toMatchObject({ event: 'ready', data: { resumed: false } });

  const bytes = Buffer.from('still');
  const file = anEvidenceFile(bytes);
  const committedAt = performance.now();
  centre.commitEvent(anEvent(2));
  expect(await next()).toMatchObject({ event: 'change', data: { eventId: eventIdOf(2), review: 'open' } });
  expect(performance.now() - committedAt).toBeLessThan(2_000);
  centre.commitManifest(anEvent(2), [file]);
  expect((await next())?.data).not.toHaveProperty('stillSha256');
  await centre.storeFile(bytes);
  expect(await next()).toMatchObject({ data: { eventId: eventIdOf(2), stillSha256: file.sha256 } });
  const review = {
    decision: 'rejected',
    reason: 'unclear',
    reviewer: 'lan',
    decidedAt: '2025-11-22T04:00:00.000Z',
  } as const;
  centre.events.appendReview(eventIdOf(1), review, 0);
  expect(await next()).toMatchObject({ data: { eventId: eventIdOf(1), review: 'rejected' } });
});

it('resumes where the line broke, without a hole', async () => {
  const first = await listen();
  const ready = await first.next();
  first.stop();
  for (let number = 1; number <= 450; number += 1) centre.commitEvent(anEvent(number));
  const second = await listen({ 'last-event-id': ready?.id ?? '' });
  expect(await second.next()).toMatchObject({ event: 'ready', data: { resumed: true } });
  const seen: unknown[] = [];
  while (seen.length < 450) seen.push((await second.next())?.data['eventId']);
  expect(seen).toEqual(Array.from({ length: 450 }, (_, index) => eventIdOf(index + 1)));
});

it.each(['nonsense', '999999'])('tells who comes with %s to load the list anew', async (lastEventId) => {
  const { next } = await listen({ 'last-event-id': lastEventId });
  expect(await next()).toMatchObject({ event: 'ready', data: { resumed: false } });
});

it('says that it is alive, and ends with the session', async () => {
  const { next } = await listen();
  await next();
  centre.clock.nowMs += 15_000;
  expect(await next()).toMatchObject({ event: 'alive' });
  centre.deps.sessions.endSession(token);
  centre.clock.nowMs += 15_000;
  expect(await next()).toBeUndefined();
});

it('shows nothing more once the session has ended', async () => {
  const { next } = await listen();
  await next();
  centre.deps.sessions.endSession(token);
  centre.commitEvent(anEvent(1));
  expect(await next()).toBeUndefined();
});

it('ends when the API stops, and the API stops at once', async () => {
  const { next } = await listen();
  await next();
  const startedAt = performance.now();
  await app.close();
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  expect(await next()).toBeUndefined();
});

it('takes a bounded number of browsers, and a place becomes free when one leaves', () => {
  const stream = new EventStream(centre.events, centre.deps.logger, () => 0);
  const request = { lastEventId: undefined, readChange: showAll, isAllowed: () => true };
  const streams = Array.from({ length: 100 }, () => stream.connect(request));
  expect(() => stream.connect(request)).toThrowError(expect.objectContaining({ code: 'RATE_LIMITED' }));
  streams[0]?.destroy();
  return new Promise<void>((done) => {
    streams[0]?.once('close', () => {
      stream.connect(request);
      stream.close();
      done();
    });
  });
});

it('forgets browsers that went away', async () => {
  for (let count = 0; count < 120; count += 1) {
    const { response, next, stop } = await listen();
    expect(response.status, `browser ${count}`).toBe(200);
    await next();
    stop();
  }
});

it('disconnects a browser that does not read', async () => {
  const stream = new EventStream(centre.events, centre.deps.logger, () => 0);
  const idle = stream.connect({ lastEventId: undefined, readChange: showAll, isAllowed: () => true });
  const closed = new Promise((done) => idle.once('close', done));
  for (let number = 1; number <= 900; number += 1) centre.commitEvent(anEvent(number));
  await closed;
  expect(idle.destroyed).toBe(true);
  stream.close();
});

it('drops everybody when the store fails, so that nobody believes an empty list', async () => {
  let isBroken = false;
  const events = {
    latestChange: () => {
      if (isBroken) throw new Error('disk gone');
      return 0;
    },
    listChanges: () => [],
  };
  const stream = new EventStream(events, centre.deps.logger, () => 0);
  const browser = stream.connect({ lastEventId: undefined, readChange: showAll, isAllowed: () => true });
  browser.resume();
  isBroken = true;
  await new Promise((done) => browser.once('end', done));
});
