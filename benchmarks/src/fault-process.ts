import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;

/** False for a process that is gone or waits to be buried. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat[stat.lastIndexOf(')') + 2] !== 'Z';
  } catch {
    // No such process.
    return false;
  }
}

/** SIGKILL or another signal; false where the process was gone already. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

/** True when it is gone within the time. */
export async function waitUntilGone(pid: number, limitMs: number, signal: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (isRunning(pid)) {
    if (performance.now() > deadline) return false;
    await sleep(POLL_MS, undefined, { signal });
  }
  return true;
}

export interface SyscallFault {
  readonly pid: number;
  /** System calls, as strace names them. */
  readonly calls: readonly string[];
  /** What happens to them: `error=EIO`, `signal=KILL:when=2`. */
  readonly fault: string;
}

/** Makes system calls of a running process fail while it is held. Ends with the process or with `release`. */
export class SyscallFailure {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #said = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, 'exit');
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#said = (this.#said + chunk.toString()).slice(-4_000);
    });
  }

  /** Resolves when it holds; undefined where the process could not be traced (it had just gone). */
  static async begin(
    program: string,
    { pid, calls, fault }: SyscallFault,
    signal: AbortSignal,
  ): Promise<SyscallFailure | undefined> {
    const names = calls.join(',');
    const child = spawn(
      program,
      ['-f', '-e', `trace=${names}`, '-e', `inject=${names}:${fault}`, '-o', '/dev/null', '-p', String(pid)],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const failure = new SyscallFailure(child);
    const deadline = performance.now() + 5_000;
    // strace says so on its error output once for every thread.
    while (!failure.#said.includes('attached')) {
      if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline) {
        await failure.release();
        return undefined;
      }
      await sleep(POLL_MS, undefined, { signal });
    }
    return failure;
  }

  /** Ends the failure; the process goes on. */
  async release(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGINT');
    const force = setTimeout(() => this.#child.kill('SIGKILL'), 3_000);
    await this.#exited;
    clearTimeout(force);
  }
}
