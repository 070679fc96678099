import { join } from 'node:path';
import { PlateReader } from '@ngatu/edge';
import { evaluatePlatePassages, evaluatePlates, formatPassageTable, formatPlateTable } from '@ngatu/models';
import { type Command, InvalidArgumentError } from 'commander';
import type { EvaluationOptions } from './evaluation-option.ts';
import { writeJson } from './output-file.ts';
import { findPlateReaders } from './plate-reader-option.ts';
import { watchStopSignals } from './stop-signal.ts';

interface PlateOptions extends EvaluationOptions {
  readonly reader?: string[];
  readonly views: 'one' | 'doubt' | 'all';
  readonly mismatches: boolean;
  readonly passages?: readonly number[];
}

/** Of the passages that are made out of the pictures. */
const PASSAGE_SEED = 1;

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
    .option(
      '--passages <heights>',
      'make passages of a camera out of the crops instead, the plate so many px high at last (16,20,24): one look and the vote of eight',
      readHeights,
    )
    .option('--mismatches', 'print the plates that were read wrongly', false)
    .action(evaluate);
}

async function evaluate(options: PlateOptions): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  try {
    const models = await findPlateReaders(options.reader, stop.signal);
    const names = models.map(({ manifest }) => manifest.name);
    const reader = await PlateReader.open(models, 1, { views: options.views });
    try {
      const on = { dataDir: options.data, reader, on: new Date() };
      if (options.passages !== undefined) {
        const made = { ...on, heights: options.passages, seed: PASSAGE_SEED };
        const figures = await evaluatePlatePassages(made, stop.signal);
        console.log(formatPassageTable(figures, names));
        if (options.json !== undefined) await writeJson(options.json, figures);
        return;
      }
      const { metrics, predictions } = await evaluatePlates({ ...on, readerNames: names }, stop.signal);
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

function readHeights(text: string): number[] {
  const heights = text.split(',').map(Number);
  if (heights.every((height) => Number.isInteger(height) && height >= 4 && height <= 400)) return heights;
  throw new InvalidArgumentError('Expected whole numbers of pixels from 4 to 400, separated by commas.');
}

function readViews(text: string): PlateOptions['views'] {
  if (text === 'one' || text === 'doubt' || text === 'all') return text;
  throw new InvalidArgumentError('Expected one, doubt or all.');
}
