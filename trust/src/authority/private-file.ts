import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';

/** Makes the folder for its owner alone. @throws NgatuError PERMISSION_DENIED, DISK_FULL */
export function makePrivateFolder(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw asFileError(error, `make the folder "${dir}"`);
  }
}

/**
 * Writes a file that only its owner can read: whole on the disk or as it was, also after a power cut.
 * @throws NgatuError PERMISSION_DENIED, DISK_FULL
 */
export function writePrivateFile(path: string, text: string): void {
  try {
    const part = `${path}.part`;
    const handle = openSync(part, 'w', 0o600);
    try {
      writeFileSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    movePrivateFile(part, path);
  } catch (error) {
    throw asFileError(error, `write "${path}"`);
  }
}

/** Renames, and brings the new name to the disk. @throws NgatuError PERMISSION_DENIED, DISK_FULL */
export function movePrivateFile(from: string, to: string): void {
  try {
    renameSync(from, to);
    const folder = openSync(dirname(to), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch (error) {
    throw asFileError(error, `write "${to}"`);
  }
}

/** The text of a file; undefined where there is none. @throws NgatuError PERMISSION_DENIED */
export function readFileIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw asFileError(error, `read "${path}"`);
  }
}

export function asFileError(error: unknown, action: string): NgatuError {
  if (error instanceof NgatuError) return error;
  const code = codeOf(error) === 'ENOSPC' ? 'DISK_FULL' : 'PERMISSION_DENIED';
  return new NgatuError(code, `Cannot ${action}: ${errorMessage(error)}`, { cause: error });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
