import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { NgatuError } from '@ngatu/contract';
import { afterEach, describe, expect, it } from 'vitest';
import { pollMatrices } from './matrix-feed.ts';

const VALUES = Array.from({ length: 64 }, (_, i) => 20 + i / 10);
const matrix = (second: number): string =>
  JSON.stringify({
    schemaVersion: 1,
    capturedAt: `2026-01-05T08:00:0${second}.000Z`,
    unit: 'Cel',
    width: 8,
    height: 8,
    values: VALUES,
  });

let server: Server | undefined;

/** Answers one request after the other; the last answer again and again. */
async function serve(...answers: ((response: ServerResponse) => void)[]): Promise<string> {
  let asked = 0;
  server = createServer((_, response) => answers[Math.min(asked++, answers.length - 1)]?.(response)).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://user:secret@127.0.0.1:${address.port}/frame`.replace('user:secret@', '');
}

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

const json = (text: string) => (response: ServerResponse) =>
  void response.setHeader('content-type', 'application/json').end(text);

async function take(
  url: string,
  count: number,
): Promise<{ times: (number | undefined)[]; errors: NgatuError[] }> {
  const stop = new AbortController();
  const errors: NgatuError[] = [];
  const times: (number | undefined)[] = [];
  const options = {
    url,
    intervalMs: 2,
    timeoutMs: 2_000,
    onError: (error: NgatuError) => void errors.push(error),
  };
  for await (const { capturedAtMs } of pollMatrices(options, stop.signal)) {
    times.push(capturedAtMs === undefined ? undefined : (capturedAtMs / 1000) % 60);
    if (times.length >= count) stop.abort();
  }
  return { times, errors };
}

describe('a camera that is asked over HTTP', () => {
  it('gives each picture once', async () => {
    const url = await serve(json(matrix(1)), json(matrix(1)), json(matrix(2)), json(matrix(3)));
    expect(await take(url, 3)).toEqual({ times: [1, 2, 3], errors: [] });
  });

  it('may answer with text', async () => {
    const rows = Array.from({ length: 10 }, (_, y) =>
      Array.from({ length: 10 }, (_, x) => 20 + x + y / 10).join(';'),
    );
    const url = await serve((response) => void response.end(rows.join('\n')));
    expect((await take(url, 1)).errors).toEqual([]);
  });

  it('is asked again after an error, which is told', async () => {
    const url = await serve(
      (response) => void response.writeHead(503).end(),
      json('{"schemaVersion":1}'),
      (response) => void response.destroy(),
      json(matrix(4)),
    );
    const { times, errors } = await take(url, 1);
    expect(times).toEqual([4]);
    expect(errors.map(({ code }) => code)).toEqual([
      'THERMAL_UNAVAILABLE',
      'THERMAL_INVALID',
      'THERMAL_UNAVAILABLE',
    ]);
    expect(errors.map(({ message }) => message).join()).not.toContain('/frame');
  });

  it('is not waited for when the gate stops', async () => {
    const url = await serve(() => undefined);
    const stop = new AbortController();
    const feed = pollMatrices(
      { url, intervalMs: 2, timeoutMs: 60_000, onError: () => undefined },
      stop.signal,
    );
    const next = feed.next();
    stop.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });
});
