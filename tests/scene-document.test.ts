import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadScene } from '@ngatu/firmware-config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const text = await readFile(join(import.meta.dirname, '..', 'docs', 'scenes.md'), 'utf8');
const blocks = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
/** The whole scene; other blocks are parts of one. */
const example = blocks.find((block) => block.includes('schemaVersion:')) ?? '';
const closerLook = blocks.find((block) => block.includes('closeUps:')) ?? '';
const documented = [...text.matchAll(/^\| `(\/[^`]+)` \|/gm)].map((match) => match[1] ?? '');

/** What was changed in the example, in the order of the table of mistakes. */
const MISTAKES = [
  ['forwardTowards: [620, 300]', 'forwardTowards: [560, 484]'],
  ['stopLine: stop-line', 'stopLine: stopline'],
  ['box: [1118, 96, 1140, 158]', 'box: [1118, 96, 22, 62]'],
  ['box: [1118, 96, 1140, 158]', 'box: [1270, 96, 1292, 158]'],
  ['[900, 506], [1040, 712]', '[1040, 712], [900, 506]'],
  ['[1180, 455]', '[11800, 455]'],
  ['labels: [motorbike]', 'labels: [motorcycle]'],
  ['kind: WRONG_WAY', 'kind: ONE_WAY'],
  ['dwellMs: 1500', 'dwellSeconds: 1.5'],
  ['to: [580, 500]', 'to: [560, 690]'],
  ['- name: stop-line', '- name: Stop Line'],
  ['- name: side-street', '- name: stop-line'],
  ['    labels: [motorbike]\n', ''],
] as const;

describe('docs/scenes.md', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ngatu-scene-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function load(yaml: string): ReturnType<typeof loadScene> {
    const file = join(folder, 'my.scene.yaml');
    await writeFile(file, yaml);
    return loadScene(file);
  }

  it('has a part with a close-up that is accepted in the place of the analysis of the example', async () => {
    const closer = `${example.replace(/^analysis:.*\n( {2}.*\n)*/m, '')}\n${closerLook}`;
    const { analysis } = (await load(closer)).scene;
    expect(analysis).toMatchObject({ overviewWidth: 640, closeUps: [{ enlarge: 1 }] });
  });

  it('has a worked example that is accepted, with a rule of every kind', async () => {
    const { scene } = await load(example);
    expect(scene.name).toBe('le-loi-tran-phu');
    const kinds = ['FORBIDDEN_AREA', 'LINE_COUNT', 'RED_LIGHT', 'STOP_LINE', 'WRONG_WAY'];
    expect([...new Set(scene.rules.map(({ kind }) => kind))].sort()).toEqual(kinds);
  });

  it('lists a mistake for every message', () => {
    expect(documented).toHaveLength(MISTAKES.length);
  });

  it.each(MISTAKES.map(([from, to], index) => [documented[index] ?? '', from, to] as const))(
    'says truly what is said of a mistake: %s',
    async (message, from, to) => {
      expect(example).toContain(from);
      const loading = load(example.replace(from, to));
      await expect(loading).rejects.toMatchObject({ code: 'SCENE_INVALID' });
      await expect(loading).rejects.toThrow(message);
    },
  );
});
