import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { loadPlateFolder, parsePlateLabels } from './plate-folder.ts';

const folders: string[] = [];

async function aFolder(labels: string | undefined, pictures: readonly string[]): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'plates-'));
  folders.push(dir);
  await mkdir(join(dir, 'images'));
  for (const name of pictures) await writeFile(join(dir, 'images', name), '');
  if (labels !== undefined) await writeFile(join(dir, 'labels.csv'), labels);
  return dir;
}

afterEach(async () => {
  for (const dir of folders.splice(0)) await rm(dir, { recursive: true });
});

describe('folders of plates', () => {
  it('takes separators, Đ, quotes, other orders of columns and both line ends', async () => {
    const labels =
      '\uFEFFlayout,file,text\r\ncar-1line,a.jpg,30a-000.01\r\ntwo-line,"b, c.jpg",29-MĐ1 000.02\r\n\r\n';
    const plates = await loadPlateFolder(await aFolder(labels, ['a.jpg', 'b, c.jpg', 'not-labelled.jpg']));
    expect(plates.map(({ name, text, layout }) => [name, text, layout])).toEqual([
      ['a.jpg', '30A00001', 'one-line'],
      ['b, c.jpg', '29MD100002', 'two-line'],
    ]);
  });

  it.each([
    ['file,text\na.jpg,30A00001\n', /columns file, text and layout/],
    ['file,text,layout\na.jpg,30A00001,round\n', /line 2: layout "round"/],
    ['file,text,layout\n../a.jpg,30A00001,two-line\n', /line 2 names no file/],
    ['file,text,layout\na.jpg,--,two-line\n', /line 2 has no text/],
    ['file,text,layout\n', /names no plate/],
    ['file,text,layout\nb.jpg,30A00001,two-line\n', /images\/b.jpg, which is not there/],
  ])('refuses %j', async (labels, message) => {
    const dir = await aFolder(labels, ['a.jpg']);
    await expect(loadPlateFolder(dir)).rejects.toMatchObject({
      code: 'TRUTH_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it('says which folder has no labels', async () => {
    await expect(loadPlateFolder(await aFolder(undefined, []))).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
    });
    expect(() => parsePlateLabels('', 'x')).toThrow(/first line/);
  });
});
