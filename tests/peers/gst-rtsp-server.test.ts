import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodePictures, expectCyclicRun, makeTestVideo } from '../../simulators/camera/test-video.ts';
import { startGstRtspServer } from './gst-rtsp-server.ts';

const CREDENTIALS = { username: 'operator', password: 'giao-thong' };

describe('GStreamer RTSP server as a peer', () => {
  let folder: string;
  let h264: string;
  let hevc: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gst-peer-'));
    h264 = await makeTestVideo(join(folder, 'h264.mp4'), { codec: 'h264' });
    hevc = await makeTestVideo(join(folder, 'hevc.mp4'), { codec: 'hevc' });
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('serves two mounts with digest authentication, each picture as in the file and across its end', async () => {
    const mounts = [
      { name: 'a', file: h264 },
      { name: 'b', file: hevc },
    ];
    await using server = await startGstRtspServer(
      { mounts, credentials: CREDENTIALS },
      AbortSignal.timeout(60_000),
    );
    const read = (name: string) =>
      decodePictures(server.url(name).replace('//', `//${CREDENTIALS.username}:${CREDENTIALS.password}@`), {
        count: 60,
      });
    const [a, b] = await Promise.all([read('a'), read('b')]);
    expectCyclicRun(a, await decodePictures(h264));
    expectCyclicRun(b, await decodePictures(hevc));
  });

  it('refuses a wrong password and no password', async () => {
    const mounts = [{ name: 'a', file: h264 }];
    await using server = await startGstRtspServer(
      { mounts, credentials: CREDENTIALS },
      AbortSignal.timeout(60_000),
    );
    await expect(decodePictures(server.url('a'), { count: 1 })).rejects.toThrow(/401/);
    const wrong = server.url('a').replace('//', '//operator:wrong@');
    await expect(decodePictures(wrong, { count: 1 })).rejects.toThrow(/401/);
  });

  it('says why it does not start', async () => {
    const mounts = [{ name: 'a', file: join(folder, 'missing.mp4') }];
    await expect(startGstRtspServer({ mounts }, AbortSignal.timeout(60_000))).rejects.toThrow(
      /cannot read .*missing/,
    );
  });
});
