import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { readChildrenCpuSeconds, readTreeCpuSeconds } from './process-cpu.ts';

/** Keeps a processor busy until it has used so much of it, s, then waits for its end. */
const BURN = 'while (process.cpuUsage().user < 3e5); process.stdout.write("done"); setTimeout(() => {}, 1e6)';

it('tells children that have ended, and living ones by an argument, from the process itself', async () => {
  const { pid } = process;
  const named = spawn(process.execPath, ['-e', BURN, 'name-of-a-part'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(named.stdout, 'data');
    const others = readChildrenCpuSeconds(pid, 'name-of-another');
    expect(readChildrenCpuSeconds(pid, 'name-of-a-part') - others).toBeGreaterThan(0.28);
    expect(readTreeCpuSeconds(pid)).toBeGreaterThan(others + 0.28);
    named.kill();
    await once(named, 'close');
    // its time stays with the process that started it, whatever it was called
    expect(readChildrenCpuSeconds(pid, 'name-of-another') - others).toBeGreaterThan(0.28);
  } finally {
    named.kill();
  }
});

it('fails for a process that is gone', () => {
  expect(() => readTreeCpuSeconds(2 ** 22 + 1)).toThrow('ENOENT');
});
