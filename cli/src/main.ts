import { constants } from 'node:os';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { Command, CommanderError } from 'commander';
import { COMMANDS } from './command-table.ts';
import { PRODUCT_VERSION } from './product-version.ts';
import { getStopSignal } from './stop-signal.ts';

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
/** Of a program that was ended by a signal, as a shell counts: the number of the signal is added. */
const EXIT_SIGNAL = 128;

/**
 * Runs the command line. An operating failure is one line `CODE: message` on the error output and exit code 1; a command
 * line that cannot be understood is `USAGE: …` and 2; what was stopped by a signal says so; anything else is a defect and shows its stack.
 */
async function main(args: readonly string[]): Promise<void> {
  const program = new Command('ngatu')
    .description('Watches cameras at the edge, and brings what it finds before people who decide.')
    .version(PRODUCT_VERSION)
    .usage('<command> …')
    .helpCommand(false)
    .showHelpAfterError(false);
  const asked = args.find((arg) => !arg.startsWith('-'));
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    const command = name === asked ? (await load()).buildCommand().name(name) : new Command(name);
    program.addCommand(command.summary(summary).copyInheritedSettings(program));
  }
  prepare(program);
  if (asked === undefined && args.length === 0) return program.outputHelp();
  await program.parseAsync(args, { from: 'user' });
}

/** Errors of the parser are thrown and printed in one place. */
function prepare(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => undefined });
  for (const part of command.commands) prepare(part);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    if (error.code !== 'commander.help') {
      console.error(
        `USAGE: ${error.message.replace(/^error: /, '').replaceAll('\n', ' ')} (see ngatu --help)`,
      );
    }
    return EXIT_USAGE;
  }
  const stopped = getStopSignal();
  if (stopped !== undefined && error instanceof Error && error.name === 'AbortError') {
    console.error(`stopped by ${stopped} before the end`);
    return EXIT_SIGNAL + constants.signals[stopped];
  }
  if (error instanceof NgatuError) {
    const line = `${error.code}: ${error.message.replaceAll('\n', ' ')}`;
    if (stopped !== undefined) {
      console.error(`stopped by ${stopped} before the end (${line})`);
      return EXIT_SIGNAL + constants.signals[stopped];
    }
    console.error(line);
    return error.code === 'USAGE' ? EXIT_USAGE : EXIT_FAILURE;
  }
  console.error(error instanceof Error ? error.stack : errorMessage(error));
  console.error('INTERNAL: this is a defect of ngatu; the lines above belong into its report');
  return EXIT_FAILURE;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = report(error);
}
