import { join } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import { evaluateFever, formatFeverSimulation, formatFeverTable, simulateFever } from '@ngatu/models';
import type { Command } from 'commander';
import type { EvaluationOptions } from './evaluation-option.ts';
import { writeJson } from './output-file.ts';
import { watchStopSignals } from './stop-signal.ts';

interface FeverOptions extends Partial<EvaluationOptions> {
  readonly simulator?: boolean;
  readonly scenes: number;
  readonly seed: number;
}

/** `ngatu eval fever --data DIR` and `ngatu eval fever --simulator`. */
export function addFeverEvaluation(command: Command): void {
  command
    .command('fever')
    .description(
      'fever screening: on a folder of tables of facial temperatures with oral truth (docs/evaluation.md), the AUC of each\n' +
        "region and the gate's decision; with --simulator, the whole gate on simulated scenes with exact truth",
    )
    .option('--data <dir>', 'folder of CSV tables with the column aveOralM')
    .option('--simulator', 'judge the gate on simulated scenes')
    .option(
      '--scenes <number>',
      'simulated scenes within the protocol; a fifteenth as many of each kind outside it',
      readCount,
      300,
    )
    .option('--seed <number>', 'of the simulated scenes', readCount, 1)
    .option('--json <file>', 'write the metrics as JSON')
    .option('--predictions <dir>', 'write fever.json: the estimate and outcome of each judged subject')
    .action(evaluate);
}

function readCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 100_000) return count;
  throw new NgatuError('USAGE', `Cannot read "${text}": expected a whole number from 1`);
}

async function evaluate(options: FeverOptions): Promise<void> {
  if (options.simulator === true) return simulate(options);
  if (options.data === undefined)
    throw new NgatuError('USAGE', 'Cannot evaluate fever: name a folder with --data, or --simulator');
  const { metrics, predictions } = await evaluateFever(options.data);
  console.log(formatFeverTable(metrics));
  if (options.json !== undefined) await writeJson(options.json, metrics);
  if (options.predictions !== undefined)
    await writeJson(join(options.predictions, 'fever.json'), predictions);
}

async function simulate({ scenes, seed, json }: FeverOptions): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  try {
    const metrics = await simulateFever(
      {
        scenes,
        seed,
        sensors: ['small', 'small', 'full'],
        onKind: (kind) => console.error(`simulating ${kind}`),
      },
      stop.signal,
    );
    console.log(formatFeverSimulation(metrics));
    if (json !== undefined) await writeJson(json, metrics);
  } finally {
    stop.dispose();
  }
}
