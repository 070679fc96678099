import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { findRepositoryRoot, locateAssetFolders } from '@ngatu/models';
import { Command } from 'commander';
import { describeCommit, digestData, formatSection, replaceSection } from './quality-page.ts';
import { QUALITY_SECTIONS } from './quality-section.ts';

interface QualityOptions {
  readonly data?: string;
  readonly only?: string[];
  readonly out: string;
}

const OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024;

/** `ngatu quality`. */
export function buildCommand(): Command {
  return new Command('quality')
    .description(
      'Run the evaluations one after the other and write their figures with data, date and commit into docs/quality.md.\n' +
        'An evaluation whose data is not there leaves its section as it was and is named.',
    )
    .option('--data <dir>', 'folder with media/ and datasets/; by default NGATU_ASSETS or ../shared')
    .option(
      '--only <names...>',
      `only these sections: ${QUALITY_SECTIONS.map(({ name }) => name).join(', ')}`,
    )
    .option('--out <file>', 'page to write', 'docs/quality.md')
    .action(runQuality);
}

async function runQuality(options: QualityOptions): Promise<void> {
  const root = findRepositoryRoot();
  const data = resolve(options.data ?? locateAssetFolders().localDir);
  const out = resolve(options.out);
  const unknown = (options.only ?? []).filter((name) =>
    QUALITY_SECTIONS.every((section) => section.name !== name),
  );
  if (unknown.length > 0)
    throw new NgatuError('USAGE', `Cannot measure ${unknown.join(', ')}: no such section`);
  const order = QUALITY_SECTIONS.map(({ name }) => name);
  const commit = await describeCommit(root);
  const failed: string[] = [];
  for (const section of QUALITY_SECTIONS) {
    if (options.only !== undefined && !options.only.includes(section.name)) continue;
    const missing = section.data.filter((entry) => !existsSync(join(data, entry)));
    if (missing.length > 0) {
      console.error(`${section.name}: left as it was, ${missing.join(', ')} is not in ${data}`);
      continue;
    }
    console.error(`${section.name} …`);
    const program = [
      join(root, 'cli', 'bin', 'ngatu.mjs'),
      ...section.args.map((arg) => arg.replaceAll('{data}', data)),
    ];
    try {
      const { stdout } = await promisify(execFile)(process.execPath, program, {
        cwd: root,
        maxBuffer: OUTPUT_LIMIT_BYTES,
      });
      const digest = section.data.length === 0 ? {} : { digest: await digestData(data, section.data) };
      const date = new Date().toISOString().slice(0, 10);
      const output = stdout.replaceAll(data, '../shared');
      const page = existsSync(out) ? await readFile(out, 'utf8') : '';
      await writeFile(
        out,
        replaceSection(
          page,
          section.name,
          formatSection(section, { output, ...digest, commit, date }),
          order,
        ),
      );
    } catch (error) {
      failed.push(section.name);
      console.error(`${section.name}: ${errorMessage(error)}`);
    }
  }
  console.log(`figures → ${out}`);
  if (failed.length > 0) throw new NgatuError('CHILD_FAILED', `Cannot measure ${failed.join(', ')}`);
}
