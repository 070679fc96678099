import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeJson, writeOutput } from './output-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-output-'));
  await mkdir(join(folder, 'folder'));
  await writeFile(join(folder, 'file'), 'kept');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a file that a command writes', () => {
  it('may lie in a folder that is not there yet, and replaces the one before', async () => {
    const file = join(folder, 'a', 'b', 'out.json');
    await writeJson(file, { a: 1 });
    await writeJson(file, { a: 2 });
    expect(await readFile(file, 'utf8')).toBe('{\n  "a": 2\n}\n');
  });

  it.each([
    ['is a folder', 'folder', /it is a folder/],
    ['lies in a file', 'file/out.json', /no folder/],
    ['lies in a folder of a file', 'file/a/out.json', /no folder/],
    ['has a name that no disk takes', 'x'.repeat(300), /too long/],
  ])('is refused by name where it %s, and leaves what is there', async (_, path, why) => {
    const file = join(folder, path);
    await expect(writeOutput(file, 'new')).rejects.toMatchObject({ code: 'FILE_UNWRITABLE', message: why });
    await expect(writeOutput(file, 'new')).rejects.toThrow(file);
    expect(await readFile(join(folder, 'file'), 'utf8')).toBe('kept');
  });

  it('is refused where the system makes no such file', async () => {
    await expect(writeOutput('/proc/ngatu', 'new')).rejects.toMatchObject({
      code: expect.stringMatching(/^(FILE_UNWRITABLE|PERMISSION_DENIED)$/),
    });
  });
});
