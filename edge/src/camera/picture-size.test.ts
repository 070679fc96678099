import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPictureSize } from './picture-size.ts';

const never = new AbortController().signal;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-size-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the size of the pictures of a video', () => {
  it.each(['mp4', 'mkv', 'ts', 'avi'])('is read out of .%s', async (container) => {
    const file = join(folder, `video.${container}`);
    const source = ['-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=10:d=0.5', '-c:v', 'libx264'];
    execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...source, file]);
    expect(await readPictureSize(file, never)).toEqual({ width: 64, height: 48 });
  });

  it('is refused of what is no video, and of what is not there', async () => {
    const file = join(folder, 'no-video');
    writeFileSync(file, 'no video');
    await expect(readPictureSize(file, never)).rejects.toMatchObject({ code: 'VIDEO_UNREADABLE' });
    await expect(readPictureSize(join(folder, 'none'), never)).rejects.toMatchObject({
      code: 'VIDEO_UNREADABLE',
    });
  });
});
