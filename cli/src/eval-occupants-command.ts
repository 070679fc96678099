import { join } from 'node:path';
import { OccupantNet } from '@ngatu/edge';
import { evaluateOccupants, formatOccupantTable, locateAssetFolders } from '@ngatu/models';
import type { Command } from 'commander';
import type { EvaluationOptions } from './evaluation-option.ts';
import { openNamedDetector } from './model-option.ts';
import { resolveNetwork } from './network-option.ts';
import { readCount } from './option.ts';
import { writeJson } from './output-file.ts';
import { OCCUPANT_MODEL } from './small-net-option.ts';
import { watchStopSignals } from './stop-signal.ts';

interface OccupantOptions extends EvaluationOptions {
  readonly media?: string;
  readonly model?: string;
  readonly counter: string;
  readonly maxWidth: number;
}

/** The width at which scenes are analysed where they say nothing else, px. */
const MAX_WIDTH = 960;

/** `ngatu eval occupants --data DIR`. */
export function addOccupantEvaluation(command: Command): void {
  command
    .command('occupants')
    .description(
      'people on motorbikes: DIR holds *.occupants.json (models/annotations); how often the count is exact, and three or more\n' +
        'against fewer, in single frames',
    )
    .requiredOption('--data <dir>', 'folder of annotations')
    .option(
      '--media <dir>',
      'folder that the annotations name their pictures from; by default the local assets',
    )
    .option('--max-width <px>', 'pictures are scaled down to this width', readCount, MAX_WIDTH)
    .option('--model <name>', 'detector of the model registry; by default that of the product')
    .option(
      '--counter <name>',
      'network of the task occupants; "none": boxes of people are counted',
      OCCUPANT_MODEL,
    )
    .option('--json <file>', 'write the metrics as JSON')
    .option('--predictions <dir>', 'write occupants.json: what was counted on each motorbike')
    .action(evaluate);
}

async function evaluate(options: OccupantOptions): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  const { detector } = await openNamedDetector(options.model, stop.signal);
  let net: OccupantNet | undefined;
  try {
    if (options.counter !== 'none')
      net = await OccupantNet.open(await resolveNetwork(options.counter, stop.signal));
    const found = await evaluateOccupants(
      {
        dataDir: options.data,
        mediaDir: options.media ?? locateAssetFolders().localDir,
        detector,
        net,
        maxWidth: options.maxWidth,
        onSource: (name) => console.error(`looking at ${name}`),
      },
      stop.signal,
    );
    console.log(formatOccupantTable(found.metrics));
    if (options.json !== undefined) await writeJson(options.json, found.metrics);
    if (options.predictions !== undefined)
      await writeJson(join(options.predictions, 'occupants.json'), found.predictions);
  } finally {
    await net?.close();
    await detector.close();
    stop.dispose();
  }
}
