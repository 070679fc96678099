import { Command } from 'commander';
import { addViolationEvaluation } from './eval-violations-command.ts';

/** `ngatu eval NAME --data DIR`. */
export function buildCommand(): Command {
  const command = new Command('eval').description(
    'Measure quality on data with truth: prints a table; --json writes the metrics, --predictions what was predicted.',
  );
  addViolationEvaluation(command);
  return command;
}
