import { readFile } from 'node:fs/promises';
import { errorMessage, NgatuError } from '@ngatu/contract';

/**
 * Names of pictures, one a line; empty lines and those that begin with `#` are left out.
 * @throws NgatuError FILE_UNREADABLE
 */
export async function readNameList(file: string): Promise<ReadonlySet<string>> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read ${file}: ${errorMessage(cause)}`, { cause });
  });
  const lines = text.split('\n').map((line) => line.trim());
  return new Set(lines.filter((line) => line !== '' && !line.startsWith('#')));
}
