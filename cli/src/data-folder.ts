import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { asStorageError, NgatuError, systemCodeOf } from '@ngatu/contract';
import { type ProcessLock, tryProcessLock } from '@ngatu/models';

/** The ring, the outbox and the databases of one camera fit into this for a day; below it nothing is begun, bytes. */
const MIN_FREE_BYTES = 256 * 1024 * 1024;

/**
 * Makes the data folder ready, readable by its owner alone, and takes it for this process.
 * @throws NgatuError PERMISSION_DENIED, DISK_FULL, DATA_FOLDER_IN_USE
 */
export async function openDataFolder(path: string): Promise<ProcessLock> {
  const action = `use the data folder ${path}`;
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const probe = join(path, `.probe-${process.pid}`);
    writeFileSync(probe, Buffer.alloc(4_096));
    rmSync(probe);
    const { bavail, bsize } = statfsSync(path);
    if (bavail * bsize < MIN_FREE_BYTES) {
      const free = Math.floor((bavail * bsize) / 1024 / 1024);
      throw new NgatuError(
        'DISK_FULL',
        `Cannot ${action}: ${free} MiB are free on its disk, and 256 MiB are needed`,
      );
    }
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOTDIR' || code === 'EEXIST') {
      throw new NgatuError('PERMISSION_DENIED', `Cannot ${action}: there is a file in its place`, {
        cause: error,
      });
    }
    throw asStorageError(error, action);
  }
  const { dev, ino } = statSync(path);
  const lock = await tryProcessLock(`data folder ${dev} ${ino}`);
  if ('release' in lock) return lock;
  const holder = lock.heldBy === '' ? 'another ngatu' : lock.heldBy;
  throw new NgatuError('DATA_FOLDER_IN_USE', `Cannot ${action}: ${holder} uses it`);
}

/**
 * Reads a file of secrets, or makes it with `create`: whole or not there, readable by its owner alone.
 * @throws NgatuError PERMISSION_DENIED, DISK_FULL
 */
export function loadSecrets<T extends Record<string, string>>(path: string, create: () => T): T {
  try {
    const fresh = create();
    const known = readSecrets(path);
    if (Object.keys(fresh).every((name) => typeof known[name] === 'string' && known[name] !== '')) {
      chmodSync(path, 0o600);
      return known as T;
    }
    const secrets = { ...fresh, ...known };
    writeFileSync(`${path}.draft`, `${JSON.stringify(secrets, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(`${path}.draft`, path);
    return secrets;
  } catch (error) {
    throw asStorageError(error, `keep the secrets in ${path}`);
  }
}

/** What the file holds that can be a secret: whatever else stands in it is left out, and made anew where it is needed. */
function readSecrets(path: string): Record<string, string> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
    return Object.fromEntries(
      entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== ''),
    );
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT' || error instanceof SyntaxError) return {};
    throw error;
  }
}
