import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { NgatuError } from '@ngatu/contract';

/** What a finished ffmpeg or ffprobe left: standard output, and descriptor 3 where it was asked for. */
export interface MediaOutput {
  readonly stdout: Buffer;
  readonly side: Buffer;
}

export interface MediaProcessOptions {
  readonly program: 'ffmpeg' | 'ffprobe';
  readonly args: readonly string[];
  /** What is being attempted and on what; begins the message of every error, e.g. `Cannot read video "a.mp4"`. */
  readonly purpose: string;
  /** Both outputs together may not be larger; beyond it the process is killed and VIDEO_UNREADABLE thrown. */
  readonly maxBytes: number;
  /** Opens descriptor 3 (`pipe:3`) of the child for a second output. */
  readonly withSideOutput?: boolean;
}

/** The last writes of the child, of a pipe's size at most each: enough for its last line. */
const STDERR_MAX_CHUNKS = 16;

/**
 * Runs ffmpeg or ffprobe to its end and collects what it wrote.
 *
 * Errors: SETUP_PACKAGE_MISSING (no such program), DISK_FULL, VIDEO_UNREADABLE (it failed, or wrote more than
 * `maxBytes`); the reason of the signal where it was aborted. The child is gone when the promise settles.
 */
export async function runMediaProcess(
  options: MediaProcessOptions,
  signal: AbortSignal,
): Promise<MediaOutput> {
  signal.throwIfAborted();
  const child = spawn(options.program, options.args, {
    stdio: ['ignore', 'pipe', 'pipe', options.withSideOutput ? 'pipe' : 'ignore'],
  });
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  let sizeBytes = 0;
  const collect = (stream: unknown, chunks: Buffer[]) => {
    if (!(stream instanceof Readable)) return;
    stream.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes > options.maxBytes) kill();
      else chunks.push(chunk);
    });
  };
  const stdout: Buffer[] = [];
  const side: Buffer[] = [];
  const stderr: Buffer[] = [];
  collect(child.stdout, stdout);
  collect(child.stdio[3], side);
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr.push(chunk);
    if (stderr.length > STDERR_MAX_CHUNKS) stderr.shift();
  });
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal.throwIfAborted();
    if (sizeBytes > options.maxBytes) {
      throw new NgatuError(
        'VIDEO_UNREADABLE',
        `${options.purpose}: it is larger than ${options.maxBytes} bytes`,
      );
    }
    if (exitCode !== 0) throw describeFailure(options, exitCode, Buffer.concat(stderr).toString('utf8'));
    return { stdout: Buffer.concat(stdout), side: Buffer.concat(side) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new NgatuError('SETUP_PACKAGE_MISSING', `${options.purpose}: ${options.program} is not installed`, {
      cause: error,
    });
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

function describeFailure(options: MediaProcessOptions, exitCode: number | null, stderr: string): NgatuError {
  const lastLine = stderr.trim().split('\n').at(-1) ?? '';
  // ffmpeg reports a full disk by its text alone: its exit status is 1 for every failure.
  const code = stderr.includes('No space left on device') ? 'DISK_FULL' : 'VIDEO_UNREADABLE';
  return new NgatuError(code, `${options.purpose}: ${options.program} ended with ${exitCode} (${lastLine})`, {
    retryable: code === 'DISK_FULL',
  });
}
