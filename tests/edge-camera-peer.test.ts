import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeUnevenClip, runFfmpeg } from '../edge/src/camera/test-clip.ts';
import { startGstRtspServer } from './peers/gst-rtsp-server.ts';
import { lastState, until, type WatchedCamera, watchCamera } from './watched-camera.ts';

/** The agent against a server that is not ours: several cameras at once, both codecs, digest authentication. */

const PICTURE = { width: 320, height: 180 };
const CREDENTIALS = { username: 'viewer', password: 'not-a-secret' };
let dir: string;
let mounts: { name: string; file: string }[];
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ngatu-edge-peer-'));
  mounts = ['plain', 'reordered', 'hevc'].map((name) => ({ name, file: join(dir, `${name}.mp4`) }));
  const [plain, reordered, hevc] = mounts.map(({ file }) => file) as [string, string, string];
  await makeUnevenClip(plain, '-bf', '0');
  await makeUnevenClip(reordered);
  const hevcOptions = ['-c:v', 'libx265', '-x265-params', 'keyint=12:log-level=error', '-tag:v', 'hvc1'];
  await runFfmpeg('-i', plain, '-fps_mode', 'passthrough', ...hevcOptions, '-pix_fmt', 'yuv420p', hevc);
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function serve(port = 0) {
  const server = await startGstRtspServer(
    { mounts, credentials: CREDENTIALS, port },
    AbortSignal.timeout(110_000),
  );
  stops.push(() => server.stop());
  return server;
}

function expectRising({ frames }: WatchedCamera): void {
  for (const [i, frame] of frames.entries()) {
    const before = frames[i - 1];
    if (before?.session !== frame.session) continue;
    expect(frame.mediaTimeMs).toBeGreaterThan(before.mediaTimeMs);
    expect(frame.capturedAtMs).toBeGreaterThanOrEqual(before.capturedAtMs);
  }
}

describe('cameras behind a third-party RTSP server', () => {
  it('are read three at once, H.264 with and without reordering and H.265, with digest authentication', async () => {
    const server = await serve();
    const watched = mounts.map(({ name }) =>
      watchCamera(server.url(name), { picture: PICTURE, ...CREDENTIALS }),
    );
    stops.push(...watched.map(({ stop }) => stop));
    await until(() => watched.every(({ frames }) => frames.length > 80), 60_000);
    for (const camera of watched) {
      expectRising(camera);
      expect(new Set(camera.frames.map(({ session }) => session)).size).toBe(1);
      expect(camera.transitions.map(({ state }) => state)).toEqual(['connecting', 'streaming']);
    }
  });

  it('are back within 5 s of the return of a server that was killed', async () => {
    const server = await serve();
    const { port } = server;
    const watched = mounts
      .slice(0, 2)
      .map(({ name }) =>
        watchCamera(server.url(name), { picture: PICTURE, stallTimeoutMs: 2_000, ...CREDENTIALS }),
      );
    stops.push(...watched.map(({ stop }) => stop));
    await until(() => watched.every(({ frames }) => frames.length > 10), 30_000);
    process.kill(server.pid, 'SIGKILL');
    await until(() => watched.every((camera) => lastState(camera) === 'down'), 30_000);
    await serve(port);
    const returnedMs = Date.now();
    await until(() => watched.every((camera) => lastState(camera) === 'streaming'), 30_000);
    expect(Date.now() - returnedMs).toBeLessThan(5_000);
  });
});
