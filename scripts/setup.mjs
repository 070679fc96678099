// Brings a machine to the state that `npm start` or `npm test` needs: Node, system packages, npm packages. Plain Node and
// no dependency, because it runs before there are any. Does nothing, fast, where nothing is missing.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const NODE_MINIMUM = [20, 19];
const STAMP = join(ROOT, 'node_modules', '.ngatu-stamp');

/** A system package with what shows that it is there: a program, or (`installed`) dpkg's word for it. */
export const PACKAGES = {
  start: [
    { name: 'ffmpeg', programs: ['ffmpeg', 'ffprobe'] },
    { name: 'mosquitto', programs: ['mosquitto'] },
  ],
  compile: [
    { name: 'build-essential', programs: ['make', 'g++'] },
    { name: 'python3', programs: ['python3'] },
  ],
  test: [
    { name: 'chromium', programs: ['chromium'] },
    { name: 'faketime', programs: ['faketime'] },
    { name: 'strace', programs: ['strace'] },
    { name: 'openssl', programs: ['openssl'] },
    { name: 'influxdb', programs: ['influxd'] },
    { name: 'python3-gi', installed: true },
    { name: 'gir1.2-gst-rtsp-server-1.0', installed: true },
    { name: 'gstreamer1.0-plugins-base', installed: true },
    { name: 'gstreamer1.0-plugins-good', installed: true },
    { name: 'gstreamer1.0-plugins-bad', installed: true },
  ],
};

/** Packages with native parts, each with what makes it load them: to be there is not enough. */
const NATIVE = {
  'better-sqlite3': (require) => new (require('better-sqlite3'))(':memory:').close(),
  'onnxruntime-node': (require) => require('onnxruntime-node'),
  '@duckdb/node-api': (require) => require('@duckdb/node-api'),
  sharp: (require) => require('sharp'),
};

/** A set-up failure: printed as one line `CODE: message`. */
export class SetupError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * @param {'start' | 'test'} purpose
 * @param {{log?: (line: string) => void}} options
 */
export async function setUp(purpose, { log = (line) => console.log(line) } = {}) {
  checkNode();
  const fresh = isInstallFresh();
  const wanted = [...PACKAGES.start, ...(purpose === 'test' ? PACKAGES.test : [])];
  if (!fresh && !isCompiled() && !(await canDownloadBinary())) wanted.push(...PACKAGES.compile);
  const missing = wanted.filter((entry) => !isPresent(entry)).map((entry) => entry.name);
  if (missing.length > 0) await installSystemPackages(missing, log);
  if (!fresh) await installNpmPackages(log);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > NODE_MINIMUM[0] || (major === NODE_MINIMUM[0] && minor >= NODE_MINIMUM[1])) return;
  throw new SetupError(
    'SETUP_PACKAGE_MISSING',
    `Node ${NODE_MINIMUM.join('.')} or newer is needed, and this is ${process.version}: install it from https://nodejs.org or your distribution`,
  );
}

function isPresent({ name, programs, installed }) {
  if (installed) return isInstalledPackage(name);
  return programs.every(isProgram);
}

function isProgram(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.some((folder) => folder !== '' && existsSync(join(folder, name)));
}

function isInstalledPackage(name) {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the notation of dpkg-query
  const query = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Status}', name], { encoding: 'utf8' });
  return query.stdout === 'installed';
}

/** Root installs by himself; others through sudo where it asks for no password. */
function findPrivilege() {
  if (process.getuid?.() === 0) return [];
  const sudo = spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' });
  return sudo.status === 0 ? ['sudo', '-n'] : undefined;
}

async function installSystemPackages(names, log) {
  const list = names.join(' ');
  const command = `apt-get update && apt-get install -y --no-install-recommends ${list}`;
  const privilege = findPrivilege();
  if (privilege === undefined || !isProgram('apt-get')) {
    const advice = isProgram('apt-get')
      ? `run: sudo sh -c '${command}'`
      : 'install these programs with your package manager';
    throw new SetupError('SETUP_PACKAGE_MISSING', `System packages are missing: ${list}; ${advice}`);
  }
  log(`Installing system packages: ${list}`);
  const run = (args) => {
    // No service of an installed package is started by the installation: ngatu runs its own broker.
    const script = `if [ ! -e /usr/sbin/policy-rc.d ]; then printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d; trap 'rm -f /usr/sbin/policy-rc.d' EXIT; fi; apt-get -q -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@"`;
    const [program, ...rest] = [
      ...privilege,
      'env',
      'DEBIAN_FRONTEND=noninteractive',
      'sh',
      '-c',
      script,
      'apt-get',
      ...args,
    ];
    return runWithProgress(program, rest, { label: `apt-get ${args[0]}`, log });
  };
  await run(['update']);
  await run(['install', '-y', '--no-install-recommends', ...names]);
}

function lockDigest() {
  const lock = readFileSync(join(ROOT, 'package-lock.json'));
  return createHash('sha256')
    .update(lock)
    .update(`${process.platform} ${process.arch} ${process.versions.modules}`)
    .digest('hex');
}

function isInstallFresh() {
  try {
    return readFileSync(STAMP, 'utf8') === lockDigest();
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
    return isInstalledByHand();
  }
}

/** True where somebody ran `npm ci` himself: the packages on disk are those of the lock file, and the native ones load. */
function isInstalledByHand() {
  const hidden = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  const locked = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  const present = JSON.parse(readFileSync(hidden, 'utf8')).packages;
  const differs = Object.entries(locked).some(([path, entry]) => {
    if (!path.startsWith('node_modules/') || entry.link) return false;
    const found = present[path];
    return found === undefined
      ? !entry.optional
      : found.version !== entry.version || found.integrity !== entry.integrity;
  });
  if (differs || findBrokenPackage() !== undefined) return false;
  writeFileSync(STAMP, lockDigest());
  return true;
}

function isCompiled() {
  return existsSync(join(ROOT, 'node_modules')) && findBrokenPackage() === undefined;
}

/** The first native package that does not load, with the reason; absent where all do. */
function findBrokenPackage() {
  for (const [name, load] of Object.entries(NATIVE)) {
    const probe = spawnSync(process.execPath, ['-e', `(${load})(require)`], { cwd: ROOT, encoding: 'utf8' });
    if (probe.status === 0) continue;
    const line = probe.stderr.split('\n').find((text) => /Error/.test(text)) ?? 'it does not load';
    return `${name}: ${line.trim()}`;
  }
  return undefined;
}

/** Whether the prebuilt binary of better-sqlite3 can be had, so that no compiler is needed. */
async function canDownloadBinary() {
  const locked = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  const version = locked['node_modules/better-sqlite3']?.version;
  const file = `better-sqlite3-v${version}-node-v${process.versions.modules}-${process.platform}-${process.arch}.tar.gz`;
  const url = `https://github.com/WiseLibs/better-sqlite3/releases/download/v${version}/${file}`;
  try {
    return (await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(4_000) })).ok;
  } catch {
    // Any failure means the same: it is compiled here.
    return false;
  }
}

/** node-gyp would download Node's headers: those that came with this Node are used where they are there. */
function findNodeHeaders() {
  if (process.env.npm_config_nodedir) return {};
  const prefix = dirname(dirname(process.execPath));
  const header = join(prefix, 'include', 'node', 'node_version.h');
  if (!existsSync(header)) return {};
  const text = readFileSync(header, 'utf8');
  const part = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(text)?.[1];
  const version = `v${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}`;
  return version === process.version ? { npm_config_nodedir: prefix } : {};
}

async function installNpmPackages(log) {
  log('Installing npm packages (npm ci); where better-sqlite3 has to be compiled this takes 2 to 3 minutes');
  await runWithProgress('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    label: 'npm ci',
    log,
    env: { ...process.env, ...findNodeHeaders() },
  });
  const broken = findBrokenPackage();
  if (broken !== undefined)
    throw new SetupError('SETUP_INSTALL_FAILED', `npm ci ended well, but a package does not load: ${broken}`);
  writeFileSync(STAMP, lockDigest());
}

const HEARTBEAT_MS = 10_000;
const TAIL_LINES = 12;

/** Runs a long command; says every few seconds how far it is, and shows its last lines where it fails. */
function runWithProgress(program, args, { label, log, env = process.env }) {
  const begun = performance.now();
  const seconds = () => `${Math.round((performance.now() - begun) / 1000)} s`;
  const tail = [];
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (chunk) => {
      tail.push(
        ...chunk
          .toString()
          .split('\n')
          .filter((line) => line.trim() !== ''),
      );
      tail.splice(0, tail.length - TAIL_LINES);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const heartbeat = setInterval(() => {
      const last = tail.at(-1);
      log(`  ${label}: ${seconds()}${last === undefined ? '' : `, ${last.slice(0, 90)}`}`);
    }, HEARTBEAT_MS);
    const fail = (reason) => {
      clearInterval(heartbeat);
      const text = tail.join('\n');
      const code = /ENOSPC|No space left on device/.test(text) ? 'DISK_FULL' : 'SETUP_INSTALL_FAILED';
      for (const line of tail) log(`  | ${line}`);
      reject(new SetupError(code, `${label} failed (${reason})${hint(text)}`));
    };
    child.on('error', (error) => fail(error.message));
    child.on('close', (status, signal) => {
      if (status !== 0) return fail(signal ?? `exit code ${status}`);
      clearInterval(heartbeat);
      log(`  ${label}: done in ${seconds()}`);
      resolve();
    });
  });
}

function hint(text) {
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|Could not resolve|Temporary failure resolving/.test(text)) {
    return ': the package registry cannot be reached; is there a network?';
  }
  if (/EACCES|EPERM|EROFS|Permission denied/.test(text)) return ': this user may not write to the folder';
  return '; its last lines stand above';
}

/** Prints an error as `CODE: message` and ends the process with a code that is not 0. */
export function reportAndExit(error) {
  const code = typeof error?.code === 'string' ? error.code : undefined;
  if (error instanceof SetupError) console.error(`${code}: ${error.message}`);
  else if (code === 'ENOSPC') console.error(`DISK_FULL: ${error.message}`);
  else if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    console.error(`PERMISSION_DENIED: ${error.message}`);
  else console.error(error);
  process.exit(1);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await setUp(process.argv[2] === 'test' ? 'test' : 'start').catch(reportAndExit);
}
