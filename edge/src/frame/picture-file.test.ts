import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readPictureFile } from './picture-file.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ngatu-picture-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

it('reads colours as BGR and keeps the source size where it scales', async () => {
  const file = join(dir, 'red.png');
  await sharp({
    create: { width: 64, height: 32, channels: 4, background: { r: 200, g: 10, b: 30, alpha: 1 } },
  })
    .png()
    .toFile(file);
  const whole = await readPictureFile(file);
  expect([whole.width, whole.height, [...whole.pixels.subarray(0, 3)]]).toEqual([64, 32, [30, 10, 200]]);
  const small = await readPictureFile(file, 16);
  expect([small.width, small.height, small.sourceWidth, small.pixels.length]).toEqual([
    16,
    8,
    64,
    16 * 8 * 3,
  ]);
});

it('reads a grey picture in three channels', async () => {
  const file = join(dir, 'grey.png');
  await sharp(Buffer.from([10, 20, 30, 40]), { raw: { width: 2, height: 2, channels: 1 } })
    .png()
    .toFile(file);
  expect([...(await readPictureFile(file)).pixels]).toEqual([10, 10, 10, 20, 20, 20, 30, 30, 30, 40, 40, 40]);
});

it('refuses what is no picture', async () => {
  const file = join(dir, 'rubbish.jpg');
  await writeFile(file, 'rubbish');
  await expect(readPictureFile(file)).rejects.toMatchObject({ code: 'PICTURE_UNREADABLE' });
  await expect(readPictureFile(join(dir, 'absent.jpg'))).rejects.toMatchObject({
    code: 'PICTURE_UNREADABLE',
  });
});
