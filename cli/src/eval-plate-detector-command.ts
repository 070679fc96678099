import { join } from 'node:path';
import { DEFAULT_PLATE_DETECTOR } from '@ngatu/contract';
import { loadNetwork, PlateDetector, PlateReader } from '@ngatu/edge';
import {
  evaluatePlateDetector,
  type FindingReadings,
  formatFindingReadings,
  formatPlateDetectorTable,
  readFindings,
} from '@ngatu/models';
import { type Command, InvalidArgumentError } from 'commander';
import type { EvaluationOptions } from './evaluation-option.ts';
import { resolveNetwork } from './network-option.ts';
import { writeJson } from './output-file.ts';
import { addPictureChoice, type PictureChoiceOptions, readPictureChoice } from './picture-choice.ts';
import { findPlateReaders } from './plate-reader-option.ts';
import { watchStopSignals } from './stop-signal.ts';

interface PlateDetectorOptions extends EvaluationOptions, PictureChoiceOptions {
  readonly detector: string;
  readonly zoom: readonly number[];
  readonly read: boolean;
}

/** The curve wants what the product would leave out, too. */
const LEAST = 0.01;

/** `ngatu eval plate-detector --data DIR`. */
export function addPlateDetectorEvaluation(command: Command): void {
  const added = command
    .command('plate-detector')
    .description(
      'find plates in pictures: recall and precision at IoU 0.5; DIR is a YOLO folder with images/ and labels/',
    )
    .requiredOption('--data <dir>', 'YOLO folder of the labelled pictures')
    .option('--json <file>', 'write the metrics as JSON')
    .option('--predictions <dir>', 'write the boxes that were found in each picture')
    .option('--detector <name>', 'plate detector of the registry of models', DEFAULT_PLATE_DETECTOR)
    .option(
      '--zoom <factors>',
      'network pixels per picture pixel of the parts that are looked at',
      readZooms,
      [1, 2],
    )
    .option('--read', 'read what was found, too: how often a plate is read where none is', false)
    .action(evaluate);
  addPictureChoice(added);
}

async function evaluate(options: PlateDetectorOptions): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  try {
    const choice = await readPictureChoice(options);
    const model = await loadNetwork(await resolveNetwork(options.detector, stop.signal));
    const detector = await PlateDetector.open(model, 1, { minConfidence: LEAST, zooms: options.zoom });
    try {
      const { metrics, pictures } = await evaluatePlateDetector(
        { dataDir: options.data, detector, name: options.detector, ...choice },
        stop.signal,
      );
      console.log(formatPlateDetectorTable(metrics));
      const readings = options.read ? await readFound(pictures, options.data, stop.signal) : undefined;
      if (options.json !== undefined)
        await writeJson(options.json, readings === undefined ? metrics : { ...metrics, readings });
      if (options.predictions !== undefined)
        await writeJson(join(options.predictions, 'plate-boxes.json'), pictures);
    } finally {
      await detector.close();
    }
  } finally {
    stop.dispose();
  }
}

async function readFound(
  pictures: Parameters<typeof readFindings>[0],
  dataDir: string,
  signal: AbortSignal,
): Promise<readonly FindingReadings[]> {
  const reader = await PlateReader.open(await findPlateReaders(undefined, signal), 1);
  try {
    const readings = await readFindings(pictures, { dataDir, reader, on: new Date() }, signal);
    console.log(formatFindingReadings(readings));
    return readings;
  } finally {
    await reader.close();
  }
}

function readZooms(text: string): readonly number[] {
  const zooms = text.split(',').map(Number);
  if (zooms.some((zoom) => !(zoom >= 0.25 && zoom <= 3)))
    throw new InvalidArgumentError('Expected numbers from 0.25 to 3, separated by commas.');
  return zooms;
}
