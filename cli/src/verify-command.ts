import { readFileSync } from 'node:fs';
import { errorMessage, type LocalizedText, NgatuError } from '@ngatu/contract';
import {
  CHECK_TITLES,
  type ExportReport,
  type MutationTally,
  runMutationCampaign,
  VERDICT_TITLES,
  verifyExport,
} from '@ngatu/trust';
import { Command, Option } from 'commander';
import { readCount } from './option.ts';

interface VerifyOptions {
  readonly ca?: string;
  readonly crl?: string;
  readonly language: 'vi' | 'en';
  readonly json?: true;
  readonly mutate?: number;
  readonly seed: number;
}

/** `ngatu verify`: proves a case export without network and database. */
export function buildCommand(): Command {
  return new Command('verify')
    .description(
      'Checks a case export from its bytes alone: no network, no database. Exit code 1 where any check fails.',
    )
    .argument('<export>', 'archive of `ngatu export` or of the console')
    .option(
      '--ca <file>',
      'certificate of the authority that you trust; without it the one inside is only compared by you',
    )
    .option('--crl <file>', 'newer revocation list than the one inside')
    .addOption(new Option('--language <code>', 'of the report').choices(['vi', 'en']).default('en'))
    .option('--json', 'print the report as JSON')
    .option(
      '--mutate <number>',
      'damage it instead: this many single bytes, a tenth as many insertions, removals and truncations, every entry removed, copied and exchanged',
      readCount,
    )
    .option('--seed <number>', 'of the damage', readCount, 1)
    .action(verify);
}

async function verify(file: string, options: VerifyOptions): Promise<void> {
  const bytes = new Uint8Array(readInput(file));
  const anchors = {
    ...(options.ca === undefined ? {} : { caPem: readInput(options.ca).toString('utf8') }),
    ...(options.crl === undefined ? {} : { crl: readInput(options.crl).toString('utf8') }),
  };
  if (options.mutate !== undefined) {
    const { mutate, seed, json } = options;
    return damage(bytes, { ...anchors, bytes: mutate, seed, isJson: json === true });
  }
  const report = await verifyExport(bytes, anchors);
  if (options.json === true) console.log(JSON.stringify(report, undefined, 2));
  else printReport(file, report, options.language);
  if (report.verdict !== 'failed') return;
  const failed = report.checks.filter(({ state }) => state === 'failed').length;
  throw new NgatuError('EXPORT_UNVERIFIED', `Cannot accept ${file}: ${failed} checks failed`);
}

const SIGNS = { passed: '✓', warning: '!', failed: '✗' } as const;

function printReport(
  file: string,
  { checks, verdict, sha256, sizeBytes }: ExportReport,
  language: keyof LocalizedText,
): void {
  console.log(`${file}\n${sizeBytes} bytes, SHA-256 ${sha256}\n`);
  let eventId: string | undefined;
  for (const check of checks) {
    if (check.eventId !== undefined && check.eventId !== eventId) console.log(`\n${check.eventId}`);
    eventId = check.eventId ?? eventId;
    console.log(`  ${SIGNS[check.state]} ${CHECK_TITLES[check.check][language]}: ${check.detail[language]}`);
  }
  console.log(`\n${VERDICT_TITLES[verdict][language]}`);
}

interface Damage {
  readonly bytes: number;
  readonly seed: number;
  readonly isJson: boolean;
  readonly caPem?: string;
  readonly crl?: string;
}

async function damage(bytes: Uint8Array, { isJson, ...options }: Damage): Promise<void> {
  const begun = performance.now();
  let tallies: MutationTally[];
  try {
    tallies = await runMutationCampaign(bytes, options);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new NgatuError('EXPORT_UNVERIFIED', `Cannot damage the export: ${error.message}`, { cause: error });
  }
  const tried = tallies.reduce((sum, tally) => sum + tally.tried, 0);
  const detected = tallies.reduce((sum, tally) => sum + tally.detected, 0);
  const seconds = (performance.now() - begun) / 1_000;
  if (isJson)
    console.log(JSON.stringify({ tried, detected, seed: options.seed, seconds, tallies }, undefined, 2));
  else {
    for (const { kind, ...tally } of tallies)
      console.log(
        `${kind.padEnd(18)} ${String(tally.tried).padStart(7)} tried ${String(tally.detected).padStart(7)} detected`,
      );
    console.log(`${detected} of ${tried} detected in ${seconds.toFixed(0)} s (seed ${options.seed})`);
  }
  const passed = tallies.flatMap((tally) => tally.passed.map((what) => `${tally.kind} ${what}`));
  if (passed.length > 0)
    throw new NgatuError('EXPORT_UNVERIFIED', `Cannot detect all damage: ${passed.slice(0, 5).join('; ')}`);
}

function readInput(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read ${file}: ${errorMessage(error)}`, { cause: error });
  }
}
