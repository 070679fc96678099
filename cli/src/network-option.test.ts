import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MASK_ASSETS } from '@ngatu/edge';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listNetworks } from './network-option.ts';

const FIRMWARE = fileURLToPath(new URL('../../firmware-config/', import.meta.url));
const { signal } = new AbortController();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-wishes-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The demonstration profile without its models and sensors, and with other lines at its end. */
async function aProfile(...lines: readonly string[]): Promise<string> {
  const text = await readFile(join(FIRMWARE, 'profiles/demo-car-detection.yaml'), 'utf8');
  const kept = text
    .replace(/^sensors:[\s\S]*/m, '')
    .replace(/^privacy:\n(?: .*\n)*/m, '')
    .replace(/^plates:\n.*\n/m, '')
    .replaceAll('../scenes', join(FIRMWARE, 'scenes'));
  const path = join(folder, 'profile.yaml');
  await writeFile(path, [kept, ...lines, ''].join('\n'));
  return path;
}

const listNames = async (...lines: readonly string[]): Promise<string[]> =>
  (await listNetworks(await aProfile(...lines), signal)).map(({ use, name }) => `${use} ${name}`);

describe('the networks that a profile asks for', () => {
  it('are those that read lamps and plates where it says nothing', async () => {
    expect(await listNames()).toEqual([
      ...['lamp lamp-state', 'plate-finder plates-nano'],
      ...['plate-reader plate-reader-vn', 'plate-reader ppocr-v4-rec'],
    ]);
  });

  it('are none where it wants none, and those that it names', async () => {
    expect(await listNames('plates: { read: false }', 'smallNets: { readLamps: false }')).toEqual([]);
    const named = await listNames(
      'plates: { detectorModel: a, readerModels: [b] }',
      'smallNets: { readLamps: false, helmetModel: c }',
      'privacy: { faceModel: d, plateModel: e }',
    );
    expect(named).toEqual(['helmet c', 'face-blur d', 'plate-blur e', 'plate-finder a', 'plate-reader b']);
  });

  it('are those of masks where a camera watches them', async () => {
    const path = await aProfile('plates: { read: false }', 'smallNets: { readLamps: false }');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(/^( +)(url: rtsp.*)$/m, '$1$2\n$1masks: {}'));
    const wishes = await listNetworks(path, signal);
    expect(wishes.map(({ use, name }) => [use, name])).toEqual(MASK_ASSETS.map((name) => ['mask', name]));
  });

  it('count who rides on two-wheelers where a scene has a rule for it', async () => {
    const scene = join(folder, 'counting.scene.yaml');
    const text = await readFile(join(FIRMWARE, 'scenes/car-detection.scene.yaml'), 'utf8');
    await writeFile(scene, text.replace(/^rules:\n/m, '$&  - { name: too-many, kind: OVERLOADED }\n'));
    const path = await aProfile('plates: { read: false }', 'smallNets: { readLamps: false }');
    const profile = await readFile(path, 'utf8');
    await writeFile(path, profile.replace(/^( +scene: ).*$/m, `$1${scene}`));
    const wishes = await listNetworks(path, signal);
    expect(wishes.map(({ use, name }) => [use, name])).toEqual([['occupants', 'occupant-count']]);
  });

  it('are found in the registry, and told by a code where it has none', async () => {
    const [lamp, helmet] = await listNetworks(
      await aProfile('plates: { read: false }', 'smallNets: { helmetModel: no-such-model }'),
      signal,
    );
    const { manifest, file } = (await lamp?.find()) ?? expect.unreachable();
    expect(manifest).toMatchObject({ name: 'lamp-state', task: 'lamp-state' });
    expect(file.sha256).toBe(manifest.files[0]?.sha256);
    await expect(helmet?.find()).rejects.toMatchObject({ code: 'ASSET_UNKNOWN' });
  });

  it('cannot be told of a profile that is not one', async () => {
    await expect(listNetworks(await aProfile('weather: fine'), signal)).rejects.toMatchObject({
      code: 'PROFILE_INVALID',
    });
  });
});
