import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCameraControl } from './camera-control.ts';
import { type CameraSimulatorOptions, runCameraSimulator, startCameraSimulator } from './camera-simulator.ts';
import { type Clip, loadClip } from './clip.ts';
import { RtspTestClient, waitUntil } from './rtsp-test-client.ts';
import { decodePictures, expectCyclicRun, makeTestVideo } from './test-video.ts';

const deadline = () => AbortSignal.timeout(60_000);
const now = () => performance.timeOrigin + performance.now();

// Most of the time is the clips' own: the tests run beside each other, but for the one that measures.
describe.concurrent('camera simulator', () => {
  let folder: string;
  const files = { h264: '', hevc: '', longGroup: '' };
  const clips: { h264?: Clip; hevc?: Clip; longGroup?: Clip } = {};
  const start = (options: Partial<CameraSimulatorOptions> = {}) => {
    const { h264, hevc, longGroup } = clips;
    if (!h264 || !hevc || !longGroup) throw new Error('the clips are not loaded');
    const mounts = [
      { path: '/h264', clip: h264, startsWith: 'first-client' as const },
      { path: '/hevc', clip: hevc, startsWith: 'first-client' as const },
      { path: '/long', clip: longGroup },
    ];
    return startCameraSimulator({ mounts, ...options }, deadline());
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'camera-'));
    const make = async (name: keyof typeof files, options: Parameters<typeof makeTestVideo>[1]) => {
      files[name] = await makeTestVideo(join(folder, `${name}.mp4`), options);
      clips[name] = await loadClip(files[name], { signal: deadline() });
    };
    await make('h264', { codec: 'h264', hasVariableRate: true });
    await make('hevc', { codec: 'hevc', hasVariableRate: true });
    await make('longGroup', { codec: 'h264', pictures: 250, keyframeInterval: 250 });
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(['h264', 'hevc'] as const)(
    'plays %s so that each picture and each time is the file’s, also across the loop',
    async (name) => {
      await using simulator = await start();
      const file = await decodePictures(files[name]);
      const pictures = await decodePictures(simulator.url(`/${name}`), {
        count: Math.ceil(file.length * 1.5),
      });
      expect(file.length).toBe(30);
      expect(new Set(file.map((picture) => picture.md5)).size).toBe(file.length);
      expectCyclicRun(pictures, file);
      expect(pictures[0]?.md5).toBe(file[0]?.md5);
      // 40, 40, 120 ms and so on; the last picture of the loop lasts the median
      const step = (index: number) => (index % 30 === 29 ? 3_600 : index % 3 === 2 ? 10_800 : 3_600);
      const intervals = pictures
        .slice(1)
        .map((picture, index) => picture.ptsTicks - (pictures[index]?.ptsTicks ?? 0));
      expect(intervals).toEqual(intervals.map((_, index) => step(index)));
    },
  );

  it('is told over its control to show another clip and its own again, and hears nothing else', async () => {
    await using simulator = await start();
    const { hevc } = clips;
    if (!hevc) throw new Error('the clips are not loaded');
    const camera = simulator.camera('/h264');
    await using control = await openCameraControl({ camera, variants: new Map([['codec', hevc]]), port: 0 });
    const tell = async (method: string, path: string) =>
      (await fetch(`http://127.0.0.1:${control.port}${path}`, { method })).status;
    const describe = async () => {
      const client = await RtspTestClient.open(simulator.port);
      const { body } = await client.request('DESCRIBE', camera.url);
      return { client, codec: /rtpmap:\d+ (\w+)/.exec(body)?.[1] };
    };
    const first = await describe();
    expect(first.codec).toBe('H264');
    expect(await tell('POST', '/show/codec')).toBe(204);
    await waitUntil(() => first.client.isClosed);
    const second = await describe();
    expect(second.codec).toBe('H265');
    expect(await tell('POST', '/show')).toBe(204);
    await waitUntil(() => second.client.isClosed);
    const third = await describe();
    expect(third.codec).toBe('H264');
    third.client.close();
    expect(await tell('POST', '/show/other')).toBe(404);
    expect(await tell('GET', '/show/codec')).toBe(404);
  });

  it('shows every client the same instant', async () => {
    await using simulator = await start();
    const file = await decodePictures(files.h264);
    const url = simulator.url('/h264');
    const [a, b] = await Promise.all([
      decodePictures(url, { count: 40 }),
      decodePictures(url, { count: 40 }),
    ]);
    expectCyclicRun(a, file);
    expectCyclicRun(b, file);
    const [first, second] = [
      await RtspTestClient.open(simulator.port),
      await RtspTestClient.open(simulator.port),
    ];
    await first.play(url);
    await second.play(url);
    await waitUntil(() => first.packets.length > 60 && second.packets.length > 60);
    const last = second.packets.filter((packet) => packet.channel === 0).at(-1);
    await waitUntil(() =>
      first.packets.some((packet) => last !== undefined && packet.data.equals(last.data)),
    );
    first.close();
    second.close();
  });

  it.sequential('gives a client that comes within a group of pictures a decodable picture at once', async () => {
    await using simulator = await start();
    const camera = simulator.camera('/long');
    const position = () => camera.positionAt(now())?.mediaTimeMs ?? 0;
    await waitUntil(() => position() > 1_000);
    const client = await RtspTestClient.open(simulator.port);
    const askedAtMs = now();
    const answer = await client.play(camera.url);
    const markers = () =>
      client.packets.filter((packet) => packet.channel === 0 && ((packet.data[1] ?? 0) & 0x80) !== 0);
    await waitUntil(() => markers().length >= 25);
    expect((markers()[24]?.receivedAtMs ?? Number.POSITIVE_INFINITY) - askedAtMs).toBeLessThan(500);
    const first = client.packets[0]?.data ?? Buffer.alloc(0);
    expect(answer.head).toContain(`;seq=${first.readUInt16BE(2)};rtptime=${first.readUInt32BE(4)}`);
    client.close();

    const startedAtMs = performance.now();
    const [picture] = await decodePictures(camera.url, { count: 1 });
    expect(performance.now() - startedAtMs).toBeLessThan(1_500);
    expect(picture?.md5).toBe((await decodePictures(files.longGroup, { count: 1 }))[0]?.md5);
  });

  it('asks for digest authentication where it has credentials', async () => {
    const credentials = { username: 'admin', password: 'pa:ss "word' };
    await using simulator = await start({ credentials });
    const url = simulator.url('/h264');
    const withSignIn = (user: string) => url.replace('//', `//${user}@`);
    await expect(decodePictures(url, { count: 1 })).rejects.toThrow(/401/);
    await expect(decodePictures(withSignIn('admin:wrong'), { count: 1 })).rejects.toThrow(/401/);
    await expect(decodePictures(withSignIn('root:pa%3Ass%20%22word'), { count: 1 })).rejects.toThrow(/401/);
    await simulator.stop();

    await using plain = await start({ credentials: { username: 'admin', password: 'matkhau' } });
    const pictures = await decodePictures(plain.url('/h264').replace('//', '//admin:matkhau@'), { count: 5 });
    expect(pictures).toHaveLength(5);
    const client = await RtspTestClient.open(plain.port);
    expect((await client.request('OPTIONS', '*')).status).toBe(200);
    for (const method of ['DESCRIBE', 'SETUP', 'PLAY', 'GET_PARAMETER', 'TEARDOWN']) {
      expect((await client.request(method, plain.url('/h264'))).status, method).toBe(401);
    }
    client.close();
  });

  it('answers by the book', async () => {
    await using simulator = await start();
    const client = await RtspTestClient.open(simulator.port);
    const url = simulator.url('/hevc');
    const transport = (text: string) => client.request('SETUP', `${url}/trackID=0`, { Transport: text });
    expect((await client.request('DESCRIBE', `${url}-not`)).status).toBe(404);
    expect((await client.request('DESCRIBE', url, { Accept: 'application/rtsl' })).status).toBe(406);
    const described = await client.request('DESCRIBE', url, { Accept: 'application/sdp' });
    expect(described.head).toContain(`Content-Base: ${url}/`);
    expect(described.body).toMatch(/sprop-vps=\S+; sprop-sps=\S+; sprop-pps=\S+/);
    expect((await transport('RTP/AVP;unicast;client_port=5000-5001')).status).toBe(461);
    expect((await client.request('PLAY', url, { Session: 'none' })).status).toBe(454);
    expect((await client.request('PAUSE', url)).status).toBe(405);
    expect((await client.request('FLY', url)).status).toBe(501);
    const setUp = await transport(
      'RTP/AVP;unicast;client_port=5000-5001,RTP/AVP/TCP;unicast;interleaved=6-7',
    );
    expect(setUp.head).toContain('interleaved=6-7');
    expect((await transport('RTP/AVP/TCP')).status).toBe(454);
    const session = { Session: /^Session: (\w+)/m.exec(setUp.head)?.[1] ?? '' };
    expect((await client.request('PLAY', url, session)).status).toBe(200);
    // a receiver report of the client between its requests
    client.socket.write(Buffer.from([0x24, 7, 0, 8, 0x80, 201, 0, 1, 0, 0, 0, 1]));
    expect((await client.request('GET_PARAMETER', url, session)).status).toBe(200);
    expect((await client.request('SET_PARAMETER', url, session)).status).toBe(200);
    await waitUntil(() => client.packets.some((packet) => packet.channel === 6));
    expect((await client.request('TEARDOWN', url, session)).status).toBe(200);
    await waitUntil(() => simulator.camera('/hevc').statistics.viewers === 0);
    client.close();
  });

  it('survives whatever a client sends', async () => {
    await using simulator = await start();
    const junk: [string | Buffer, number][] = [
      ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
      ['\u0000\u0001\u0002 nothing at all', 400],
      ['OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n', 505],
      ['OPTIONS * RTSP/1.0\r\n: no name\r\n\r\n', 400],
      ['SET_PARAMETER * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 999999\r\n\r\n', 413],
      [`OPTIONS ${'x'.repeat(20_000)}`, 413],
    ];
    for (const [bytes, status] of junk) {
      const client = await RtspTestClient.open(simulator.port);
      client.socket.write(bytes);
      await waitUntil(() => client.isClosed);
      expect(client.answers[0]?.status, String(bytes).slice(0, 40)).toBe(status);
    }
    // bytes from a linear congruential generator, seed 1 (Numerical Recipes)
    const noise = Buffer.alloc(200_000);
    for (let i = 0, state = 1; i < noise.length; i += 1) {
      state = (state * 1_664_525 + 1_013_904_223) >>> 0;
      noise[i] = state >>> 24;
    }
    for (let start = 0; start < noise.length; start += 20_000) {
      const socket = connect(simulator.port, '127.0.0.1');
      socket.on('error', () => socket.destroy());
      socket.end(noise.subarray(start, start + 20_000));
      await once(socket.resume(), 'close');
    }
    expect(await decodePictures(simulator.url('/h264'), { count: 3 })).toHaveLength(3);
  });

  it('reports which wall clock time each picture has', async () => {
    await using simulator = await start();
    const camera = simulator.camera('/h264');
    expect(camera.loopZeroEpochMs).toBeUndefined();
    const client = await RtspTestClient.open(simulator.port);
    await client.play(camera.url);
    const report = () => client.packets.find((packet) => packet.channel === 1)?.data;
    await waitUntil(() => report() !== undefined);
    const data = report() ?? Buffer.alloc(28);
    const epochMs = (data.readUInt32BE(8) - 2_208_988_800 + data.readUInt32BE(12) / 2 ** 32) * 1_000;
    const firstTime = client.packets.find((packet) => packet.channel === 0)?.data.readUInt32BE(4) ?? 0;
    const sinceFirstMs = ((data.readUInt32BE(16) - firstTime) >>> 0) / 90;
    // the first picture of a camera that starts with its first client is that of media time 0
    expect(epochMs - sinceFirstMs - (camera.epochMsAt({ loop: 0, mediaTimeMs: 0 }) ?? 0)).toBeCloseTo(0, 1);
    expect(camera.positionAt(epochMs + camera.loopDurationMs)?.loop).toBe(1);
    expect(Math.abs(now() - epochMs)).toBeLessThan(1_000);
    client.close();
  });

  it('misbehaves on demand and recovers', async () => {
    await using simulator = await start();
    const camera = simulator.camera('/h264');
    const client = await RtspTestClient.open(simulator.port);
    await client.play(camera.url);
    const lastTime = () =>
      client.packets
        .filter((packet) => packet.channel === 0)
        .at(-1)
        ?.data.readUInt32BE(4) ?? 0;
    await waitUntil(() => client.packets.length > 20);
    camera.freeze();
    expect((await client.request('OPTIONS', '*')).status).toBe(200);
    const frozenAt = { bytes: client.bytesReceived, time: lastTime(), epochMs: now() };
    await waitUntil(() => now() - frozenAt.epochMs > 2_500);
    expect(client.bytesReceived).toBe(frozenAt.bytes);
    camera.resume();
    const skippedMs = () => ((lastTime() - frozenAt.time) >>> 0) / 90;
    await waitUntil(() => skippedMs() > 2_500);
    expect(skippedMs()).toBeLessThan(now() - frozenAt.epochMs + 200);

    const garbageAtMs = now();
    camera.sendGarbage({ kind: 'payload', accessUnits: 20 });
    await expect(decodePictures(camera.url, { count: 20 })).rejects.toThrow();
    simulator.disconnectAll();
    await waitUntil(() => client.isClosed && camera.statistics.viewers === 0);

    const file = await decodePictures(files.h264);
    const broken = await RtspTestClient.open(simulator.port);
    await broken.play(camera.url);
    camera.sendGarbage({ kind: 'framing' });
    const framedBytes = () =>
      broken.packets
        .filter((packet) => packet.channel < 2)
        .reduce((sum, packet) => sum + 4 + packet.data.length, 0);
    await waitUntil(() => broken.bytesReceived - framedBytes() > 4_096);
    // 20 access units take 1.3 s, the group of pictures that they damage ends within another second
    await waitUntil(() => now() - garbageAtMs > 2_500);
    broken.close();
    expectCyclicRun(await decodePictures(camera.url, { count: 20 }), file);
  });

  it('refuses a port that is taken and paths that are no paths', async () => {
    await using simulator = await start();
    await expect(start({ port: simulator.port })).rejects.toMatchObject({ code: 'PORT_TAKEN' });
    const clip = clips.h264 as Clip;
    for (const path of ['hanoi', '/', '/a/', '/a b']) {
      await expect(start({ mounts: [{ path, clip }] })).rejects.toMatchObject({ code: 'USAGE' });
    }
  });

  it('runs from files until it is aborted, and leaves no port', async () => {
    const abort = new AbortController();
    let url = '';
    const running = runCameraSimulator(
      { mounts: [{ path: '/a', file: files.h264, startAtMs: 500 }], cacheDir: join(folder, 'cache') },
      abort.signal,
      (simulator) => {
        url = simulator.url('/a');
        expect(simulator.camera('/a').positionAt(now())?.mediaTimeMs).toBeGreaterThan(499);
      },
    );
    await waitUntil(() => url !== '');
    const client = await RtspTestClient.open(Number(new URL(url).port));
    await client.play(url);
    abort.abort();
    await running;
    await waitUntil(() => client.isClosed);
    await expect(RtspTestClient.open(Number(new URL(url).port))).rejects.toThrow(/ECONNREFUSED/);
  });
});
