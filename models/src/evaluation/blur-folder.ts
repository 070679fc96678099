import { readdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';

const PICTURE = /\.(jpe?g|png|webp)$/i;

/** Pictures of a folder and of those below it, in order of their names. @throws NgatuError FILE_UNREADABLE */
export async function listPictures(dir: string, maxPictures: number): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(dir, { recursive: true });
  } catch (cause) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read folder ${dir}: ${errorMessage(cause)}`, { cause });
  }
  const pictures = names
    .filter((name) => PICTURE.test(name) && !basename(name, extname(name)).startsWith('.'))
    .sort()
    .map((name) => join(dir, name));
  if (pictures.length === 0)
    throw new NgatuError('FILE_UNREADABLE', `Cannot evaluate ${dir}: there is no picture (JPEG, PNG, WebP)`);
  const step = Math.max(1, pictures.length / maxPictures);
  return Array.from(
    { length: Math.min(pictures.length, maxPictures) },
    (_, index) => pictures[Math.floor(index * step)] ?? '',
  );
}
