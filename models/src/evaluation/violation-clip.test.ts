import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadViolationClips } from './violation-clip.ts';

const SCENE = 'schemaVersion: 1\nname: a\npicture: { width: 640, height: 480 }\n';
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ngatu-clips-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const put = (name: string, text: string): Promise<void> => writeFile(join(dir, name), text);
const load = () => loadViolationClips(dir, dir);

describe('loadViolationClips', () => {
  it('takes a truth with nothing but events, of any kind, with notes beside them', async () => {
    await put('a.mp4', '');
    await put('a.scene.yaml', SCENE);
    await put(
      'a.truth.json',
      JSON.stringify({ events: [{ kind: 'WRONG_WAY', frame_range: [1, 9], note: 'x' }], more: 1 }),
    );
    const [clip] = await load();
    expect(clip?.video).toBe(join(dir, 'a.mp4'));
    expect(clip?.truth.events).toHaveLength(1);
  });

  it('falls back to NAME.mp4 where the named video is not there', async () => {
    await put('a.mp4', '');
    await put('a.scene.yaml', SCENE);
    await put('a.truth.json', JSON.stringify({ video: '../b.mp4', events: [] }));
    expect((await load())[0]?.video).toBe(join(dir, 'a.mp4'));
  });

  it.each([
    ['no truth at all', {}, 'FILE_UNREADABLE'],
    ['no video', { 'a.truth.json': '{"events":[]}', 'a.scene.yaml': SCENE }, 'FILE_UNREADABLE'],
    ['no scene', { 'a.truth.json': '{"events":[]}', 'a.mp4': '' }, 'FILE_UNREADABLE'],
    [
      'a truth that is not JSON',
      { 'a.truth.json': '{', 'a.mp4': '', 'a.scene.yaml': SCENE },
      'TRUTH_INVALID',
    ],
    ['a truth without events', { 'a.truth.json': '{}', 'a.mp4': '', 'a.scene.yaml': SCENE }, 'TRUTH_INVALID'],
    [
      'an event without a moment',
      { 'a.truth.json': '{"events":[{"kind":"SPEED"}]}', 'a.mp4': '', 'a.scene.yaml': SCENE },
      'TRUTH_INVALID',
    ],
    [
      'a broken scene',
      { 'a.truth.json': '{"events":[]}', 'a.mp4': '', 'a.scene.yaml': 'name: 3' },
      'SCENE_INVALID',
    ],
  ])('refuses %s', async (_, files, code) => {
    for (const [name, text] of Object.entries(files)) await put(name, text);
    await expect(load()).rejects.toMatchObject({ code });
  });
});
