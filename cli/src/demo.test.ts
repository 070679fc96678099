import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { AssetStore } from '@ngatu/models';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseDemo } from './demo.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-demo-'));
  await mkdir(join(folder, 'local'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const MODELS = ['road-users-nano'];
const FACES = ['yunet-n-640', 'aizoo-mask-360', 'rfb-640-masked-face-v2', 'face-mask-nano'];
const VIDEOS = ['hanoi-giangvo-langha-1615', 'car-detection', 'vtest', 'masked-people-walking'];

/** A store of which only the named assets can be had. */
async function aStore(...available: string[]): Promise<AssetStore> {
  for (const name of available) await writeFile(join(folder, 'local', name), name);
  const describeFile = (name: string) => ({
    fileName: name,
    sha256: createHash('sha256').update(name).digest('hex'),
    sizeBytes: name.length,
    sources: [{ kind: 'local' as const }],
  });
  const modelsDir = join(folder, 'models');
  const { registry } = new AssetStore();
  for (const name of [...MODELS, ...FACES]) {
    const manifest = { ...registry.find(name)?.manifest, files: [describeFile(name)] };
    await mkdir(join(modelsDir, 'registry', name), { recursive: true });
    await writeFile(join(modelsDir, 'registry', name, 'model.json'), JSON.stringify(manifest));
  }
  const words = { purpose: 'Test.', licence: 'CC0-1.0', attribution: 'nobody', kind: 'video' as const };
  const assets = VIDEOS.map((name) => ({ name, ...describeFile(name), ...words }));
  return new AssetStore({
    localDir: join(folder, 'local'),
    cacheDir: join(folder, 'cache'),
    modelsDir,
    manifest: { schemaVersion: 1, assets },
  });
}

async function choose(store: AssetStore, name?: string, isAlone = false) {
  const passed: string[] = [];
  const signal = AbortSignal.timeout(10_000);
  const onPassed = (what: string) => passed.push(what);
  const options = { name, isAlone, signal, onPassed, onProgress: () => {} };
  const { name: chosen, model, cameras, profile } = await chooseDemo(store, options);
  expect(profile.profile.cameras.map((camera) => camera.name)).toEqual(cameras.map((camera) => camera.name));
  return { chosen, model, passed, videos: cameras.map(({ videoPath }) => basename(videoPath)) };
}

describe('the demonstration', () => {
  it('is the best whose video and detector can be had', async () => {
    expect(await choose(await aStore(...MODELS, ...FACES, ...VIDEOS))).toEqual({
      chosen: 'hanoi',
      model: 'road-users-nano',
      passed: [],
      videos: ['hanoi-giangvo-langha-1615', 'masked-people-walking'],
    });
  });

  it.each([
    ['its video', [...MODELS, ...FACES, 'hanoi-giangvo-langha-1615']],
    ['a network that it is for', [...MODELS, ...FACES.slice(1), ...VIDEOS]],
  ])(
    'goes without the camera that counts masks where %s cannot be had, and says so',
    async (_, available) => {
      expect(await choose(await aStore(...available))).toMatchObject({
        chosen: 'hanoi',
        passed: ['the camera promenade'],
        videos: ['hanoi-giangvo-langha-1615'],
      });
    },
  );

  it('is its own video alone where nothing else is wanted', async () => {
    const store = await aStore(...MODELS, ...FACES, ...VIDEOS);
    expect(await choose(store, 'hanoi', true)).toMatchObject({
      passed: [],
      videos: ['hanoi-giangvo-langha-1615'],
    });
  });

  it('passes over what lacks its video', async () => {
    const store = await aStore('car-detection', ...MODELS);
    expect(await choose(store)).toMatchObject({
      chosen: 'car-detection',
      model: 'road-users-nano',
      passed: ['the scene hanoi'],
    });
  });

  it('is none without a detector', async () => {
    await expect(choose(await aStore(...VIDEOS))).rejects.toMatchObject({ code: 'ASSET_UNAVAILABLE' });
  });

  it('is the one that was asked for, or none', async () => {
    const store = await aStore(...MODELS, ...VIDEOS);
    expect(await choose(store, 'car-detection')).toMatchObject({ chosen: 'car-detection', passed: [] });
    await rm(join(folder, 'local', 'vtest'));
    await expect(choose(store, 'vtest')).rejects.toMatchObject({ code: 'ASSET_UNAVAILABLE' });
  });

  it('says what is missing where nothing can be had', async () => {
    await expect(choose(await aStore())).rejects.toMatchObject({ code: 'ASSET_UNAVAILABLE' });
  });
});
