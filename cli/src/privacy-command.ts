import { resolve } from 'node:path';
import {
  type CaseQuery,
  eraseForSubject,
  exportForSubject,
  formatNotice,
  listSubjectCases,
  loadPrivacyPolicy,
  openCentreStores,
  runRetentionOnce,
} from '@ngatu/cloud';
import { NgatuError } from '@ngatu/contract';
import { loadProfile } from '@ngatu/firmware-config';
import { Command, Option } from 'commander';
import { writeJson } from './output-file.ts';
import { watchStopSignals } from './stop-signal.ts';

interface DataOption {
  readonly data: string;
}
interface SubjectOptions extends DataOption {
  readonly plate?: string;
  readonly track?: string;
  readonly camera?: string;
  readonly from?: string;
  readonly to?: string;
  readonly by: string;
  readonly received?: string;
  readonly out?: string;
  readonly dryRun?: boolean;
}

/** `ngatu privacy`: retention, notices, and requests of persons about their data. */
export function buildCommand(): Command {
  const command = new Command('privacy').description(
    'Deletes what is over its time, writes the notice of a camera site, and answers persons who ask about their data.',
  );
  addRetention(command);
  addNotice(command);
  addSubjectCommand(command, 'export');
  addSubjectCommand(command, 'erase');
  command
    .command('cases')
    .description('Requests of persons with their deadlines.')
    .addOption(dataOption())
    .action(showCases);
  return command;
}

function dataOption(): Option {
  return new Option('--data <folder>', 'data folder of the centre').makeOptionMandatory();
}

function addRetention(command: Command): void {
  command
    .command('retention')
    .description('Delete every case whose time is over by privacy.json, as the ingestor does once an hour.')
    .addOption(dataOption())
    .option('--dry-run', 'say what would be deleted')
    .action(async (options: DataOption & { readonly dryRun?: boolean }) => {
      const dataDir = resolve(options.data);
      const policy = loadPrivacyPolicy(dataDir);
      const stop = watchStopSignals(() => undefined);
      try {
        await using stores = await openCentreStores(dataDir);
        const parts = { ...stores, clock: { nowMs: () => Date.now() } };
        const dryRun = options.dryRun === true;
        const result = await runRetentionOnce(parts, policy, { dryRun, signal: stop.signal });
        const byKind = new Map<string, number>();
        for (const { kind, outcome } of result.cases)
          byKind.set(`${kind} ${outcome}`, (byKind.get(`${kind} ${outcome}`) ?? 0) + 1);
        for (const [what, count] of [...byKind].sort()) console.log(`${what}: ${count}`);
        console.log(
          dryRun
            ? `${result.cases.length} cases would be deleted`
            : `${result.cases.length} cases deleted, ${result.filesRemoved} files removed${result.scrubbed ? '' : '; the log of the database is in use and is emptied by the next run'}`,
        );
      } finally {
        stop.dispose();
      }
    });
}

function addNotice(command: Command): void {
  command
    .command('notice')
    .description('Write the notice that hangs at a camera site, in Vietnamese and English.')
    .requiredOption('--profile <file>', 'gateway profile of the site')
    .addOption(dataOption())
    .option('--camera <name>', 'one camera; by default all of the profile')
    .action(async (options: DataOption & { readonly profile: string; readonly camera?: string }) => {
      const { profile, scenes } = await loadProfile(options.profile);
      const policy = loadPrivacyPolicy(resolve(options.data));
      const cameras = profile.cameras.filter(({ name }) => (options.camera ?? name) === name);
      if (cameras.length === 0)
        throw new NgatuError('USAGE', `The profile has no camera "${options.camera}"`);
      const kinds = cameras.flatMap(({ name }) =>
        (scenes.get(name)?.scene.rules ?? []).map(({ kind }) => kind),
      );
      const names = cameras.map(({ name }) => name);
      console.log(formatNotice({ site: profile.site, cameras: names, kinds: [...new Set(kinds)], policy }));
    });
}

function addSubjectCommand(command: Command, kind: 'export' | 'erase'): void {
  const what = kind === 'export' ? 'Write down what is kept of a person' : 'Delete what is kept of a person';
  const one = command
    .command(kind)
    .description(
      `${what}, found by plate, road user, camera and time; the request is recorded with its deadline.`,
    )
    .addOption(dataOption())
    .option('--plate <text>', 'as a reviewer or the reader wrote it')
    .option('--track <number>', 'number of the road user')
    .option('--camera <site/node/camera>', 'where')
    .option('--from <time>', 'from, RFC 3339')
    .option('--to <time>', 'until, RFC 3339')
    .requiredOption('--by <name>', 'who handles the request')
    .option('--received <time>', 'when the request came, RFC 3339; by default now');
  if (kind === 'export') one.requiredOption('--out <file>', 'JSON file to write');
  else one.option('--dry-run', 'say what would be deleted');
  one.action((options: SubjectOptions) => handleSubject(kind, options));
}

async function handleSubject(kind: 'export' | 'erase', options: SubjectOptions): Promise<void> {
  const dataDir = resolve(options.data);
  const policy = loadPrivacyPolicy(dataDir);
  await using stores = await openCentreStores(dataDir);
  const request = {
    query: readQuery(options),
    handledBy: options.by,
    nowMs: Date.now(),
    receivedMs: options.received === undefined ? Date.now() : readTime(options.received),
    policy,
  };
  if (kind === 'export') {
    const answer = exportForSubject(stores, request);
    if (options.out !== undefined) await writeJson(options.out, answer);
    console.log(
      `case ${answer.caseId}: ${answer.cases.length} written; acknowledge by ${answer.acknowledgeBy}`,
    );
    return;
  }
  const answer = await eraseForSubject(stores, { ...request, dryRun: options.dryRun === true });
  console.log(
    options.dryRun === true
      ? `${answer.found} cases would be deleted, ${answer.held} of them are held`
      : `case ${answer.caseId}: ${answer.found} found, ${answer.erased} deleted, ${answer.held} under legal hold; acknowledge by ${answer.acknowledgeBy}`,
  );
}

async function showCases({ data }: DataOption): Promise<void> {
  await using stores = await openCentreStores(resolve(data));
  const cases = listSubjectCases(stores, Date.now());
  for (const one of cases) {
    const state = one.isLate ? 'LATE' : one.acknowledgedAt === undefined ? 'to acknowledge' : 'acknowledged';
    console.log(
      [
        one.caseId,
        one.kind,
        `received ${one.receivedAt}`,
        `acknowledge by ${one.acknowledgeBy}`,
        state,
        one.outcome ?? 'open',
      ].join('  '),
    );
  }
  if (cases.length === 0) console.log('no requests');
}

/** @throws NgatuError USAGE */
function readQuery({ plate, track, camera, from, to }: SubjectOptions): CaseQuery {
  const [site, node, name, ...rest] = camera?.split('/') ?? [];
  if (camera !== undefined && (name === undefined || rest.length > 0))
    throw new NgatuError('USAGE', 'Expected --camera site/node/camera');
  const trackId = track === undefined ? undefined : Number(track);
  if (trackId !== undefined && !(Number.isInteger(trackId) && trackId > 0))
    throw new NgatuError('USAGE', 'Expected a whole number for --track');
  if (plate !== undefined && plate.replaceAll(/[^0-9A-Za-z]/g, '').length < 4)
    throw new NgatuError('USAGE', 'Expected at least four letters or digits for --plate');
  const query: CaseQuery = {
    ...(plate === undefined ? {} : { plate }),
    ...(trackId === undefined ? {} : { trackId }),
    ...(site === undefined || node === undefined || name === undefined ? {} : { site, node, camera: name }),
    ...(from === undefined ? {} : { from: new Date(readTime(from)).toISOString() }),
    ...(to === undefined ? {} : { to: new Date(readTime(to)).toISOString() }),
  };
  if (plate === undefined && trackId === undefined && (from === undefined || to === undefined))
    throw new NgatuError('USAGE', 'Name a person: --plate, --track, or --from and --to');
  return query;
}

function readTime(text: string): number {
  const timeMs = Date.parse(text);
  if (Number.isNaN(timeMs)) throw new NgatuError('USAGE', `"${text}" is no time`);
  return timeMs;
}
