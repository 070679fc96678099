import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { exportCases } from '@ngatu/cloud';
import { asOutputError } from '@ngatu/contract';
import { Command } from 'commander';
import { buildDataOption } from './option.ts';
import { PRODUCT_VERSION } from './product-version.ts';

interface ExportOptions {
  readonly data: string;
  readonly cloud?: string;
  readonly reason: string;
  readonly out?: string;
  readonly originals?: true;
}

/** `ngatu export`: the signed archive of cases. */
export function buildCommand(): Command {
  return new Command('export')
    .description(
      'Writes the signed archive of one or several cases, and records it in the audit trail of the centre.',
    )
    .argument('<event...>', 'ids of the cases, ev-…')
    .requiredOption('--reason <text>', 'why; it stands in the archive and in the audit trail')
    .addOption(buildDataOption('data folder of `ngatu start`'))
    .option('--cloud <folder>', 'data folder of a centre that was not started by `ngatu start`')
    .option('--out <file>', 'where to (default: ngatu-<day>-<event>.zip here)')
    .option('--originals', 'with the originals that are at the centre')
    .action(run);
}

async function run(eventIds: readonly string[], options: ExportOptions): Promise<void> {
  const dataDir = resolve(options.cloud ?? join(options.data, 'cloud'));
  const exportedAt = new Date().toISOString();
  const file = resolve(
    options.out ?? `ngatu-${exportedAt.slice(0, 10)}-${(eventIds[0] ?? '').slice(0, 11)}.zip`,
  );
  const draft = `${file}.part`;
  await using cases = await exportCases({
    dataDir,
    eventIds,
    reason: options.reason,
    exportedAt,
    exportedBy: `command line (${userInfo().username})`,
    softwareVersion: PRODUCT_VERSION,
    withOriginals: options.originals === true,
  });
  try {
    await pipeline(Readable.from(cases.bytes), createWriteStream(draft, { flush: true, mode: 0o600 }));
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw asOutputError(error, `write ${file}`);
  }
  console.log(`wrote ${file}`);
}
