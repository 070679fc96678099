import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  FUZZ_GOAL,
  FuzzRecord,
  type FuzzReport,
  type FuzzResult,
  type FuzzTask,
  formatFuzzTable,
  replayFuzzInput,
  runFuzzCampaign,
  runFuzzTask,
} from '@ngatu/benchmarks';
import { NgatuError, type UntrustedParser } from '@ngatu/contract';
import { findRepositoryRoot } from '@ngatu/models';
import { Command, Option } from 'commander';
import { loadUntrustedParsers } from './fuzz-parsers.ts';
import { readCount } from './option.ts';
import { writeJson } from './output-file.ts';
import { watchStopSignals } from './stop-signal.ts';

interface FuzzOptions {
  readonly parser?: readonly string[];
  readonly seed: number;
  readonly mutations: number;
  readonly childMutations: number;
  readonly parallel: number;
  readonly findings: string;
  readonly resume?: string;
  readonly json?: string;
  readonly input?: string;
  readonly list?: true;
  readonly worker?: readonly [string, string];
}

const SEED = 20_250_101;

/** `ngatu fuzz`: hostile bytes for every parser. */
export function buildCommand(): Command {
  return new Command('fuzz')
    .description(
      'Gives every parser that meets untrusted input seeded mutations of inputs that it takes, in a process of its own.\n' +
        'A refusal with a code is an answer; a crash, another error, a hang, growing memory or a changed prototype is a\n' +
        'finding: its input is saved and is the same again under the same seed. Exit code 1 where there is one.',
    )
    .option('--parser <name...>', 'only these parsers')
    .option('--seed <number>', 'repeats an earlier campaign', readCount, SEED)
    .option('--mutations <number>', 'for each parser in process', readCount, FUZZ_GOAL.process)
    .option(
      '--child-mutations <number>',
      'for each parser that works in a child process (ffmpeg, models)',
      readCount,
      FUZZ_GOAL.media,
    )
    .option('--parallel <number>', 'parsers tried at one time', readCount, 1)
    .addOption(
      new Option('--findings <folder>', 'where inputs of findings are kept').default(
        join(findRepositoryRoot(), '.ngatu', 'fuzz'),
        '.ngatu/fuzz in the checkout',
      ),
    )
    .option(
      '--resume <folder>',
      'keep the result of each parser here, and take those that are here and held, under this seed and number',
    )
    .option('--json <file>', 'write the results as JSON')
    .option('--input <file>', 'give this one input to the parser, and say what it answers')
    .option('--list', 'list the parsers, and who may send them input')
    .addOption(new Option('--worker <words...>', 'one task of a campaign').hideHelp())
    .action(fuzz);
}

async function fuzz(options: FuzzOptions): Promise<void> {
  if (options.worker !== undefined) return work(options.worker);
  const parsers = await chooseParsers(options.parser);
  if (options.list) return list(parsers);
  if (options.input !== undefined) return replay(parsers, options.input);
  const stop = watchStopSignals(() => undefined);
  try {
    const results = await runFuzzCampaign(
      {
        parsers,
        seed: options.seed,
        countFor: ({ pace }) => (pace === 'process' ? options.mutations : options.childMutations),
        worker: [process.execPath, process.argv[1] ?? '', 'fuzz', '--worker'],
        parallel: Math.max(1, options.parallel),
        findingsDir: options.findings,
        ...(options.resume === undefined ? {} : { record: new FuzzRecord(options.resume) }),
        say: (result) => console.error(describe(result)),
      },
      stop.signal,
    );
    console.log(formatFuzzTable(results));
    if (options.json !== undefined) await writeJson(options.json, { seed: options.seed, results });
    if (results.some(({ holds }) => !holds)) process.exitCode = 1;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    const kept =
      options.resume === undefined ? 'nothing was judged' : `what was judged is in ${options.resume}`;
    console.error(`stopped before its end: ${kept}`);
    process.exitCode = 1;
  } finally {
    stop.dispose();
  }
}

async function chooseParsers(names: readonly string[] | undefined): Promise<readonly UntrustedParser[]> {
  const parsers = await loadUntrustedParsers();
  if (names === undefined) return parsers;
  return names.map((name) => {
    const found = parsers.find((parser) => parser.name === name);
    if (found !== undefined) return found;
    const known = parsers.map((parser) => parser.name).join(', ');
    throw new NgatuError('USAGE', `Cannot find a parser "${name}": there are ${known}`);
  });
}

function describe({ parser, mutations, seconds, holds, findings }: FuzzResult): string {
  const verdict = holds
    ? 'holds'
    : findings.map(({ kind, what }) => `${kind}: ${what}`).join('\n  ') || 'GROWS';
  return `${parser}: ${mutations} mutations in ${seconds.toFixed(1)} s, ${verdict}`;
}

function list(parsers: readonly UntrustedParser[]): void {
  for (const { name, pace, source } of parsers) console.log(`${name.padEnd(28)} ${pace.padEnd(8)} ${source}`);
}

async function replay(parsers: readonly UntrustedParser[], file: string): Promise<void> {
  const [parser, ...others] = parsers;
  if (parser === undefined || others.length > 0)
    throw new NgatuError('USAGE', 'Cannot try an input: name one parser with --parser');
  console.log(await replayFuzzInput(parser, await readFile(file)));
}

/** A worker of a campaign: its supervisor hears of it over the channel, and may kill it. */
async function work([name, text]: readonly [string, string]): Promise<void> {
  const [parser] = await chooseParsers([name]);
  if (parser === undefined) return;
  process.on('disconnect', () => process.exit(1));
  const send = (report: FuzzReport, isWhole: boolean): Promise<void> =>
    new Promise((resolve) => {
      if (process.send === undefined) resolve();
      else process.send({ report, isWhole }, () => resolve());
    });
  try {
    const task = JSON.parse(text) as FuzzTask;
    await send(await runFuzzTask(parser, task, (partial) => void send(partial, false)), true);
    process.exit(0);
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}
