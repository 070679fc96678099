import { readdirSync, readFileSync } from 'node:fs';

/** Linux reports CPU time in ticks of 1/100 s (`sysconf(_SC_CLK_TCK)` on every Linux that Node runs on). */
const TICKS_PER_SECOND = 100;

/**
 * CPU time of a process and all that it started, s: its own, that of children that have ended, and that of those that
 * live. From `/proc/<pid>/stat` (proc(5), fields 14–17).
 * @throws Error where the process is gone
 */
export function readTreeCpuSeconds(pid: number): number {
  const { own, ended } = readCpuSeconds(pid);
  return own + ended + listChildren(pid).reduce((sum, child) => sum + readLiving(child), 0);
}

/**
 * Of that, what children took that have ended, and those that live and are started with this argument, s.
 * @throws Error where the process is gone
 */
export function readChildrenCpuSeconds(pid: number, argument: string): number {
  const named = listChildren(pid).filter((child) => readArguments(child).includes(argument));
  return readCpuSeconds(pid).ended + named.reduce((sum, child) => sum + readLiving(child), 0);
}

function readCpuSeconds(pid: number): { own: number; ended: number } {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // the name in parentheses may hold anything; the fields are counted from behind it
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const sum = (first: number): number => Number(fields[first]) + Number(fields[first + 1]);
  return { own: sum(11) / TICKS_PER_SECOND, ended: sum(13) / TICKS_PER_SECOND };
}

function readArguments(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function readLiving(pid: number): number {
  try {
    return readTreeCpuSeconds(pid);
  } catch {
    // Ended in this moment: its time is, or will be, with its parent's.
    return 0;
  }
}

function listChildren(pid: number): number[] {
  const children: number[] = [];
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const text = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim();
    if (text !== '') children.push(...text.split(' ').map(Number));
  }
  return children;
}
