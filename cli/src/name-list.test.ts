import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readNameList } from './name-list.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-names-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('takes a name a line, whatever the ends of lines, and leaves remarks out', async () => {
  const file = join(folder, 'names.txt');
  await writeFile(file, '# held out\r\na.jpg\r\n\n  b c.jpg \n#d.jpg\n');
  expect([...(await readNameList(file))]).toEqual(['a.jpg', 'b c.jpg']);
});

it('says which file it cannot read', async () => {
  await expect(readNameList(join(folder, 'absent.txt'))).rejects.toMatchObject({
    code: 'FILE_UNREADABLE',
    message: expect.stringContaining('absent.txt'),
  });
});
