import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LiveCameraOptions } from '../edge/src/camera/live-camera.ts';
import { makeUnevenClip, runFfmpeg } from '../edge/src/camera/test-clip.ts';
import { EvidenceFiles } from '../edge/src/evidence/evidence-files.ts';
import { makeEvidence } from '../edge/src/evidence/evidence-job.ts';
import { LocalPictureMaker } from '../edge/src/evidence/local-picture-maker.ts';
import { SegmentRing } from '../edge/src/evidence/segment-ring.ts';
import type { Frame } from '../edge/src/frame/frame.ts';
import { startCameraSimulator } from '../simulators/camera/camera-simulator.ts';
import { type Clip, loadClip } from '../simulators/camera/clip.ts';
import { lastState, until, type WatchedCamera, watchCamera } from './watched-camera.ts';

/** Agent against RTSP cameras: times, reconnects, faults, evidence. */

const PICTURE = { width: 320, height: 180 };
let dir: string;
/** With B-frames, and as traffic cameras send it. */
let clip: Clip;
let plainClip: Clip;
/** Presentation time in the file by the MD5 of the decoded picture, ms. */
let timeOfPicture: Map<string, number>;
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ngatu-edge-camera-'));
  const path = join(dir, 'uneven.mp4');
  await makeUnevenClip(path);
  const plainPath = join(dir, 'plain.mp4');
  await makeUnevenClip(plainPath, '-bf', '0');
  const { signal } = new AbortController();
  [clip, plainClip] = await Promise.all([loadClip(path, { signal }), loadClip(plainPath, { signal })]);
  timeOfPicture = new Map([...(await hashPictures(path)), ...(await hashPictures(plainPath))]);
  expect(timeOfPicture.size).toBe(120);
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function hashPictures(path: string): Promise<Map<string, number>> {
  const args = [
    '-fps_mode',
    'passthrough',
    '-pix_fmt',
    'bgr24',
    '-c:v',
    'rawvideo',
    '-enc_time_base',
    '1:90000',
  ];
  const text = String(await runFfmpeg('-i', path, ...args, '-f', 'framemd5', 'pipe:1'));
  const rows = text.split('\n').filter((line) => /^\d/.test(line));
  const fields = rows.map((line) => line.split(',').map((field) => field.trim()));
  return new Map(fields.map((row) => [row[5] ?? '', Number(row[2]) / 90]));
}

const hashFrame = (frame: Frame) => createHash('md5').update(frame.pixels).digest('hex');

async function startServer(
  options: { port?: number; credentials?: { username: string; password: string } } = {},
) {
  const controller = new AbortController();
  const server = await startCameraSimulator(
    {
      mounts: [
        { path: '/c', clip },
        { path: '/plain', clip: plainClip },
      ],
      ...options,
    },
    controller.signal,
  );
  stops.push(() => server.stop());
  return server;
}

function watch(url: string, options: Partial<LiveCameraOptions> = {}): WatchedCamera {
  const watched = watchCamera(url, { picture: PICTURE, ...options });
  stops.push(watched.stop);
  return watched;
}

describe('a live camera', () => {
  // What cannot be seen from here: reading and decoding, and with B-frames the reordering at both ends.
  it.each([
    ['/plain', 120],
    ['/c', 450],
  ])(
    'delivers the pictures of %s with the instants at which the camera saw them, across the loop',
    async (path, delayMs) => {
      const server = await startServer();
      const watched = watch(server.url(path));
      await until(() => watched.frames.length > 120);
      const simulated = server.camera(path);
      const settled = watched.frames.filter(({ clockErrorMs }) => clockErrorMs < 1_000);
      expect(settled.length).toBeGreaterThan(40);
      for (const frame of watched.frames) expect(timeOfPicture.has(hashFrame(frame))).toBe(true);
      const errors = settled.map((frame) => {
        const mediaTimeMs = timeOfPicture.get(hashFrame(frame)) ?? Number.NaN;
        const { loop = 0 } = simulated.positionAt(frame.capturedAtMs) ?? {};
        const candidates = [loop - 1, loop, loop + 1].map((which) => {
          const truthMs = simulated.epochMsAt({ loop: which, mediaTimeMs }) ?? Number.NaN;
          return frame.capturedAtMs - truthMs;
        });
        return candidates.reduce((best, error) => (Math.abs(error) < Math.abs(best) ? error : best));
      });
      expect(Math.max(...errors) - Math.min(...errors)).toBeLessThan(2);
      expect(Math.min(...errors)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...errors)).toBeLessThan(delayMs);
      expect(watched.camera.counters.framesDecoded).toBeGreaterThanOrEqual(watched.frames.length);
    },
  );

  it('is back within 5 s of the camera’s return, and tells since when it was blind', async () => {
    const server = await startServer();
    const { port } = server;
    const watched = watch(server.url('/c'));
    await until(() => watched.frames.length > 5);
    await server.stop();
    await until(() => lastState(watched) === 'down');
    const down = watched.transitions.at(-1);
    expect(down?.code).toBe('CAMERA_UNREACHABLE');
    expect(down?.sinceMs).toBe(watched.frames.at(-1)?.capturedAtMs);
    // Long enough for the delay between attempts to grow to its limit.
    const goneUntilMs = Date.now() + 4_000;
    await until(() => Date.now() > goneUntilMs);
    await startServer({ port });
    const returnedMs = Date.now();
    await until(() => lastState(watched) === 'streaming');
    expect(Date.now() - returnedMs).toBeLessThan(5_000);
    expect(new Set(watched.frames.map(({ session }) => session)).size).toBeGreaterThanOrEqual(1);
    expect(watched.transitions.map(({ state }) => state)).toEqual([
      'connecting',
      'streaming',
      'down',
      'streaming',
    ]);
  });

  it('notices a frozen camera, ends ffmpeg and comes back when it thaws', async () => {
    const server = await startServer();
    const watched = watch(server.url('/c'));
    await until(() => watched.frames.length > 5);
    server.camera('/c').freeze();
    const frozenMs = Date.now();
    await until(() => lastState(watched) === 'down');
    expect(watched.transitions.at(-1)?.code).toBe('CAMERA_STALLED');
    expect(Date.now() - frozenMs).toBeLessThan(1_000 + 2_500);
    server.camera('/c').resume();
    const thawedMs = Date.now();
    await until(() => lastState(watched) === 'streaming');
    expect(Date.now() - thawedMs).toBeLessThan(5_000);
  });

  it('tells a wrong password from a dead camera, and writes no password into its log', async () => {
    const server = await startServer({ credentials: { username: 'viewer', password: 's3cret/@:' } });
    const wrong = watch(server.url('/c'), { username: 'viewer', password: 'wr0ng-one' });
    const right = watch(server.url('/c'), { username: 'viewer', password: 's3cret/@:' });
    await until(() => lastState(wrong) === 'down' && right.frames.length > 3);
    expect(wrong.transitions.at(-1)?.code).toBe('CAMERA_UNAUTHORIZED');
    expect(wrong.camera.counters.sessionsOpened).toBeLessThanOrEqual(1);
    const said = [...wrong.log, ...right.log, JSON.stringify(wrong.transitions)].join('\n');
    expect(said).toContain('CAMERA_UNAUTHORIZED');
    expect(said).not.toMatch(/wr0ng-one|s3cret/);
  });

  it('reports a picture of another size than the scene’s with both sizes', async () => {
    const server = await startServer();
    const watched = watch(server.url('/c'), { picture: { width: 1_280, height: 720 } });
    await until(() => lastState(watched) === 'down');
    expect(watched.transitions.at(-1)).toMatchObject({ code: 'VIDEO_UNREADABLE' });
    expect(watched.transitions.at(-1)?.message).toMatch(/320×180.*1280×720/);
  });
});

describe('evidence from a live camera', () => {
  it('is made of the camera’s own pictures, also of a session that broke off', async () => {
    const server = await startServer();
    const log = pino({ level: 'silent' });
    const limits = { maxDurationMs: 60_000, maxBytes: 1e9, segmentMs: 500 };
    const ring = await SegmentRing.open({ dir: join(dir, 'ring'), ...limits, log });
    const files = await EvidenceFiles.open(join(dir, 'evidence'));
    const watched = watch(server.url('/c'), { ring });
    await until(() => watched.frames.length > 60);
    const frame = watched.frames[50];
    if (frame === undefined) throw new Error('no frame');
    const pictures = new LocalPictureMaker({});
    const user = { label: 'car', box: [20, 20, 120, 120], occupants: [] } as const;
    const job = {
      ...{ beforeMs: 1_000, afterMs: 1_000, stillOffsetMs: 500, deadlineMs: 10_000, ring, files },
      ...{ pictures, subject: user, listSights: () => [] },
    };
    const { signal } = new AbortController();
    const whole = await makeEvidence({ ...job, moment: frame }, signal);
    expect(whole.missing).toEqual([]);
    const pictureMs = timeOfPicture.get(hashFrame(frame)) ?? Number.NaN;
    const cut = whole.files.find(({ role }) => role === 'clip');
    const path = files.path(cut?.sha256 ?? '');
    const inClip = await hashPictures(path);
    for (const hash of inClip.keys()) expect(timeOfPicture.has(hash)).toBe(true);
    const atMoment = [...inClip].find(([, timeMs]) => Math.abs(timeMs - (cut?.eventOffsetMs ?? 0)) <= 1);
    expect(timeOfPicture.get(atMoment?.[0] ?? '')).toBe(pictureMs);

    const last = watched.frames.at(-1);
    await server.stop();
    await until(() => lastState(watched) === 'down');
    if (last === undefined) throw new Error('no frame');
    const broken = await makeEvidence({ ...job, stillOffsetMs: 2_000, moment: last }, signal);
    expect(broken.files.map(({ role }) => role)).toContain('still-at');
    expect(broken.missing.map(({ role }) => role)).toEqual(['still-after']);
    await watched.stop();
    await ring.close();
  });
});
