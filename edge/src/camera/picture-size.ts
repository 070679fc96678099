import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { errorMessage, NgatuError } from '@ngatu/contract';

const TIMEOUT_MS = 20_000;

/**
 * Width and height of the pictures of a video file, px, as they are shown.
 * @throws NgatuError VIDEO_UNREADABLE, SETUP_PACKAGE_MISSING
 */
export async function readPictureSize(
  video: string,
  signal: AbortSignal,
): Promise<{ width: number; height: number }> {
  const args = [
    '-v',
    'error',
    '-select_streams',
    'V:0',
    '-show_entries',
    'stream=width,height',
    '-of',
    'csv=p=0',
  ];
  let text: string;
  try {
    const run = await promisify(execFile)('ffprobe', [...args, `file:${video}`], {
      timeout: TIMEOUT_MS,
      signal,
    });
    text = run.stdout;
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') {
      throw new NgatuError(
        'SETUP_PACKAGE_MISSING',
        'Cannot read the size of a video: ffprobe is not installed',
        { cause },
      );
    }
    const reason = errorMessage(cause).trim().split('\n').at(-1);
    throw new NgatuError('VIDEO_UNREADABLE', `Cannot read ${video}: ${reason}`, { cause });
  }
  // of a transport stream ffprobe writes the line twice: below its programme, and by itself
  const [width, height] = (text.trim().split('\n')[0] ?? '').split(',').map(Number);
  if (width === undefined || height === undefined || !(width > 0 && height > 0)) {
    throw new NgatuError('VIDEO_UNREADABLE', `Cannot read ${video}: it holds no picture`);
  }
  return { width, height };
}
