import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export const TEST_CODECS = {
  h264: ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '3'],
  'h264 with open groups': [
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-bf',
    '3',
    '-x264-params',
    'open-gop=1',
  ],
  hevc: ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error:bframes=3:open-gop=0'],
} as const;

/** A folder for one test file; `remove` takes it away. */
export async function makeTestFolder(): Promise<{ dir: string; remove: () => Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'ngatu-evidence-'));
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
}

export async function runTool(program: 'ffmpeg' | 'ffprobe', ...args: string[]): Promise<Buffer> {
  const quiet = program === 'ffmpeg' ? ['-nostdin', '-y'] : [];
  const { stdout } = await execute(program, ['-v', 'error', ...quiet, ...args], {
    encoding: 'buffer',
    maxBuffer: 256 * 1024 * 1024,
  });
  return stdout;
}

/** 6.6 s of 320×180 at uneven times (7 of 10 pictures at 25/s), a keyframe a second of the source. */
export async function makeSourceVideo(path: string, codec: keyof typeof TEST_CODECS = 'h264'): Promise<void> {
  await runTool(
    'ffmpeg',
    ...['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=6.6'],
    ...['-vf', "select='not(between(mod(n\\,10)\\,3\\,5))'", '-fps_mode', 'vfr'],
    ...[...TEST_CODECS[codec], '-g', '17', '-pix_fmt', 'yuv420p', path],
  );
}

export interface RecordedSegment {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** Copies the packets of a video into Matroska segments as the agent does, and returns the list of closed ones. */
export async function recordSegments(video: string, dir: string): Promise<RecordedSegment[]> {
  const list = await runTool(
    'ffmpeg',
    ...['-i', video, '-map', '0:v:0', '-c', 'copy', '-copytb', '1'],
    ...['-bsf:v', 'setts=pts=PTS:dts=(N/1000-2)/TB', '-avoid_negative_ts', 'disabled'],
    ...['-f', 'segment', '-segment_time', '1', '-segment_format', 'matroska'],
    ...['-segment_list', 'pipe:1', '-segment_list_type', 'csv', join(dir, '%06d.mkv')],
  );
  return [...String(list).matchAll(/^(\S+),([\d.]+),([\d.]+)$/gm)].map(([, name = '', start, end]) => ({
    name,
    startMs: Number(start) * 1000,
    endMs: Number(end) * 1000,
  }));
}
