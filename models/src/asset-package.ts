import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setInterval } from 'node:timers/promises';
import { errorMessage } from '@ngatu/contract';
import type { DebianSource, NpmSource } from './asset-manifest.ts';
import { runCommand } from './command.ts';

interface UnpackOptions {
  /** An empty folder that the caller removes afterwards. */
  readonly folder: string;
  /** Paths inside the package to unpack. */
  readonly paths: readonly string[];
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((receivedBytes: number) => void) | undefined;
}

const DOWNLOAD_TIMEOUT_MS = 15 * 60_000;
const UNPACK_TIMEOUT_MS = 5 * 60_000;

/**
 * Downloads a package with `npm pack` (which checks it against the registry) and unpacks `paths` below the returned
 * folder. Nothing of the package is run.
 */
export async function unpackNpmPackage(source: NpmSource, options: UnpackOptions): Promise<string> {
  const spec = `${source.package}@${source.version}`;
  const args = [
    'pack',
    spec,
    '--silent',
    '--ignore-scripts',
    '--fetch-retries=1',
    '--fetch-retry-mintimeout=500',
  ];
  const { folder, signal } = options;
  await reportGrowth(
    options,
    runCommand('npm', args, { cwd: folder, timeoutMs: DOWNLOAD_TIMEOUT_MS, signal }),
  );
  const archive = await findArchive(folder, '.tgz');
  if (source.integrity !== undefined) {
    const digest = `sha512-${createHash('sha512')
      .update(await readFile(archive))
      .digest('base64')}`;
    if (digest !== source.integrity)
      throw new Error(`the package ${spec} has another integrity than the manifest`);
  }
  const members = options.paths.map((path) => `package/${path}`);
  await runCommand('tar', ['-xzf', archive, ...members], {
    cwd: folder,
    timeoutMs: UNPACK_TIMEOUT_MS,
    signal,
  });
  return join(folder, 'package');
}

/**
 * Downloads a Debian package with `apt-get download` and unpacks `paths` below the returned folder. Needs no root: where
 * the machine's package lists are missing or old, fresh ones are fetched into `folder`.
 */
export async function unpackDebianPackage(source: DebianSource, options: UnpackOptions): Promise<string> {
  const { folder, signal } = options;
  await reportGrowth(options, downloadDebianPackage(source.package, options));
  const archive = await findArchive(folder, '.deb');
  const target = join(folder, 'unpacked');
  await mkdir(target);
  const members = options.paths.map((path) => `./${path}`);
  const script = 'archive=$1; shift; dpkg-deb --fsys-tarfile "$archive" | tar -xf - "$@"';
  await runCommand('bash', ['-o', 'pipefail', '-c', script, 'unpack', archive, ...members], {
    cwd: target,
    timeoutMs: UNPACK_TIMEOUT_MS,
    signal,
  });
  return target;
}

async function downloadDebianPackage(name: string, { folder, signal }: UnpackOptions): Promise<void> {
  const run = (args: string[]) =>
    runCommand('apt-get', args, { cwd: folder, timeoutMs: DOWNLOAD_TIMEOUT_MS, signal });
  const patience = [
    '-q',
    '-o',
    'Acquire::Retries=1',
    '-o',
    'Acquire::http::Timeout=15',
    '-o',
    'APT::Sandbox::User=root',
  ];
  try {
    await run(['download', ...patience, name]);
  } catch (error) {
    signal?.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new Error('apt-get is not installed');
    const lists = join(folder, 'lists');
    const cache = join(folder, 'cache');
    await mkdir(join(lists, 'partial'), { recursive: true });
    await mkdir(join(cache, 'archives', 'partial'), { recursive: true });
    const own = [...patience, '-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${cache}`];
    try {
      await run(['update', ...own]);
      await run(['download', ...own, name]);
    } catch (second) {
      throw new Error(errorMessage(second), { cause: error });
    }
  }
}

/** Reports the bytes in `folder` while `work` goes on: the package managers have no progress to read. */
async function reportGrowth({ folder, onProgress }: UnpackOptions, work: Promise<void>): Promise<void> {
  if (onProgress === undefined) return work;
  const done = new AbortController();
  const report = async () => {
    try {
      for await (const _ of setInterval(500, undefined, { signal: done.signal }))
        onProgress(await folderBytes(folder));
    } catch (error) {
      if (!done.signal.aborted) throw error;
    }
  };
  const reporting = report();
  try {
    await work;
  } finally {
    done.abort();
    await reporting;
  }
}

async function folderBytes(folder: string): Promise<number> {
  let total = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const info = await stat(join(folder, entry.name)).catch(() => undefined);
    total += info?.size ?? 0;
  }
  return total;
}

async function findArchive(folder: string, extension: string): Promise<string> {
  const name = (await readdir(folder)).find((entry) => entry.endsWith(extension));
  if (name === undefined) throw new Error(`the download left no ${extension} file`);
  const archive = join(folder, `archive${extension}`);
  await rename(join(folder, name), archive);
  return archive;
}
