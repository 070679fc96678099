import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A process, told from a later one of the same number by when it began. */
export interface ProcessIdentity {
  readonly name: string;
  readonly pid: number;
  /** Clock ticks since boot, field 22 of proc(5) stat. */
  readonly startTicks: string;
}

/** Absent where there is no such process, or no /proc. */
export function identifyProcess(name: string, pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in the second field may hold spaces; state is the first field after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const startTicks = fields[19];
    return startTicks === undefined || fields[0] === 'Z' ? undefined : { name, pid, startTicks };
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}

function isRunning({ name, pid, startTicks }: ProcessIdentity): boolean {
  return identifyProcess(name, pid)?.startTicks === startTicks;
}

/** Kills the whole process group that `pid` leads or led; nothing happens where nobody is left in it. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/**
 * Waits for processes that are on their way out (those of a supervisor that was killed), and kills what is still there
 * after `limitMs`.
 */
export async function waitForProcesses(
  processes: readonly ProcessIdentity[],
  limitMs: number,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (processes.some(isRunning) && performance.now() < deadline) await delay(50);
  for (const process of processes) if (isRunning(process)) killGroup(process.pid);
  while (processes.some(isRunning)) await delay(20);
}
