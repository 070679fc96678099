import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** A folder for one test file; `remove` takes it away. */
export async function makeTestFolder(): Promise<{ dir: string; remove: () => Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'ngatu-camera-'));
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
}

export async function runFfmpeg(...args: string[]): Promise<Buffer> {
  const { stdout } = await execute('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args], {
    encoding: 'buffer',
    maxBuffer: 512 * 1024 * 1024,
  });
  return stdout;
}

/** 60 pictures of 320×180 with uneven times (every 4th to 6th of ten left out), B-frames and a keyframe every 12. */
export function makeUnevenClip(path: string, ...output: string[]): Promise<Buffer> {
  return runFfmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=30000/1001:d=2.9'],
    ...['-vf', "select='not(between(mod(n\\,10)\\,3\\,5))'", '-fps_mode', 'vfr'],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '3', '-g', '12', '-pix_fmt', 'yuv420p', ...output],
    path,
  );
}

/** Presentation times of all pictures as ffprobe sees them, from the first one, rising, s. */
export async function probePictureTimes(path: string): Promise<number[]> {
  const args = [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-show_entries',
    'packet=pts_time',
    '-of',
    'csv=p=0',
    path,
  ];
  const { stdout } = await execute('ffprobe', args);
  const times = [...stdout.matchAll(/^-?[\d.]+/gm)].map(([text]) => Number(text)).sort((a, b) => a - b);
  return times.map((time) => time - (times[0] ?? 0));
}
