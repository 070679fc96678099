import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { NgatuError } from '@ngatu/contract';

const STDOUT_LIMIT_CHARS = 4 * 1024 * 1024;
const STDERR_TAIL_CHARS = 2_048;
/** Evidence must not take the processor from the analysis: priority of `nice`. */
const NICENESS = 10;

/**
 * Runs ffmpeg or ffprobe once at low priority and returns what it prints.
 * @throws NgatuError VIDEO_UNREADABLE where it fails, with its last message; DISK_FULL; SETUP_PACKAGE_MISSING.
 *   The signal's reason where it aborts; the process is gone then.
 */
export async function runMediaCommand(
  program: 'ffmpeg' | 'ffprobe',
  args: readonly string[],
  options: { readonly purpose: string; readonly signal: AbortSignal },
): Promise<string> {
  const { purpose, signal } = options;
  signal.throwIfAborted();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' });
  if (child.pid !== undefined) lowerPriority(child.pid);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (stdout.length > STDOUT_LIMIT_CHARS) child.kill('SIGKILL');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_TAIL_CHARS);
  });
  const failure = await new Promise<Error | number | null>((resolve) => {
    let error: Error | undefined;
    child.once('error', (cause) => {
      error = cause;
      if (child.pid === undefined) resolve(cause);
    });
    child.once('close', (code) => resolve(error ?? code));
  });
  signal.throwIfAborted();
  if (failure === 0) return stdout;
  throw explainFailure({ program, purpose, failure, stderr });
}

/** The process may be gone already, and then there is nothing to lower. */
function lowerPriority(pid: number): boolean {
  try {
    setPriority(pid, NICENESS);
    return true;
  } catch {
    return false;
  }
}

function explainFailure(run: {
  program: string;
  purpose: string;
  failure: Error | number | null;
  stderr: string;
}): NgatuError {
  const { program, purpose, failure, stderr } = run;
  if (failure instanceof Error && 'code' in failure && failure.code === 'ENOENT') {
    return new NgatuError('SETUP_PACKAGE_MISSING', `${purpose}: ${program} is not installed`, {
      cause: failure,
    });
  }
  if (stderr.includes('No space left on device')) {
    return new NgatuError('DISK_FULL', `${purpose}: the disk is full`, { retryable: true });
  }
  const last = stderr.trim().split('\n').at(-1)?.slice(0, 300);
  const how = failure instanceof Error ? failure.message : `${program} ended with ${failure ?? 'a signal'}`;
  return new NgatuError('VIDEO_UNREADABLE', `${purpose}: ${last === undefined || last === '' ? how : last}`);
}
