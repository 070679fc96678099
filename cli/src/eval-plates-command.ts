import { join } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import { DEFAULT_PLATE_READERS, loadNetwork, PlateReader, type VerifiedNetwork } from '@ngatu/edge';
import { evaluatePlates, formatPlateTable } from '@ngatu/models';
import { type Command, InvalidArgumentError } from 'commander';
import type { EvaluationOptions } from './evaluation-option.ts';
import { resolveNetwork } from './network-option.ts';
import { writeJson } from './output-file.ts';
import { watchStopSignals } from './stop-signal.ts';

interface PlateOptions extends EvaluationOptions {
  readonly reader?: string[];
  readonly views: 'one' | 'doubt' | 'all';
  readonly mismatches: boolean;
}

/** `ngatu eval plates --data DIR`. */
export function addPlateEvaluation(command: Command): void {
  command
    .command('plates')
    .description(
      'read plate crops: exact match by number of lines, precision and coverage by confidence; DIR has images/ and labels.csv (file,text,layout)',
    )
    .requiredOption('--data <dir>', 'folder of the labelled crops')
    .option('--json <file>', 'write the metrics as JSON; no plate stands in them')
    .option('--predictions <dir>', 'write what was read in each picture: real plates, if the data has them')
    .option('--reader <names...>', 'networks that are pooled; by default those of the product')
    .option(
      '--views <which>',
      'views of each crop: one, doubt (more where the first leaves doubt) or all',
      readViews,
      'doubt',
    )
    .option('--mismatches', 'print the plates that were read wrongly', false)
    .action(evaluate);
}

async function evaluate(options: PlateOptions): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  try {
    const models = await findReaders(options.reader, stop.signal);
    const names = models.map(({ manifest }) => manifest.name);
    const reader = await PlateReader.open(models, 1, { views: options.views });
    try {
      const { metrics, predictions } = await evaluatePlates(
        { dataDir: options.data, reader, readerNames: names, on: new Date() },
        stop.signal,
      );
      console.log(formatPlateTable(metrics));
      if (options.mismatches) {
        for (const { picture, truth, text, confidence } of predictions.filter(
          (plate) => plate.text !== plate.truth,
        ))
          console.log(`${picture}: ${truth} was read as ${text ?? 'nothing'} (${confidence.toFixed(3)})`);
      }
      if (options.json !== undefined) await writeJson(options.json, metrics);
      if (options.predictions !== undefined)
        await writeJson(join(options.predictions, 'plates.json'), predictions);
    } finally {
      await reader.close();
    }
  } finally {
    stop.dispose();
  }
}

/** The readers that were named, or those of the product as far as they can be had. */
async function findReaders(named: readonly string[] | undefined, signal: AbortSignal) {
  const models: VerifiedNetwork[] = [];
  for (const name of named ?? DEFAULT_PLATE_READERS) {
    try {
      models.push(await loadNetwork(await resolveNetwork(name, signal)));
    } catch (error) {
      const isAbsent = error instanceof NgatuError && error.code === 'ASSET_UNAVAILABLE';
      if (!isAbsent || named !== undefined || name === DEFAULT_PLATE_READERS[0]) throw error;
      console.error(`without ${name}, which cannot be had: ${error.message}`);
    }
  }
  return models;
}

function readViews(text: string): PlateOptions['views'] {
  if (text === 'one' || text === 'doubt' || text === 'all') return text;
  throw new InvalidArgumentError('Expected one, doubt or all.');
}
