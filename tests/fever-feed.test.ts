import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { subscribeMatrices } from '@ngatu/edge';
import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTROLLER_USER, LoopbackBroker, NODE_USER } from './delivery/loopback-broker.ts';

/** A topic that the users of the test broker may write and read. */
const TOPIC = 'signals/junction-1/north';
const matrix = (celsius: number): string =>
  JSON.stringify({ schemaVersion: 1, unit: 'Cel', width: 8, height: 8, values: Array(64).fill(celsius) });

describe('a thermal camera that publishes by MQTT', () => {
  let folder: string;
  let broker: LoopbackBroker;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ngatu-feed-'));
    broker = await LoopbackBroker.start(folder);
  });
  afterAll(async () => {
    await broker.kill();
    await rm(folder, { recursive: true, force: true });
  });

  it('gives its latest picture, and tells of what is none', async () => {
    const stop = new AbortController();
    const codes: string[] = [];
    const feed = subscribeMatrices(
      {
        url: broker.url,
        topic: TOPIC,
        credentials: { username: NODE_USER.name, password: NODE_USER.password },
        onError: ({ code }) => void codes.push(code),
      },
      stop.signal,
    );
    const camera = await connectAsync(broker.url, {
      username: CONTROLLER_USER.name,
      password: CONTROLLER_USER.password,
      protocolVersion: 5,
    });
    // the feed subscribes when it is first asked: what is retained reaches it whenever that is
    await camera.publishAsync(TOPIC, matrix(31), { qos: 1, retain: true });
    expect((await feed.next()).value?.celsius[0]).toBe(31);
    const broken = feed.next();
    await camera.publishAsync(TOPIC, 'no matrix', { qos: 1 });
    await expect.poll(() => codes).toEqual(['THERMAL_INVALID']);
    await camera.publishAsync(TOPIC, matrix(33), { qos: 1 });
    expect((await broken).value?.celsius[0]).toBe(33);
    const last = feed.next();
    stop.abort();
    expect(await last).toEqual({ done: true, value: undefined });
    await camera.endAsync();
  });

  it('is refused in words where nobody listens', async () => {
    const feed = subscribeMatrices(
      { url: 'mqtt://127.0.0.1:9', topic: TOPIC, onError: () => undefined },
      new AbortController().signal,
    );
    await expect(feed.next()).rejects.toMatchObject({ code: 'THERMAL_UNAVAILABLE', retryable: true });
  });
});
