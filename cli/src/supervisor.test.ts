import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identifyProcess } from './process-identity.ts';
import { computeRestartDelayMs } from './restart-delay.ts';
import { type PartEvent, type PartSpec, Supervisor } from './supervisor.ts';

let folder: string;
let events: PartEvent[];
let supervisor: Supervisor;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-supervisor-'));
  events = [];
  supervisor = new Supervisor({ folder, onEvent: (event) => events.push(event), stopLimitMs: 500 });
});
afterEach(async () => {
  await supervisor.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A part that writes its process id into `NAME.pid` and then runs `body`. */
async function aPart(name: string, body: string, changes: Partial<PartSpec> = {}): Promise<PartSpec> {
  const script = join(folder, `${name}.cjs`);
  const record = `require('node:fs').writeFileSync(${JSON.stringify(join(folder, `${name}.pid`))}, String(process.pid));`;
  await writeFile(script, `${record}\n${body}`);
  return {
    name,
    program: process.execPath,
    args: [script],
    ready: 'ipc',
    readyTimeoutMs: 10_000,
    ...changes,
  };
}

const SERVES = `process.send({ type: 'ready', detail: process.pid }); process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1e6);`;

const pidOf = async (name: string) => Number(await readFile(join(folder, `${name}.pid`), 'utf8'));
const isAlive = (pid: number) => identifyProcess('', pid) !== undefined;

async function until(condition: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('the condition did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const readyCount = (name: string) =>
  events.filter((event) => event.part === name && event.kind === 'ready').length;

describe('a part', () => {
  it('reports when it is ready, and what', async () => {
    expect(await supervisor.start(await aPart('one', SERVES))).toBe(await pidOf('one'));
  });

  it('is started again at once after kill -9, with its group', async () => {
    const grandchild = `const { spawn } = require('node:child_process');
      const ffmpeg = spawn('sleep', ['1000'], { stdio: 'ignore' });
      require('node:fs').writeFileSync(${JSON.stringify(join(folder, 'grandchild'))}, String(ffmpeg.pid));`;
    await supervisor.start(await aPart('one', grandchild + SERVES));
    const left = Number(await readFile(join(folder, 'grandchild'), 'utf8'));
    const first = await pidOf('one');
    const begun = performance.now();
    process.kill(first, 'SIGKILL');
    await until(() => readyCount('one') === 2);
    expect(performance.now() - begun).toBeLessThan(3_000);
    expect(await pidOf('one')).not.toBe(first);
    await until(() => !isAlive(left));
    expect(events).toContainEqual({ part: 'one', kind: 'died', reason: 'killed by SIGKILL', restarts: 1 });
  });

  it('that needs longer than it is given to be ready again gets more time, and comes back', async () => {
    const mark = JSON.stringify(join(folder, 'began-once'));
    const body = `const fs = require('node:fs');
      const waitMs = fs.existsSync(${mark}) ? 1_500 : 0;
      fs.writeFileSync(${mark}, '');
      setInterval(() => {}, 1e6);
      setTimeout(() => process.send({ type: 'ready' }), waitMs);`;
    await supervisor.start(await aPart('slow', body, { readyTimeoutMs: 1_200 }));
    process.kill(await pidOf('slow'), 'SIGKILL');
    await until(() => readyCount('slow') === 2, 30_000);
    const reasons = events.flatMap((event) => (event.kind === 'died' ? [event.reason] : []));
    expect(reasons[0]).toBe('killed by SIGKILL');
    expect(reasons[1]).toMatch(/^Cannot start slow: not ready within \d+ ms$/);
  });

  it('is tried again more slowly while it keeps dying', () => {
    expect([1, 2, 3].map((count) => computeRestartDelayMs(Array(count).fill(0), 1))).toEqual([0, 0, 0]);
    expect([4, 5, 6, 20].map((count) => computeRestartDelayMs(Array(count).fill(0), 1))).toEqual([
      250, 500, 1_000, 4_000,
    ]);
    expect(computeRestartDelayMs(Array(20).fill(0), 15_000)).toBe(0);
  });

  it('that cannot start says why, with its own code', async () => {
    const failure = `process.send({ type: 'failed', code: 'PORT_TAKEN', message: 'Cannot listen', retryable: false }, () => process.exit(1));`;
    await expect(supervisor.start(await aPart('one', failure))).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: 'Cannot listen',
    });
  });

  it('that crashes is tried three times, then its last line is shown', async () => {
    const crash = `require('node:fs').appendFileSync(${JSON.stringify(join(folder, 'tries'))}, 'x'); console.error('no luck'); process.exit(3);`;
    await expect(supervisor.start(await aPart('one', crash))).rejects.toMatchObject({
      code: 'CHILD_FAILED',
      message: expect.stringMatching(/Cannot start one: exit code 3: no luck \(see .*one\.log\)/),
    });
    expect(await readFile(join(folder, 'tries'), 'utf8')).toBe('xxx');
  });

  it('that is no program, or is never ready, fails clearly', async () => {
    const none = { ...(await aPart('none', '')), program: join(folder, 'nothing') };
    await expect(supervisor.start(none)).rejects.toThrow(/Cannot start none: spawn .* ENOENT/);
    const mute = await aPart('mute', 'setInterval(() => {}, 1e6);', { readyTimeoutMs: 500 });
    await expect(supervisor.start(mute)).rejects.toThrow(/not ready within 2000 ms/);
    expect(isAlive(await pidOf('mute'))).toBe(false);
  });

  it('without IPC is ready when its probe says so', async () => {
    const spec = await aPart('plain', 'setInterval(() => {}, 1e6);', {
      ready: () =>
        until(async () => (await readFile(join(folder, 'plain.pid'), 'utf8').catch(() => '')) !== ''),
    });
    await supervisor.start(spec);
    expect(isAlive(await pidOf('plain'))).toBe(true);
  });
});

describe('stopping', () => {
  it('goes in reverse order and takes by force what does not go', async () => {
    const order = join(folder, 'order');
    const leave = (name: string) =>
      `process.on('SIGTERM', () => { require('node:fs').appendFileSync(${JSON.stringify(order)}, '${name} '); process.exit(0); });
       process.send({ type: 'ready' }); setInterval(() => {}, 1e6);`;
    await supervisor.start(await aPart('first', leave('first')));
    await supervisor.start(await aPart('second', leave('second')));
    await supervisor.start(
      await aPart(
        'deaf',
        `process.on('SIGTERM', () => {}); process.send({ type: 'ready' }); setInterval(() => {}, 1e6);`,
      ),
    );
    const pids = await Promise.all(['first', 'second', 'deaf'].map(pidOf));
    const begun = performance.now();
    await supervisor.stop();
    expect(performance.now() - begun).toBeLessThan(2_500);
    expect(await readFile(order, 'utf8')).toBe('second first ');
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('in the middle of a start leaves nothing', async () => {
    const starting = supervisor.start(await aPart('slow', 'setInterval(() => {}, 1e6);'));
    const settled = expect(starting).rejects.toThrow();
    await until(async () => (await readFile(join(folder, 'slow.pid'), 'utf8').catch(() => '')) !== '');
    await supervisor.stop();
    await settled;
    expect(isAlive(await pidOf('slow'))).toBe(false);
  });
});

it('keeps the log of a part, and the record of its process', async () => {
  await supervisor.start(await aPart('one', `console.log('hello'); ${SERVES}`));
  await until(async () => (await readFile(join(folder, 'logs', 'one.log'), 'utf8')).includes('hello'));
  const record = JSON.parse(await readFile(join(folder, 'processes.json'), 'utf8'));
  expect(record).toEqual([expect.objectContaining({ name: 'one', pid: await pidOf('one') })]);
});

it('notices that a part ended while its probe still waits', async () => {
  const exits = await aPart('exits', 'process.exit(7);', { ready: () => new Promise(() => undefined) });
  await expect(supervisor.start(exits)).rejects.toThrow(/exit code 7/);
});
