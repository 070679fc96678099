import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCalibrationPoints, loadSceneCalibration, replaceCalibration } from './scene-calibration.ts';

const CALIBRATION = {
  pairs: [{ image: [10, 20] as [number, number], ground: [1, 2] as [number, number] }],
  lengths: [],
  imageErrorPx: 1.5,
  groundErrorM: 0.05,
};
const SCENE = `# a scene
schemaVersion: 1
zones:
  - { name: a, polygon: [[1,2], [3, 4], [5,6]] } # odd spacing stays
rules: []
`;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-calibration-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

describe('replaceCalibration', () => {
  it('appends the section and leaves every other byte', () => {
    const text = replaceCalibration(SCENE, CALIBRATION);
    expect(text.startsWith(SCENE)).toBe(true);
    expect(text).toContain('- { image: [ 10, 20 ], ground: [ 1, 2 ] }');
  });

  it('replaces a section in the middle and nothing else', async () => {
    const before =
      'schemaVersion: 1\ncalibration:\n  pairs: []\n  # old\n  imageErrorPx: 9\n\n# then\nrules: []\n';
    const text = replaceCalibration(before, CALIBRATION);
    expect(text).toMatch(/^schemaVersion: 1\ncalibration:\n {2}pairs:/);
    expect(text).toMatch(/rules: \[\]\n$/);
    expect(text).not.toContain('imageErrorPx: 9');
    const again = await loadSceneCalibration(await write('again.yaml', text));
    expect(again).toEqual(CALIBRATION);
    expect(replaceCalibration(text, CALIBRATION)).toBe(text);
  });
});

describe('loadCalibrationPoints', () => {
  it('reads CSV with a heading and notes, and YAML with lengths', async () => {
    const csv = await write('a.csv', 'ix,iy,gx,gy\n10, 20, 1, 2 # corner\n\n30;40;3;4\n');
    expect((await loadCalibrationPoints(csv)).pairs).toEqual([
      { image: [10, 20], ground: [1, 2] },
      { image: [30, 40], ground: [3, 4] },
    ]);
    const yaml = await write('a.yaml', 'lengths:\n  - { from: [1, 2], to: [3, 4], metres: 5 }\n');
    expect((await loadCalibrationPoints(yaml)).lengths).toEqual([{ from: [1, 2], to: [3, 4], metres: 5 }]);
  });

  it('names every line that is wrong', async () => {
    const csv = await write('b.csv', 'ix,iy,gx,gy\n10,20,1\n1,2,3,4\nx,2,3,4\n');
    const error = await loadCalibrationPoints(csv).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'CALIBRATION_INVALID' });
    expect(String(error)).toMatch(/line 2: .*line 4: /);
    await expect(loadCalibrationPoints(join(folder, 'none.csv'))).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
    });
    const bare = await write('bare.yaml', SCENE);
    await expect(loadSceneCalibration(bare)).rejects.toMatchObject({ code: 'CALIBRATION_INVALID' });
  });
});
