import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadYoloFolder, parseYoloLabels } from './yolo-folder.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ngatu-yolo-'));
  await mkdir(join(dir, 'images'));
  await mkdir(join(dir, 'labels'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('parseYoloLabels', () => {
  it('reads boxes and polygons', () => {
    const objects = parseYoloLabels('2 0.5 0.5 0.2 0.4\n\n0 0.1 0.1 0.3 0.1 0.3 0.2 0.1 0.2\n', 'a.txt');
    expect(objects.map(({ index }) => index)).toEqual([2, 0]);
    expect(objects[0]?.box.map((value) => Math.round(value * 100))).toEqual([40, 30, 60, 70]);
    expect(objects[1]?.box).toEqual([0.1, 0.1, 0.3, 0.2]);
  });

  it('cuts what reaches over the border, and leaves out what has no area in the picture', () => {
    const objects = parseYoloLabels(
      '0 0 0.5 0.2 0.4\r\n1 1.4 0.5 0.2 0.4\r\n2 0.5 0.5 0 0.4\r\n3 0.5 0.5 0.2 0.4 0.9',
      'a.txt',
    );
    expect(objects.map(({ index }) => index)).toEqual([0, 3]);
    expect(objects[0]?.box.map((value) => Math.round(value * 100))).toEqual([0, 30, 10, 70]);
  });

  it.each([['1 0.5 0.5'], ['x 0.5 0.5 0.2 0.4'], ['0 0.5 nan 0.2 0.4'], ['-1 0.5 0.5 0.2 0.4']])(
    'names the line of "%s"',
    (line) => {
      expect(() => parseYoloLabels(`0 0.5 0.5 0.2 0.4\n${line}`, 'a.txt')).toThrow(
        expect.objectContaining({ code: 'TRUTH_INVALID', message: expect.stringContaining('a.txt: line 2') }),
      );
    },
  );
});

describe('loadYoloFolder', () => {
  it('takes a picture without labels for empty, and names from data.yaml', async () => {
    await writeFile(join(dir, 'images', 'b.jpg'), '');
    await writeFile(join(dir, 'images', 'a.jpg'), '');
    await writeFile(join(dir, 'labels', 'b.txt'), '1 0.5 0.5 0.2 0.4\n');
    await writeFile(join(dir, 'data.yaml'), "nc: 2\nnames:\n- CAR\n- 'BUS'\ntrain: x\n");
    const folder = await loadYoloFolder(dir);
    expect(folder.pictures.map(({ name, objects }) => [name, objects.length])).toEqual([
      ['a.jpg', 0],
      ['b.jpg', 1],
    ]);
    expect(folder.names).toEqual(['CAR', 'BUS']);
    await writeFile(join(dir, 'data.yaml'), 'names: [car, "bus"]\n');
    expect((await loadYoloFolder(dir)).names).toEqual(['car', 'bus']);
  });

  it('takes names from classes.txt where data.yaml tells none', async () => {
    await writeFile(join(dir, 'images', 'a.PNG'), '');
    await writeFile(join(dir, 'data.yaml'), 'train: x\n');
    await writeFile(join(dir, 'classes.txt'), 'TRAFFIC_LIGHT\r\nMOTORBIKE\r\n');
    const folder = await loadYoloFolder(dir);
    expect(folder.names).toEqual(['TRAFFIC_LIGHT', 'MOTORBIKE']);
    expect(folder.pictures.map(({ name }) => name)).toEqual(['a.PNG']);
  });

  it('takes only the pictures that are named, and says which of them is not there', async () => {
    await writeFile(join(dir, 'images', 'a.jpg'), '');
    await writeFile(join(dir, 'images', 'b.jpg'), '');
    const folder = await loadYoloFolder(dir, new Set(['b.jpg']));
    expect(folder.pictures.map(({ name }) => name)).toEqual(['b.jpg']);
    await expect(loadYoloFolder(dir, new Set(['b.jpg', 'c.jpg']))).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringContaining('"c.jpg"'),
    });
  });

  it('says of a folder without pictures that it has none', async () => {
    await expect(loadYoloFolder(dir)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    await expect(loadYoloFolder(join(dir, 'absent'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});
