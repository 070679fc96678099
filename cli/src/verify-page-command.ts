import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { findRepositoryRoot } from '@ngatu/models';
import { Command } from 'commander';
import { writeOutput } from './output-file.ts';

/** `ngatu verify-page`: the page that verifies in a browser. */
export function buildCommand(): Command {
  return new Command('verify-page')
    .description(
      'Writes the page that verifies case exports in a browser: one file, opened from the disk, no network.',
    )
    .argument('<file>', 'where to, such as verify.html')
    .action(async (file: string) => {
      await writeOutput(file, readPage());
      console.log(`wrote ${file}`);
    });
}

function readPage(): Buffer {
  const built = join(findRepositoryRoot(), 'dist', 'verify.html');
  try {
    return readFileSync(built);
  } catch (error) {
    const hint = `${errorMessage(error)}; "npm run build" makes it`;
    throw new NgatuError('FILE_UNREADABLE', `Cannot read the page: ${hint}`, { cause: error });
  }
}
