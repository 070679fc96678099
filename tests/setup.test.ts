import { spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const NOBODY = 65_534;

let folder: string;
let programs: string;

/** A copy of the set-up beside the lock file, and a PATH with nothing but what a bare machine has. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-setup-'));
  programs = join(folder, 'bin');
  await mkdir(join(folder, 'scripts'));
  await mkdir(programs);
  await copyFile(join(ROOT, 'scripts', 'setup.mjs'), join(folder, 'scripts', 'setup.mjs'));
  await copyFile(join(ROOT, 'package-lock.json'), join(folder, 'package-lock.json'));
  for (const name of ['sh', 'env', 'chmod', 'rm', 'ln', 'cat'])
    await symlink(`/bin/${name}`, join(programs, name));
  await chmod(folder, 0o755);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Puts a shell script under a name into the PATH; each call of it is written to `calls`. */
async function aProgram(name: string, body = ''): Promise<void> {
  const path = join(programs, name);
  await writeFile(path, `#!/bin/sh\necho "${name} $*" >> '${join(folder, 'calls')}'\n${body}\n`);
  await chmod(path, 0o755);
}

function setUp(purpose: 'start' | 'test', asUser?: number) {
  const run = spawnSync(process.execPath, [join(folder, 'scripts', 'setup.mjs'), purpose], {
    env: { PATH: programs, HOME: folder },
    encoding: 'utf8',
    ...(asUser === undefined ? {} : { uid: asUser }),
  });
  return { status: run.status, output: run.stdout, errors: run.stderr };
}

const calls = async () => (await readFile(join(folder, 'calls'), 'utf8').catch(() => '')).trim().split('\n');

describe('without root and sudo', () => {
  it('names what is missing and the exact command', async () => {
    await aProgram('apt-get');
    await aProgram('sudo', 'exit 1');
    const { status, errors } = setUp('test', process.getuid?.() === 0 ? NOBODY : undefined);
    expect(status).toBe(1);
    expect(errors.trim().split('\n')).toHaveLength(1);
    expect(errors).toMatch(
      /^SETUP_PACKAGE_MISSING: System packages are missing: ffmpeg .*chromium .*gir1\.2-gst-rtsp-server-1\.0/,
    );
    expect(errors).toMatch(
      /run: sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends ffmpeg .*chromium/,
    );
  });
});

describe('with root or sudo', () => {
  const SUDO = `shift; [ "$1" = true ] && exit 0; exec "$@"`;
  const linkModules = `ln -s '${join(ROOT, 'node_modules')}' node_modules`;

  it('installs with apt, then the packages of the lock file, and nothing the second time', async () => {
    await aProgram('sudo', SUDO);
    await aProgram(
      'apt-get',
      `case "$*" in *install*) for name in ffmpeg ffprobe mosquitto make g++ python3; do ln -sf /bin/true '${programs}'/$name; done;; esac`,
    );
    await aProgram('npm', linkModules);
    const first = setUp('start');
    expect(first.errors).toBe('');
    expect(first.status).toBe(0);
    expect(first.output).toMatch(/Installing system packages: ffmpeg/);
    const made = (await calls()).filter((call) => !call.startsWith('sudo'));
    expect(made[0]).toMatch(/^apt-get .*update$/);
    expect(made[1]).toMatch(/^apt-get .*install -y --no-install-recommends ffmpeg/);
    expect(made[2]).toMatch(/^npm ci /);
    await rm(join(folder, 'calls'));
    expect(setUp('start')).toMatchObject({ status: 0, output: '', errors: '' });
    expect(await calls()).toEqual(['']);
  });

  it.each([
    [
      'echo "E: Unable to fetch some archives" >&2; exit 100',
      /^SETUP_INSTALL_FAILED: apt-get update failed \(exit code 100\)/,
    ],
    ['echo "E: Write error - No space left on device" >&2; exit 100', /^DISK_FULL: apt-get update failed/],
    [
      'echo "Temporary failure resolving host" >&2; exit 100',
      /^SETUP_INSTALL_FAILED: .*cannot be reached; is there a network\?/,
    ],
  ])('says how apt failed: %s', async (body, message) => {
    await aProgram('sudo', SUDO);
    await aProgram('apt-get', body);
    const { status, output, errors } = setUp('start');
    expect(status).toBe(1);
    expect(errors).toMatch(message);
    expect(output).toMatch(/ {2}\| (E:|Temporary)/);
  });

  it('does not take a package that does not load for installed', async () => {
    await aProgram('sudo', SUDO);
    for (const name of ['ffmpeg', 'ffprobe', 'mosquitto', 'make', 'g++', 'python3', 'apt-get'])
      await aProgram(name);
    await aProgram('npm', "printf '' > /dev/null; mkdir node_modules 2>/dev/null || true");
    const { status, errors } = setUp('start');
    expect(status).toBe(1);
    expect(errors).toMatch(
      /^SETUP_INSTALL_FAILED: npm ci ended well, but a package does not load: better-sqlite3: .*Cannot find module/,
    );
  });
});
