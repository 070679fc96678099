import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadProfile, resolveSecret } from './profile-file.ts';
import { loadScene } from './scene-file.ts';

const SCENE = 'schemaVersion: 1\nname: empty\npicture: { width: 640, height: 480 }\n';
const GOOD = `schemaVersion: 1
site: demo
node: gateway-1
broker: { url: 'mqtt://127.0.0.1:1883', username: node, password: { env: BROKER_PASSWORD } }
upload: { url: 'http://127.0.0.1:1', token: { env: UPLOAD_TOKEN } }
detector: { model: yolox-nano-dynamic }
cameras:
  - name: north
    url: rtsp://127.0.0.1:8554/north
    scene: scenes/empty.scene.yaml
`;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-profile-'));
  await mkdir(join(folder, 'scenes'));
  await writeFile(join(folder, 'scenes', 'empty.scene.yaml'), SCENE);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function load(text: string) {
  const file = join(folder, 'gateway.yaml');
  await writeFile(file, text);
  return loadProfile(file);
}

describe('loadProfile', () => {
  it('fills the defaults and loads the scenes beside the profile', async () => {
    const { profile, scenes } = await load(GOOD);
    expect(profile.detector).toEqual({ model: 'yolox-nano-dynamic', minConfidence: 0.1, threads: 1 });
    expect(profile.outbox.maxBytes).toBe(1_073_741_824);
    expect(profile.evidence).toMatchObject({ beforeMs: 5_000, afterMs: 5_000, stillOffsetMs: 1_500 });
    expect(profile.cameras[0]).toMatchObject({ stallTimeoutMs: 3_000, ringDurationMs: 300_000 });
    expect(scenes.get('north')?.scene.name).toBe('empty');
  });

  it.each([
    [
      'a password in the address',
      'rtsp://127.0.0.1:8554/north',
      'rtsp://u:secret@127.0.0.1:8554/north',
      /line 9 \/cameras\/0\/url/,
    ],
    ['a secret in the file', '{ env: UPLOAD_TOKEN }', 'hunter2', /line 5 \/upload\/token: Expected object/],
    ['a password without a user', 'username: node, ', '', /line 4 \/broker: a password needs a username/],
    [
      'a scene that is not there',
      'empty.scene',
      'none.scene',
      /line 10 \/cameras\/0\/scene: Cannot read .*none\.scene\.yaml/,
    ],
    ['an unknown field', 'site: demo', 'sight: demo', /\/sight: Unexpected property/],
    [
      'a value out of bounds',
      'model: yolox-nano-dynamic',
      'model: x, threads: 99',
      /line 6 \/detector\/threads: /,
    ],
    ['no camera', GOOD.slice(GOOD.indexOf('cameras:')), 'cameras: []\n', /line 7 \/cameras: /],
  ])('refuses %s and says where', async (_, from, to, message) => {
    const text = GOOD.replace(from, to);
    expect(text).not.toBe(GOOD);
    await expect(load(text)).rejects.toMatchObject({ code: 'PROFILE_INVALID' });
    await expect(load(text)).rejects.toThrow(message);
  });

  it('names two cameras of one name', async () => {
    const camera = GOOD.slice(GOOD.indexOf('  - name'));
    await expect(load(GOOD + camera)).rejects.toThrow(
      /line 11 \/cameras\/1\/name: the name "north" stands here twice/,
    );
  });

  it('takes further sources of a signal that is there, with their defaults, and names what is not', async () => {
    const scene = `${SCENE}signals: [{ name: main, box: [10, 10, 20, 40] }]\n`;
    await writeFile(join(folder, 'scenes', 'lit.scene.yaml'), scene);
    const source = (signal: string, camera = 'north') =>
      `  - { camera: ${camera}, signal: ${signal}, source: { kind: mqtt, topic: signals/north } }\n`;
    const lit = `${GOOD.replace('empty', 'lit')}signals:\n`;
    const { profile } = await load(lit + source('main'));
    expect(profile.signals).toMatchObject([
      {
        lamp: 'check',
        maxOffsetMs: 2_000,
        maxDisagreementMs: 1_500,
        source: { clock: 'controller', maxClockErrorMs: 1_500, validMs: 5_000 },
      },
    ]);
    await expect(load(lit + source('other'))).rejects.toThrow(
      /line 12 \/signals\/0\/signal: the scene of camera "north" has no signal "other"/,
    );
    await expect(load(lit + source('main', 'south'))).rejects.toThrow(/there is no camera "south"/);
    await expect(load(lit + source('main') + source('main'))).rejects.toThrow(
      /a second source of kind "mqtt"/,
    );
    const wild = lit + source('main').replace('signals/north', '"signals/#"');
    await expect(load(wild)).rejects.toMatchObject({ code: 'PROFILE_INVALID' });
  });

  it('passes the error of a scene on', async () => {
    await writeFile(join(folder, 'scenes', 'bad.scene.yaml'), 'schemaVersion: 1\n');
    await expect(load(GOOD.replace('empty', 'bad'))).rejects.toMatchObject({ code: 'SCENE_INVALID' });
  });
});

describe('resolveSecret', () => {
  it('reads the variable when it is asked for', () => {
    expect(resolveSecret({ env: 'TOKEN' }, { TOKEN: 'x' })).toBe('x');
    expect(() => resolveSecret({ env: 'TOKEN' }, {})).toThrow(/TOKEN: the environment variable is not set/);
  });
});

describe('the files of the product', () => {
  const own = join(import.meta.dirname, '..');

  it('has scenes and profiles that load', async () => {
    const scenes = await readdir(join(own, 'scenes'));
    for (const name of scenes) await loadScene(join(own, 'scenes', name));
    for (const name of await readdir(join(own, 'profiles'))) {
      const { profile } = await loadProfile(join(own, 'profiles', name));
      expect(profile.site).toBe('demo');
    }
    expect(scenes.length).toBeGreaterThanOrEqual(3);
  });
});
