import { join } from 'node:path';
import { DEFAULT_PLATE_DETECTOR } from '@ngatu/contract';
import { loadNetwork, PlateDetector } from '@ngatu/edge';
import { evaluatePlateDetector, formatPlateDetectorTable, loadUnlabelledPlaces } from '@ngatu/models';
import { type Command, InvalidArgumentError } from 'commander';
import type { EvaluationOptions } from './evaluation-option.ts';
import { ONLY_OPTION, readNameList, UNLABELLED_OPTION } from './name-list.ts';
import { resolveNetwork } from './network-option.ts';
import { writeJson } from './output-file.ts';
import { watchStopSignals } from './stop-signal.ts';

interface PlateDetectorOptions extends EvaluationOptions {
  readonly detector: string;
  readonly zoom: readonly number[];
  readonly only?: string;
  readonly unlabelled?: string;
}

/** The curve wants what the product would leave out, too. */
const LEAST = 0.01;

/** `ngatu eval plate-detector --data DIR`. */
export function addPlateDetectorEvaluation(command: Command): void {
  command
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
    .option(...ONLY_OPTION)
    .option(...UNLABELLED_OPTION)
    .action(evaluate);
}

async function evaluate(options: PlateDetectorOptions): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  try {
    const lists = {
      ...(options.only === undefined ? {} : { only: await readNameList(options.only) }),
      ...(options.unlabelled === undefined
        ? {}
        : { unlabelled: await loadUnlabelledPlaces(options.unlabelled) }),
    };
    const model = await loadNetwork(await resolveNetwork(options.detector, stop.signal));
    const detector = await PlateDetector.open(model, 1, { minConfidence: LEAST, zooms: options.zoom });
    try {
      const { metrics, pictures } = await evaluatePlateDetector(
        { dataDir: options.data, detector, name: options.detector, ...lists },
        stop.signal,
      );
      console.log(formatPlateDetectorTable(metrics));
      if (options.json !== undefined) await writeJson(options.json, metrics);
      if (options.predictions !== undefined)
        await writeJson(join(options.predictions, 'plate-boxes.json'), pictures);
    } finally {
      await detector.close();
    }
  } finally {
    stop.dispose();
  }
}

function readZooms(text: string): readonly number[] {
  const zooms = text.split(',').map(Number);
  if (zooms.some((zoom) => !(zoom >= 0.25 && zoom <= 3)))
    throw new InvalidArgumentError('Expected numbers from 0.25 to 3, separated by commas.');
  return zooms;
}
