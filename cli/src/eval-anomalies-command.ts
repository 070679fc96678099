import { join } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import { evaluateAnomalies, evaluateGeneratedAnomalies, formatAnomalyTable } from '@ngatu/models';
import type { Command } from 'commander';
import type { EvaluationOptions } from './evaluation-option.ts';
import { writeJson } from './output-file.ts';
import { watchStopSignals } from './stop-signal.ts';

interface AnomalyOptions extends Partial<EvaluationOptions> {
  readonly generated?: number;
  readonly seed: number;
}

/** `ngatu eval anomalies --data DIR` and `ngatu eval anomalies --generated N`. */
export function addAnomalyEvaluation(command: Command): void {
  command
    .command('anomalies')
    .description(
      'anomalies learned on the node: on a folder of series with windows.json as NAB lays them out (docs/anomalies.md), the score of\n' +
        "NAB's standard profile beside a windowed Gaussian and a plain threshold; with --generated, on series made from a seed",
    )
    .option('--data <dir>', 'folder of CSV series (timestamp,value) with windows.json')
    .option('--generated <number>', 'judge on so many generated series', readCount)
    .option('--seed <number>', 'of the first generated series', readCount, 5_000)
    .option('--json <file>', 'write the metrics as JSON')
    .option('--predictions <dir>', 'write anomalies.json: where the detector speaks')
    .action(evaluate);
}

function readCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1_000_000) return count;
  throw new NgatuError('USAGE', `Cannot read "${text}": expected a whole number from 1`);
}

async function evaluate({ data, generated, seed, json, predictions }: AnomalyOptions): Promise<void> {
  if ((data === undefined) === (generated === undefined))
    throw new NgatuError('USAGE', 'Cannot evaluate anomalies: name a folder with --data, or --generated');
  const stop = watchStopSignals(() => undefined);
  try {
    const result =
      data === undefined
        ? await evaluateGeneratedAnomalies({ count: generated ?? 0, seed }, stop.signal)
        : await evaluateAnomalies(data, stop.signal);
    console.log(formatAnomalyTable(result));
    if (json !== undefined) await writeJson(json, result.metrics);
    if (predictions !== undefined) await writeJson(join(predictions, 'anomalies.json'), result.predictions);
  } finally {
    stop.dispose();
  }
}
