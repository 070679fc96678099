import { DEFAULT_PLATE_DETECTOR } from '@ngatu/contract';
import { BlurTrial, loadNetwork, PlateReader } from '@ngatu/edge';
import { evaluateBlur, formatBlurTable } from '@ngatu/models';
import { type Command, InvalidArgumentError } from 'commander';
import type { EvaluationOptions } from './evaluation-option.ts';
import { openNamedDetector } from './model-option.ts';
import { resolveNetwork } from './network-option.ts';
import { writeJson } from './output-file.ts';
import { watchStopSignals } from './stop-signal.ts';

interface BlurOptions extends EvaluationOptions {
  readonly model?: string;
  readonly pictures: number;
  readonly face: boolean;
  readonly plate: string | false;
}

/** `ngatu eval blur --data DIR`. */
export function addBlurEvaluation(command: Command): void {
  command
    .command('blur')
    .description(
      'blur pictures as the node does, and count which faces and plates are still found or read: DIR is any folder of pictures',
    )
    .requiredOption('--data <dir>', 'folder of pictures')
    .option('--json <file>', 'write the metrics as JSON')
    .option('--model <name>', 'detector of road users; by default that of the product')
    .option('--pictures <number>', 'how many pictures, evenly over the folder', readCount, 60)
    .option('--no-face', 'blur as where the face detector is not supplied')
    .option('--plate <name>', 'detector of plates that blurs', DEFAULT_PLATE_DETECTOR)
    .option('--no-plate', 'blur as where the plate detector is not supplied')
    .action(evaluate);
}

async function evaluate(options: BlurOptions): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  try {
    const { detector } = await openNamedDetector(options.model, stop.signal);
    const load = async (name: string) => loadNetwork(await resolveNetwork(name, stop.signal));
    const face = await load('yunet-n-640');
    const reader = await PlateReader.open([await load('plate-reader-vn')], 1, { views: 'one' });
    const trial = await BlurTrial.open({
      ...(options.face ? { face } : {}),
      ...(options.plate === false ? {} : { plate: await load(options.plate) }),
      watchFace: face,
      watchPlate: await load('plate-yolov9t'),
      otherFace: await load('rfb-640-masked-face-v2'),
      otherPlate: await load(DEFAULT_PLATE_DETECTOR),
      reader,
    });
    try {
      const metrics = await evaluateBlur(
        { dataDir: options.data, detector, trial, maxPictures: options.pictures },
        stop.signal,
      );
      console.log(formatBlurTable(metrics));
      if (options.json !== undefined) await writeJson(options.json, metrics);
    } finally {
      await trial.close();
      await reader.close();
      await detector.close();
    }
  } finally {
    stop.dispose();
  }
}

function readCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 100_000)
    throw new InvalidArgumentError('Expected a whole number from 1 to 100000.');
  return count;
}
