import { join, resolve } from 'node:path';
import { listAuditOf, verifyAuditOf } from '@ngatu/cloud';
import { NgatuError } from '@ngatu/contract';
import { Command } from 'commander';
import { buildDataOption, readCount } from './option.ts';

interface ListOptions {
  readonly data: string;
  readonly limit: number;
  readonly actor?: string;
  readonly action?: string;
  readonly target?: string;
  readonly json?: true;
}

const DATA = 'data folder of `ngatu start`';

function centreFolder(data: string): string {
  return join(resolve(data), 'cloud');
}

/** `ngatu audit`. */
export function buildCommand(): Command {
  const command = new Command('audit').description('Reads and proves the audit trail of a centre.');
  command
    .command('verify')
    .description('prove every row of the trail, and that nothing was cut off or put back; the centre may run')
    .option('--expect <number:digest>', 'a head that was noted down before: the trail must hold it still')
    .addOption(buildDataOption(DATA))
    .action(verify);
  command
    .command('list')
    .description('print rows of the trail, newest first')
    .option('--limit <number>', 'at most so many', readCount, 50)
    .option('--actor <name>', 'only what this account did')
    .option('--action <name>', 'only this act')
    .option('--target <name>', 'only what was done to this')
    .option('--json', 'one JSON object a line')
    .addOption(buildDataOption(DATA))
    .action(list);
  return command;
}

/** @throws NgatuError AUDIT_TAMPERED, USAGE */
async function verify(options: { data: string; expect?: string }): Promise<void> {
  const dataDir = centreFolder(options.data);
  const report = await verifyAuditOf(dataDir);
  const { rows, head, anchors, signedAnchors, unanchoredRows } = report;
  console.log(
    `rows ${rows}, anchors ${anchors} (${signedAnchors} signed), ${unanchoredRows} rows after the last one`,
  );
  console.log(`head ${head.id}:${head.digest}`);
  for (const { kind, row, line, detail } of report.faults) {
    const place = row === undefined ? (line === undefined ? '' : ` line ${line}`) : ` row ${row}`;
    console.log(`${kind}${place}: ${detail}`);
  }
  const isExpected = options.expect === undefined || holds(dataDir, options.expect);
  if (report.faults.length > 0)
    throw new NgatuError('AUDIT_TAMPERED', `Cannot trust the audit trail: ${report.faults.length} faults`);
  if (!isExpected)
    throw new NgatuError(
      'AUDIT_TAMPERED',
      `Cannot trust the audit trail: it does not hold ${options.expect}`,
    );
}

function holds(dataDir: string, expected: string): boolean {
  const parts = /^(\d{1,15}):([0-9a-f]{64})$/.exec(expected);
  if (parts === null)
    throw new NgatuError('USAGE', '--expect takes what "head" shows: a number, a colon, 64 digits');
  const [row] = listAuditOf(dataDir, { before: Number(parts[1]) + 1, limit: 1 });
  return row?.id === Number(parts[1]) && row.digest === parts[2];
}

function list({ data, json, ...filter }: ListOptions): void {
  for (const row of listAuditOf(centreFolder(data), filter)) {
    if (json === true) console.log(JSON.stringify(row));
    else {
      const { id, at, actor = '-', action, target = '', detail = '', reason = '' } = row;
      console.log([id, at, actor, action, target, detail, reason].filter((part) => part !== '').join('  '));
    }
  }
}
