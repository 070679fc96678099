import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { NgatuError } from '@ngatu/contract';
import type { Picture } from './picture-stream.ts';

const STDERR_BYTES = 2_000;

/**
 * Writes pictures as H.264 as a camera sends it (a keyframe every two seconds, no B-frames). The file is whole or the call throws.
 * @throws NgatuError VIDEO_UNREADABLE, SETUP_PACKAGE_MISSING
 */
export async function encodeVideo(
  file: string,
  pictures: Iterable<Picture>,
  options: { readonly width: number; readonly height: number; readonly fps: number; readonly crf: number },
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) throw new NgatuError('VIDEO_UNREADABLE', `Cannot write video ${file}: stopped`);
  const { width, height, fps, crf } = options;
  const child = spawn(
    'ffmpeg',
    [
      ...['-nostdin', '-v', 'error', '-y', '-f', 'rawvideo', '-pix_fmt', 'rgb24'],
      ...['-s', `${width}x${height}`, '-r', String(fps), '-i', 'pipe:0', '-an'],
      ...[
        '-c:v',
        'libx264',
        '-preset',
        'veryfast',
        '-bf',
        '0',
        '-g',
        String(Math.round(2 * fps)),
        '-crf',
        String(crf),
      ],
      ...['-pix_fmt', 'yuv420p', '-movflags', '+faststart', file],
    ],
    { stdio: ['pipe', 'ignore', 'pipe'] },
  );
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-STDERR_BYTES);
  });
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  closed.catch(() => undefined);
  // a child that dies breaks the pipe; its exit says why
  child.stdin.on('error', () => undefined);
  try {
    for (const { pixels } of pictures) {
      if (child.exitCode !== null || signal.aborted) break;
      if (!child.stdin.write(pixels)) await Promise.race([once(child.stdin, 'drain'), closed]);
    }
    child.stdin.end();
    const code = await closed;
    if (signal.aborted) throw new NgatuError('VIDEO_UNREADABLE', `Cannot write video ${file}: stopped`);
    if (code !== 0) {
      const reason = stderr.trim().split('\n').at(-1) ?? '';
      throw new NgatuError(
        'VIDEO_UNREADABLE',
        `Cannot write video ${file}: ffmpeg ended with ${code} (${reason})`,
      );
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new NgatuError('SETUP_PACKAGE_MISSING', `Cannot write video ${file}: ffmpeg is not installed`, {
      cause: error,
    });
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
  }
}
