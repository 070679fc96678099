import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { asOutputError } from '@ngatu/contract';

/**
 * Writes a file, and makes the folder where it is not there.
 * @throws NgatuError PERMISSION_DENIED, DISK_FULL, FILE_UNWRITABLE
 */
export async function writeOutput(file: string, content: string | Buffer): Promise<void> {
  try {
    await mkdir(dirname(resolve(file)), { recursive: true });
    await writeFile(file, content);
  } catch (error) {
    throw asOutputError(error, `write ${file}`);
  }
}

/**
 * Writes a value as JSON, and makes the folder where it is not there.
 * @throws NgatuError PERMISSION_DENIED, DISK_FULL, FILE_UNWRITABLE
 */
export function writeJson(file: string, value: unknown): Promise<void> {
  return writeOutput(file, `${JSON.stringify(value, undefined, 2)}\n`);
}
