import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { NgatuError } from '@ngatu/contract';
import { SEGMENT_LIST_FD, TIMING_FD } from './ffmpeg-arguments.ts';

const STDERR_TAIL_CHARS = 4_096;
/** How long ffmpeg may take to end by itself before it is killed, ms. */
const TERMINATE_TIMEOUT_MS = 1_000;

/** How the child ended; `code` is absent after a signal. */
export interface ChildExit {
  readonly code?: number;
  readonly signal?: NodeJS.Signals;
}

/** One running ffmpeg with its pipes. Ends with `stop`, or by itself. */
export interface FfmpegChild {
  readonly pictures: Readable;
  readonly timing: Readable;
  readonly segments: Readable;
  /** Resolves when the process is gone and its pipes are read to the end; rejects where it could not be started. */
  readonly exited: Promise<ChildExit>;
  /** The last messages of ffmpeg, without secrets. */
  messages(): string;
  /** SIGTERM, then SIGKILL: a frozen server makes ffmpeg deaf to the first. Resolves when the process is gone. */
  stop(): Promise<void>;
}

/**
 * Starts ffmpeg with pictures on stdout, timing lines and closed segments on their pipes.
 * @param secrets strings that never appear in `messages()`
 */
export function startFfmpeg(args: readonly string[], secrets: readonly string[]): FfmpegChild {
  const child = spawn('ffmpeg', args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'] });
  let tail = '';
  const takeMessage = (text: string) => {
    tail = (tail + text).slice(-STDERR_TAIL_CHARS);
  };
  readPipe(child, 2)
    .setEncoding('utf8')
    .on('data', takeMessage)
    .on('error', (error) => takeMessage(`\n[error] ${error.message}`));
  let gone = false;
  const exited = new Promise<ChildExit>((resolve, reject) => {
    child.once('error', (cause) => {
      gone = true;
      reject(explainSpawnFailure(cause));
    });
    child.once('exit', () => {
      gone = true;
    });
    child.once('close', (code, signal) => {
      resolve({ ...(code === null ? {} : { code }), ...(signal === null ? {} : { signal }) });
    });
  });
  exited.catch(() => undefined);
  return {
    pictures: readPipe(child, 1),
    timing: readPipe(child, TIMING_FD),
    segments: readPipe(child, SEGMENT_LIST_FD),
    exited,
    messages: () => maskSecrets(tail, secrets),
    async stop() {
      if (!gone) child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), TERMINATE_TIMEOUT_MS);
      await exited.catch(() => undefined);
      clearTimeout(killer);
    },
  };
}

function readPipe(child: ChildProcess, fd: number): Readable {
  const pipe = child.stdio[fd];
  if (pipe === null || pipe === undefined || !('read' in pipe)) throw new Error(`ffmpeg has no pipe ${fd}`);
  return pipe;
}

function explainSpawnFailure(cause: Error): NgatuError {
  const missing = 'code' in cause && cause.code === 'ENOENT';
  return missing
    ? new NgatuError('SETUP_PACKAGE_MISSING', 'Cannot read video: ffmpeg is not installed', { cause })
    : new NgatuError('CHILD_FAILED', `Cannot start ffmpeg: ${cause.message}`, { retryable: true, cause });
}

/** Removes the given secrets and whatever stands as user and password in an address. */
export function maskSecrets(text: string, secrets: readonly string[]): string {
  let masked = text.replace(/(\w{1,32}:\/\/)[^\s/@]*@/g, '$1***@');
  for (const secret of secrets) {
    if (secret.length > 0)
      masked = masked.replaceAll(secret, '***').replaceAll(encodeURIComponent(secret), '***');
  }
  return masked;
}
