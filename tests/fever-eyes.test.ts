import { AssetStore } from '@ngatu/models';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { type FaceNet, openFaceNet } from '../edge/src/mask/face-net.ts';
import { loadNetwork } from '../edge/src/model/model-file.ts';
import { NetworkHolder } from '../edge/src/model/network-holder.ts';
import { type EyeModel, GateEyes } from '../edge/src/pipeline/gate-eyes.ts';
import { startCameraSimulator } from '../simulators/camera/camera-simulator.ts';
import { loadClip } from '../simulators/camera/clip.ts';

const store = new AssetStore();
const [net, clip] = await Promise.all(
  ['yunet-n-640', 'masked-people-walking'].map((name) => store.find(name)),
);
const SIZE = { width: 538, height: 372 };
const CORNERS = [
  [100, 80],
  [440, 80],
  [440, 300],
  [100, 300],
] as const;
/** The thermal picture is half as large and lies 12 px to the right. */
const pairs = CORNERS.map(([x, y]) => ({
  visible: [x, y] as [number, number],
  thermal: [x / 2 + 12, y / 2] as [number, number],
}));

function openEyes(url: string, model: EyeModel | undefined): GateEyes {
  const logger = pino({ level: 'silent' });
  return new GateEyes({
    visible: { url, ...SIZE, pairs, lagMs: 0 },
    ...{ model, clock: { nowMs: () => Date.now() }, random: Math.random, logger },
  });
}

describe.skipIf(net === undefined || clip === undefined)('the visible camera of a gate', () => {
  it('names canthi near the instant at which one person was seen, over a live stream', async () => {
    if (net === undefined || clip === undefined) return;
    const stop = new AbortController();
    const { signal } = new AbortController();
    const camera = await startCameraSimulator(
      { mounts: [{ path: '/gate', clip: await loadClip(clip.path, { signal }), startAtMs: 14_000 }] },
      signal,
    );
    try {
      const { manifest, ...file } = await store.resolveModel('yunet-n-640');
      const place = new NetworkHolder<FaceNet>();
      await place.replace(await openFaceNet(await loadNetwork({ manifest, file })));
      const eyes = openEyes(camera.camera('/gate').url, place);
      const running = eyes.run(stop.signal);
      const hints: NonNullable<ReturnType<GateEyes['hintAt']>>[] = [];
      await expect
        .poll(
          () => {
            const hint = eyes.hintAt(Date.now() - 400);
            if (hint !== undefined) hints.push(hint);
            return hints.length;
          },
          { timeout: 45_000, interval: 50 },
        )
        .toBeGreaterThan(3);
      for (const { left, right } of hints) {
        expect(left[0]).toBeLessThan(right[0]);
        expect(Math.min(left[0], right[0])).toBeGreaterThan(12);
        expect(Math.max(left[0], right[0])).toBeLessThan(SIZE.width / 2 + 12);
        expect(right[0] - left[0]).toBeLessThan(60);
      }
      expect(eyes.hintAt(Date.now() - 60_000)).toBeUndefined();
      stop.abort();
      await running;
    } finally {
      stop.abort();
      await camera.stop();
    }
  }, 90_000);
});

describe('a visible camera of a gate', () => {
  it('is left alone until its network is there, and for ever where nobody looks for one', async () => {
    const stop = new AbortController();
    const waiting = openEyes('rtsp://127.0.0.1:1/gate', new NetworkHolder<FaceNet>());
    const running = waiting.run(stop.signal);
    expect(waiting.hintAt(Date.now())).toBeUndefined();
    stop.abort();
    await running;
    const alone = openEyes('rtsp://127.0.0.1:1/gate', undefined);
    await alone.run(new AbortController().signal);
    expect(alone.hintAt(Date.now())).toBeUndefined();
  });

  it('whose points lie on a line is refused', () => {
    const line = [1, 2, 3, 4].map((n) => ({ visible: [n * 50, n * 50], thermal: [n * 20, n * 20] }));
    expect(
      () =>
        new GateEyes({
          visible: { url: 'rtsp://127.0.0.1:1/gate', ...SIZE, pairs: line as typeof pairs, lagMs: 0 },
          ...{
            model: undefined,
            clock: { nowMs: Date.now },
            random: Math.random,
            logger: pino({ level: 'silent' }),
          },
        }),
    ).toThrow(expect.objectContaining({ code: 'PROFILE_INVALID' }));
  });
});
