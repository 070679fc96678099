import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findRepositoryRoot } from '../asset-location.ts';
import { loadFaceList } from './face-list.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-faces-'));
  file = join(folder, 'faces.json');
  await mkdir(join(folder, 'street', 'images'), { recursive: true });
  await writeFile(join(folder, 'street', 'images', 'a.jpg'), '');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const A = {
  file: 'street/a.jpg',
  without: [[1, 2, 11, 12]],
  with: [[20, 2, 30, 12]],
  doubtful: [[40, 2, 50, 12]],
};

function write(...pictures: object[]): Promise<void> {
  const facts = { schemaVersion: 1, label: 'face', judged: 'by eye', boxes: 'drawn' };
  return writeFile(file, JSON.stringify({ ...facts, pictures }));
}

describe('loadFaceList', () => {
  it('gives the faces of each picture, and what counts neither way', async () => {
    await write(A);
    expect(await loadFaceList(file, folder)).toEqual([
      {
        file: join(folder, 'street', 'images', 'a.jpg'),
        name: 'a.jpg',
        faces: [
          { label: 'with', box: [20, 2, 30, 12] },
          { label: 'without', box: [1, 2, 11, 12] },
          { label: 'left-out', box: [40, 2, 50, 12] },
        ],
      },
    ]);
  });

  it.each([
    ['a picture twice', [A, A], 'street/a.jpg stands there twice'],
    ['an empty box', [{ file: 'street/a.jpg', with: [[5, 5, 5, 9]] }], 'the box 5 5 5 9 is empty'],
    ['a word that it does not know', [{ ...A, veil: [] }], 'veil'],
    ['a way out of the folder', [{ file: '../a.jpg' }], 'file'],
    ['no picture', [], 'pictures'],
  ])('refuses %s', async (_, pictures, text) => {
    await write(...pictures);
    await expect(loadFaceList(file, folder)).rejects.toMatchObject({
      code: 'TRUTH_INVALID',
      message: expect.stringContaining(text),
    });
  });

  it('says which picture is not there', async () => {
    await write({ file: 'street/b.jpg' });
    await expect(loadFaceList(file, folder)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringContaining('b.jpg'),
    });
  });

  it('accepts the list of the repository, whether or not its pictures are there', async () => {
    const shipped = join(findRepositoryRoot(), 'models', 'annotations', 'street-faces.json');
    await expect(loadFaceList(shipped, folder)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});
