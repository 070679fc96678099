import { readFile } from 'node:fs/promises';
import { errorMessage, NgatuError } from '@ngatu/contract';

/** The option of evaluations that judge some pictures of a folder only. */
export const ONLY_OPTION = [
  '--only <file>',
  'names of the pictures to judge, one a line: those that were held out from a training',
] as const;

/** The option of evaluations that have what nobody labelled judged by eye. */
export const UNLABELLED_OPTION = [
  '--unlabelled <file>',
  'places of objects that nobody labelled, judged by eye (models/annotations): what is found there counts neither way',
] as const;

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
