import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { runMediaProcess } from './media-process.ts';
import type { VideoCodec } from './nal-unit.ts';

/** Raised with every change of the arguments below, so that no copy made with other ones is taken from the cache. */
const RECIPE = 1;

/** A keyframe every two seconds, closed groups of pictures and no B-frames, as traffic cameras encode. */
const ENCODER_ARGS = {
  h264: ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '20', '-bf', '0'],
  hevc: ['-c:v', 'libx265', '-preset', 'ultrafast', '-crf', '22', '-tag:v', 'hvc1'],
} as const;
const X265_PARAMS = 'bframes=0:open-gop=0:scenecut=0:repeat-headers=1:log-level=error';

export interface TranscodeOptions {
  readonly path: string;
  readonly codec: VideoCodec;
  readonly cacheDir: string;
}

/**
 * Path of an MP4 copy of the file in the wanted codec, with the file's own picture times; made on the first call and
 * found by the file's content afterwards. Several processes may share the folder: a copy appears whole or not at all.
 *
 * Errors: FILE_UNREADABLE, VIDEO_UNREADABLE, SETUP_PACKAGE_MISSING, DISK_FULL, PERMISSION_DENIED.
 */
export async function transcodeClip(options: TranscodeOptions, signal: AbortSignal): Promise<string> {
  const { path, codec, cacheDir } = options;
  const digest = await computeDigest(path, signal);
  const copy = join(cacheDir, `${digest.slice(0, 32)}-${codec}-${RECIPE}.mp4`);
  if (await isReadable(copy)) return copy;
  const partial = join(cacheDir, `.${randomUUID()}.mp4`);
  const purpose = `Cannot transcode video "${path}" to ${codec}`;
  try {
    await mkdir(cacheDir, { recursive: true });
  } catch (error) {
    throw describeCacheError(error, purpose);
  }
  try {
    await runMediaProcess(
      {
        program: 'ffmpeg',
        args: [
          ...['-nostdin', '-v', 'error', '-i', path, '-map', '0:v:0', '-fps_mode', 'passthrough'],
          ...[
            ...ENCODER_ARGS[codec],
            ...(codec === 'hevc' ? ['-x265-params', X265_PARAMS] : ['-sc_threshold', '0']),
          ],
          ...[
            '-pix_fmt',
            'yuv420p',
            '-g',
            '9999',
            '-force_key_frames',
            'expr:gte(t,n_forced*2)',
            '-forced-idr',
            '1',
          ],
          ...['-video_track_timescale', '90000', '-f', 'mp4', partial],
        ],
        purpose,
        maxBytes: 0,
      },
      signal,
    );
    await rename(partial, copy);
    return copy;
  } catch (error) {
    throw describeCacheError(error, purpose);
  } finally {
    await rm(partial, { force: true });
  }
}

function describeCacheError(error: unknown, purpose: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  const message = `${purpose}: ${errorMessage(error)}`;
  if (code === 'ENOSPC') return new NgatuError('DISK_FULL', message, { retryable: true, cause: error });
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'EEXIST' || code === 'ENOTDIR') {
    return new NgatuError('PERMISSION_DENIED', message, { cause: error });
  }
  return error;
}

async function computeDigest(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { signal })) hash.update(chunk as Buffer);
  } catch (error) {
    signal.throwIfAborted();
    throw new NgatuError('FILE_UNREADABLE', `Cannot read video "${path}": ${errorMessage(error)}`, {
      cause: error,
    });
  }
  return hash.digest('hex');
}

async function isReadable(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
