import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { resetPassword } from '../account/first-account.ts';
import { type ApiConfig, type ApiReady, runApi } from './run-api.ts';

let folder: string;
const running: { stop: AbortController; done: Promise<void> }[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-run-api-'));
});

afterEach(async () => {
  for (const { stop, done } of running.splice(0)) {
    stop.abort();
    await done;
  }
  await rm(folder, { recursive: true, force: true });
});

function configOf(changes: Partial<ApiConfig> = {}): ApiConfig {
  return {
    dataDir: join(folder, 'data'),
    listen: { host: '127.0.0.1', port: 0 },
    ingestorUrl: 'http://127.0.0.1:1',
    internalToken: 'token',
    logger: pino({ level: 'silent' }),
    ...changes,
  };
}

async function start(config: ApiConfig): Promise<ApiReady & { stop: () => Promise<void> }> {
  const stop = new AbortController();
  let done: Promise<void> = Promise.resolve();
  const ready = await new Promise<ApiReady>((resolve, reject) => {
    done = runApi(config, resolve, stop.signal);
    done.catch(reject);
  });
  running.push({ stop, done });
  return {
    ...ready,
    stop: async () => {
      stop.abort();
      await done;
    },
  };
}

async function canSignIn(url: string, username: string, password: string): Promise<boolean> {
  const response = await fetch(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ username, password }),
  });
  return response.ok;
}

it('makes the first account once, in a file for its owner alone, and keeps it', async () => {
  const first = await start(configOf());
  expect(first.firstSignIn?.username).toBe('admin');
  const password = first.firstSignIn?.password ?? '';
  expect(password).toMatch(/^[2-9a-hjkmnp-z]{20}$/);
  const file = join(folder, 'data', 'first-sign-in.txt');
  expect(await readFile(file, 'utf8')).toBe(`username: admin\npassword: ${password}\n`);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(join(folder, 'data', 'accounts.sqlite'))).mode & 0o777).toBe(0o600);
  expect(await canSignIn(first.url, 'admin', password)).toBe(true);
  await first.stop();
  const second = await start(configOf());
  expect(second).not.toHaveProperty('firstSignIn');
  expect(await canSignIn(second.url, 'admin', password)).toBe(true);
});

it('resets a password while the API runs: the old one and its sessions end', async () => {
  const { url, firstSignIn } = await start(configOf());
  const dataDir = join(folder, 'data');
  const fresh = await resetPassword({ dataDir, username: 'admin', actor: 'operator at the console' });
  expect(await canSignIn(url, 'admin', firstSignIn?.password ?? '')).toBe(false);
  expect(await canSignIn(url, 'admin', fresh.password)).toBe(true);
  await expect(stat(join(dataDir, 'first-sign-in.txt'))).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(resetPassword({ dataDir, username: 'nobody', actor: 'x' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});

it('serves the console under its policy and keeps named assets', async () => {
  const consoleDir = join(folder, 'console');
  await mkdir(join(consoleDir, 'assets'), { recursive: true });
  await writeFile(join(consoleDir, 'index.html'), '<!doctype html><title>ngatu</title>');
  await writeFile(join(consoleDir, 'assets', 'index-AAAA.js'), 'export {};');
  const { url } = await start(configOf({ consoleDir }));
  const page = await fetch(url);
  expect(await page.text()).toContain('ngatu');
  expect(page.headers.get('cache-control')).toBe('no-cache');
  expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
  const asset = await fetch(`${url}/assets/index-AAAA.js`);
  expect(asset.headers.get('cache-control')).toContain('immutable');
  for (const path of [
    '/../data/first-sign-in.txt',
    '/%2e%2e/data/first-sign-in.txt',
    '/assets/..%2f..%2fdata/first-sign-in.txt',
  ]) {
    expect((await fetch(url + path)).status).toBeGreaterThanOrEqual(400);
  }
});

it('says which port is taken', async () => {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    const config = configOf({ listen: { host: '127.0.0.1', port } });
    const failed = runApi(config, () => expect.fail('it listened'), new AbortController().signal);
    await expect(failed).rejects.toMatchObject({ code: 'PORT_TAKEN' });
  } finally {
    await new Promise((closed) => server.close(closed));
  }
});

it('refuses a broken account database and does not replace it', async () => {
  const path = join(folder, 'data', 'accounts.sqlite');
  await mkdir(join(folder, 'data'), { recursive: true });
  await writeFile(path, 'this is no database, and long enough to be read as one '.repeat(40));
  const before = await readFile(path);
  const failed = runApi(configOf(), () => expect.fail('it started'), new AbortController().signal);
  await expect(failed).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  expect((await readFile(path)).equals(before)).toBe(true);
});

it('stops at once when it was told to before it started', async () => {
  const addresses: string[] = [];
  await runApi(configOf(), ({ url }) => addresses.push(url), AbortSignal.abort());
  expect(addresses).toHaveLength(1);
  await expect(fetch(addresses[0] ?? '')).rejects.toThrow(/fetch failed/);
});
