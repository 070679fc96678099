import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from './command-table.ts';

const PROGRAM = join(import.meta.dirname, '..', 'bin', 'ngatu.mjs');

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-cli-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs the command line in another folder than the checkout. */
function ngatu(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ status: number | null; output: string; errors: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd: folder,
      env: { ...process.env, ...env },
    });
    let [output, errors] = ['', ''];
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, output, errors }));
  });
}

describe('help', () => {
  it('lists the commands', async () => {
    const { status, output } = await ngatu(['--help']);
    expect(status).toBe(0);
    const commands = [...output.matchAll(/^ {2}([a-z-]+) /gm)].map((match) => match[1]);
    expect(commands).toEqual(Object.keys(COMMANDS));
    expect(commands).toEqual(expect.arrayContaining(['start', 'edge', 'cloud', 'replay', 'eval', 'assets']));
  });

  it.each(Object.entries(COMMANDS))('describes %s', async (name, { load }) => {
    const command = (await load()).buildCommand();
    expect(command.name()).toBe(name);
    expect(command.description().length).toBeGreaterThan(20);
    const { options, commands, registeredArguments } = command;
    // an agent alone starts `pictures`, and tells it over IPC what to do
    if (name !== 'pictures')
      expect(options.length + commands.length + registeredArguments.length).toBeGreaterThan(0);
  });

  it('of one command is shown without running it', async () => {
    const { status, output } = await ngatu(['start', '--help']);
    expect(status).toBe(0);
    expect(output).toMatch(/^Usage: ngatu start \[options\][\s\S]*--port <number>/);
  });
});

describe('a command line that cannot be understood', () => {
  it.each([
    [['nonsense'], /^USAGE: unknown command 'nonsense'/],
    [
      ['start', '--port', 'eighty'],
      /^USAGE: option '--port <number>' argument 'eighty' is invalid\. Expected a port/,
    ],
    [['start', '--scene', 'paris'], /^USAGE: .*Allowed choices are hanoi, car-detection, vtest/],
    [['cloud', 'ingestor'], /^USAGE: required option '--data <folder>' not specified/],
    [['camera'], /^USAGE: missing required argument 'file'/],
  ])('%j', async (args, message) => {
    const { status, errors } = await ngatu(args);
    expect(errors).toMatch(message);
    expect(errors.trim().split('\n')).toHaveLength(1);
    expect(status).toBe(2);
  });
});

describe('what the machine refuses is one line', () => {
  const oneLine = (result: { status: number | null; errors: string }, message: RegExp) => {
    expect(result.errors).toMatch(message);
    expect(result.errors.trim().split('\n')).toHaveLength(1);
    expect(result.status).toBe(1);
  };

  it('a port that is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const result = await ngatu(['start', '--port', String(port), '--data', join(folder, 'taken')]);
    server.close();
    oneLine(result, new RegExp(`^PORT_TAKEN: Cannot use port ${port} for the console`));
  });

  it('a data folder that cannot be written, or is a file', async () => {
    oneLine(
      await ngatu(['start', '--data', '/sys/ngatu']),
      /^PERMISSION_DENIED: Cannot use the data folder \/sys\/ngatu/,
    );
    const file = join(folder, 'file');
    await writeFile(file, '');
    oneLine(await ngatu(['start', '--data', file]), /^PERMISSION_DENIED: .*there is a file in its place/);
  });

  it('a disk that is full', async () => {
    const script = 'mount -t tmpfs -o size=16m none "$1" && exec "$2" "$3" start --data "$1/data"';
    const namespace = process.getuid?.() === 0 ? ['-m'] : ['-rm'];
    const run = spawnSync(
      'unshare',
      [...namespace, 'sh', '-c', script, 'sh', folder, process.execPath, PROGRAM],
      {
        encoding: 'utf8',
      },
    );
    oneLine(
      { status: run.status, errors: run.stderr },
      /^DISK_FULL: Cannot use the data folder .* 256 MiB are needed/,
    );
  });

  it('no source of an asset', async () => {
    const env = { NGATU_ASSETS: join(folder, 'none'), NGATU_ASSET_CACHE: join(folder, 'cache') };
    oneLine(
      await ngatu(['assets', 'fetch', 'yolox-nano-dynamic'], env),
      /^ASSET_UNAVAILABLE: .*local folder: there is no folder/,
    );
    oneLine(
      await ngatu(['assets', 'verify', 'vtest'], env),
      /^ASSET_UNAVAILABLE: Not on this machine .*: vtest/,
    );
    oneLine(await ngatu(['assets', 'fetch', 'unheard-of'], env), /^ASSET_UNKNOWN: /);
  });

  it('a profile that is not there', async () => {
    oneLine(
      await ngatu(['edge', '--profile', 'none.yaml', '--data', 'edge']),
      /^FILE_UNREADABLE: Cannot read /,
    );
  });
});

it('lists the assets for programs', async () => {
  const { status, output } = await ngatu(['assets', 'list', '--json'], { NGATU_ASSETS: folder });
  expect(status).toBe(0);
  const names = JSON.parse(output).map((asset: { name: string }) => asset.name);
  expect(names).toContain('hanoi-giangvo-langha-1615');
});

describe('a command that is stopped', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s says so, and is no defect', async (name, status) => {
    const args = [PROGRAM, 'eval', 'fever', '--simulator', '--scenes', '10000'];
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (chunk) => {
      // it is in the middle of its work
      if (errors === '') child.kill(name);
      errors += chunk;
    });
    const ended = await new Promise((resolve) => child.on('close', resolve));
    expect(ended).toBe(status);
    expect(errors).toMatch(new RegExp(`\\nstopped by ${name} before the end\\n$`));
    expect(errors).not.toMatch(/INTERNAL|AbortError/);
  });
});
