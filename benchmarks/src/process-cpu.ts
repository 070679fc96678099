import { readdirSync, readFileSync } from 'node:fs';

/** Linux reports CPU time in ticks of 1/100 s (`sysconf(_SC_CLK_TCK)` on every Linux that Node runs on). */
const TICKS_PER_SECOND = 100;

/**
 * CPU time of a process and all that it started, s: its own, that of children that have ended, and that of those that
 * live. From `/proc/<pid>/stat` (proc(5), fields 14–17).
 * @throws Error where the process is gone
 */
export function readTreeCpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // the name in parentheses may hold anything; the fields are counted from behind it
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
  return ticks / TICKS_PER_SECOND + listChildren(pid).reduce((sum, child) => sum + readLiving(child), 0);
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
