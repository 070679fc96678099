import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const PROGRAM = join(import.meta.dirname, '..', 'cli', 'bin', 'ngatu.mjs');
const PARTS = ['camera', 'sensor', 'gate', 'broker', 'ingestor', 'api', 'edge'];

let folder: string;
let started: ChildProcess[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-start-'));
  started = [];
});
afterEach(async () => {
  for (const child of started)
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await until('every process is gone', () => findProcesses().length === 0, 20_000);
  await rm(folder, { recursive: true, force: true });
});

async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs: number,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}`);
    await delay(50);
  }
}

/** Starts everything in a data folder of the test, from another folder than the checkout. */
function start(): { child: ChildProcess; output: () => string; exit: Promise<number | null> } {
  const args = [PROGRAM, 'start', '--port', '0', '--data', join(folder, 'data')];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const exit = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  return { child, output: () => output, exit };
}

interface FoundProcess {
  readonly pid: number;
  readonly group: number;
  readonly command: string;
}

/** Every live process that belongs to the data folder: its command line names it, or it is in the group of one that does. */
function findProcesses(): FoundProcess[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name): FoundProcess[] => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        if (state === 'Z') return [];
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return [{ pid: Number(name), group: Number(group), command }];
      } catch {
        // It ended while it was looked at.
        return [];
      }
    });
  const own = all.filter(({ command }) => command.includes(folder));
  const groups = new Set([...own.map(({ group }) => group), ...knownGroups]);
  groups.delete(all.find(({ pid }) => pid === process.pid)?.group ?? 0);
  return all.filter((entry) => own.includes(entry) || groups.has(entry.group));
}

const knownGroups = new Set<number>();

function pidOf(part: string): number {
  const list: { name: string; pid: number }[] = JSON.parse(
    readFileSync(join(folder, 'data/run/processes.json'), 'utf8'),
  );
  const pid = list.find((entry) => entry.name === part)?.pid ?? 0;
  if (pid > 0) knownGroups.add(pid);
  return pid;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** The ports that the run wrote into its files. */
function readPorts(url: string): number[] {
  const profile = readFileSync(join(folder, 'data/run/gateway.yaml'), 'utf8');
  const ports = [...profile.matchAll(/127\.0\.0\.1:(\d+)/g)].map((match) => Number(match[1]));
  return [...ports, Number(new URL(url).port)];
}

const countOf = (text: string, pattern: RegExp) => [...text.matchAll(new RegExp(pattern, 'g'))].length;

async function signIn(url: string): Promise<{ get: (path: string) => Promise<Response> }> {
  const secret = readFileSync(join(folder, 'data/cloud/first-sign-in.txt'), 'utf8');
  const [, username] = /^username: (.+)$/m.exec(secret) ?? [];
  const [, password] = /^password: (.+)$/m.exec(secret) ?? [];
  const answer = await fetch(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ username, password }),
  });
  expect(answer.status).toBe(200);
  const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  return { get: (path) => fetch(`${url}/api/v1${path}`, { headers: { cookie } }) };
}

/**
 * The clip lasts 64 s and shows an event every few seconds; on a machine that is starved the agent says that it sees too little to be sure, and it may take
 * another round.
 */
const FIRST_EVENT_MS = 200_000;

describe('ngatu start', () => {
  it('shows an event, survives kill -9 of every part, and leaves nothing after Ctrl-C', {
    timeout: 600_000,
  }, async () => {
    const { child, output, exit } = start();
    await until('the first event', () => output().includes('first event: '), FIRST_EVENT_MS);
    const url = /Console +(http:\S+)/.exec(output())?.[1] ?? '';
    const console = await fetch(url);
    expect([console.status, await console.text()]).toEqual([200, expect.stringContaining('<!doctype html')]);

    const { get } = await signIn(url);
    const listed = (await (await get('/events?limit=1')).json()) as { items: { eventId: string }[] };
    const eventId = listed.items[0]?.eventId ?? '';
    const record = (await (await get(`/events/${eventId}`)).json()) as { event: Record<string, unknown> };
    expect(record.event).toMatchObject({
      eventId,
      model: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      frame: { index: expect.any(Number), session: expect.any(String) },
    });

    const before = PARTS.map(pidOf);
    const ports = readPorts(url);
    for (const [index, part] of PARTS.entries()) {
      process.kill(before[index] ?? 0, 'SIGKILL');
      await until(`${part} runs again`, () => output().includes(`${part} runs again (restart 1)`), 30_000);
    }
    expect(PARTS.map(pidOf).filter((pid, index) => pid === before[index])).toEqual([]);
    expect(readPorts(url)).toEqual(ports);

    const committed = async () =>
      ((await (await get('/events?limit=200')).json()) as { items: unknown[] }).items.length;
    const known = await committed();
    await until('an event after the kills', async () => (await committed()) > known, FIRST_EVENT_MS);

    const temperature = async () => {
      const { sensors } = (await (await get('/sensors')).json()) as { sensors: Record<string, unknown>[] };
      return sensors.find(({ sensor, metric }) => sensor === 'street' && metric === 'airTemperature');
    };
    await until('a reading of the street sensor', async () => (await temperature()) !== undefined, 60_000);
    expect(await temperature()).toMatchObject({ node: 'gateway-1', unit: 'Cel', value: expect.any(Number) });

    const told = async () => {
      const { gates } = (await (await get('/screening/gates')).json()) as {
        gates: { gate: string; counts: { measured: number } }[];
      };
      return gates.some(({ gate, counts }) => gate === 'simulated-gate' && counts.measured > 0);
    };
    await until('somebody was told something at the fever gate', told, 180_000);

    child.kill('SIGINT');
    expect(await exit).toBe(0);
    expect(findProcesses()).toEqual([]);
    expect(await Promise.all(ports.map(isListening))).toEqual(ports.map(() => false));
    expect(countOf(output(), /(uncaught|unhandled|INTERNAL)/i)).toBe(0);
  });

  it('leaves nothing behind when it is killed itself, and starts again on the same folder', {
    timeout: 240_000,
  }, async () => {
    const first = start();
    await until('the edge is ready', () => first.output().includes('edge is ready'), 60_000);
    await until('the console is announced', () => first.output().includes('Console'), 30_000);
    for (const part of PARTS) pidOf(part);
    const second = start();
    expect(await second.exit).toBe(1);
    expect(second.output()).toMatch(/^DATA_FOLDER_IN_USE: .*console http:\/\/127\.0\.0\.1:\d+\) uses it$/m);

    first.child.kill('SIGKILL');
    await until('every process is gone', () => findProcesses().length === 0, 15_000);

    const third = start();
    await until('the edge is ready', () => third.output().includes('edge is ready'), 60_000);
    expect(existsSync(join(folder, 'data/cloud/first-sign-in.txt'))).toBe(true);
    third.child.kill('SIGTERM');
    expect(await third.exit).toBe(0);
    expect(findProcesses()).toEqual([]);
  });
});
