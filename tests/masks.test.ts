import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fillDefaults, MaskProfile, type Measurement, type Telemetry } from '@ngatu/contract';
import {
  AssetStore,
  evaluateMaskClips,
  evaluateMasks,
  findRepositoryRoot,
  HonestSight,
  locateAssetFolders,
} from '@ngatu/models';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MASK_ASSETS, runMasks } from '../edge/src/agent-masks.ts';
import { startCameraSimulator } from '../simulators/camera/camera-simulator.ts';
import { loadClip } from '../simulators/camera/clip.ts';

const store = new AssetStore();
const nets = await Promise.all(MASK_ASSETS.map((name) => store.find(name)));
const clip = await store.find('masked-people-walking');
const dataset = join(locateAssetFolders().localDir, 'datasets', 'masks');
const pictures = await readdir(join(dataset, 'images')).catch(() => []);
const hasNets = nets.every((net) => net !== undefined);
const { signal } = new AbortController();

describe.skipIf(!hasNets || pictures.length === 0)('masks in labelled pictures', () => {
  let folder: string;
  const sight = new HonestSight('fused', store, signal);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ngatu-mask-pictures-'));
    for (const part of ['images', 'annotations']) await mkdir(join(folder, part));
    for (const name of pictures.sort().filter((_, at) => at % 16 === 3)) {
      const xml = `${name.replace(/\.\w+$/, '')}.xml`;
      await symlink(join(dataset, 'images', name), join(folder, 'images', name));
      await symlink(join(dataset, 'annotations', xml), join(folder, 'annotations', xml));
    }
  });
  afterAll(async () => {
    await sight.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('are told on faces of 32 px and more, by coefficients that were learned without these pictures', async () => {
    const { metrics, predictions } = await evaluateMasks({ dataDir: folder, choosers: [sight] }, signal);
    const [figures] = metrics.sights;
    expect(figures?.heldOutPictures).toBe(figures?.pictures);
    expect(predictions).toHaveLength(metrics.pictures);
    const large = figures?.sizes.find(({ size }) => size === '≥ 32 px');
    expect(large?.face.recall.value).toBeGreaterThanOrEqual(0.9);
    expect(large?.rightOfJudged.value).toBeGreaterThanOrEqual(0.9);
  }, 120_000);

  it('are not looked for in a picture that cannot be read', async () => {
    await writeFile(join(folder, 'images', 'torn.jpg'), 'no picture');
    await writeFile(join(folder, 'annotations', 'torn.xml'), '<annotation/>');
    await expect(evaluateMasks({ dataDir: folder, choosers: [sight] }, signal)).rejects.toMatchObject({
      code: 'PICTURE_UNREADABLE',
    });
  }, 120_000);
});

describe.skipIf(!hasNets || clip === undefined)('people with masks who walk past', () => {
  it('are counted once each, as a person saw them', async () => {
    const dataDir = join(findRepositoryRoot(), 'models', 'annotations');
    const chooser = new HonestSight('fused', store, signal);
    const { sight } = await chooser.choose('');
    const clips = await evaluateMaskClips({ dataDir, assets: store, sight }, signal);
    await chooser.close();
    expect(clips.map(({ name }) => name)).toEqual(['masked-people-walking']);
    const metrics = clips[0]?.metrics ?? { wrong: 99, missed: 99, right: 0, countedMore: 99, strangers: 99 };
    expect(metrics.strangers).toBeLessThanOrEqual(2);
    expect(metrics.countedMore).toBeLessThanOrEqual(2);
    expect(metrics.wrong).toBeLessThanOrEqual(1);
    expect(metrics.missed).toBeLessThanOrEqual(2);
    expect(metrics.right).toBeGreaterThanOrEqual(9);
  }, 300_000);

  it('reach the outbox as counts of a window, from a live camera', async () => {
    const camera = await startCameraSimulator(
      { mounts: [{ path: '/gate', clip: await loadClip(clip?.path ?? '', { signal }), startAtMs: 14_000 }] },
      signal,
    );
    const told: Telemetry[] = [];
    const stop = new AbortController();
    const masks = fillDefaults(MaskProfile, { windowMs: 10_000 }) as MaskProfile;
    const running = runMasks(
      {
        cameras: [
          {
            ...{ name: 'gate', url: camera.camera('/gate').url, stallTimeoutMs: 10_000 },
            ...{ picture: { width: 538, height: 372 }, masks },
          },
        ],
        models: nets.flatMap((net) => (net === undefined ? [] : [{ ...net, name: net.asset.name }])),
      },
      {
        ...{ site: 'demo', node: 'gateway-1', clock: { nowMs: () => Date.now() }, random: Math.random },
        outbox: {
          append: (messages) => {
            for (const { channel, body } of messages) if (channel === 'telemetry') told.push(body);
            return [];
          },
        },
        logger: pino({ level: 'silent' }),
      },
      stop.signal,
    );
    const total = (metric: string): number =>
      told
        .flatMap(({ measurements }): Measurement[] => measurements)
        .reduce((sum, entry) => sum + (entry.metric === metric ? entry.value : 0), 0);
    try {
      await expect.poll(() => total('maskWith'), { timeout: 180_000, interval: 200 }).toBeGreaterThan(0);
    } finally {
      stop.abort();
      await running;
      await camera.stop();
    }
    expect(total('maskWatchedShare')).toBeGreaterThan(0);
    expect(told.every(({ camera: name }) => name === 'gate')).toBe(true);
    // counts only: nothing that could tell who or where
    expect(JSON.stringify(told)).not.toMatch(/box|picture|personId/);
  }, 240_000);
});
