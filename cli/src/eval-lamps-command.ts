import { join } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import { LampNet } from '@ngatu/edge';
import { evaluateLamps, formatLampTable } from '@ngatu/models';
import type { Command } from 'commander';
import type { EvaluationOptions } from './evaluation-option.ts';
import { resolveNetwork } from './network-option.ts';
import { writeJson } from './output-file.ts';
import { LAMP_MODEL } from './small-net-option.ts';
import { watchStopSignals } from './stop-signal.ts';

interface LampOptions extends EvaluationOptions {
  readonly model: string;
  readonly lenses: string;
}

const COLOURS = ['red', 'amber', 'green'] as const;
type Lens = (typeof COLOURS)[number];

/** `ngatu eval lamps --data DIR`. */
export function addLampEvaluation(command: Command): void {
  command
    .command('lamps')
    .description(
      'states of signal heads: DIR holds pictures of one head each in folders named red, yellow (or amber), green, off, at any\n' +
        'depth (left, green-arrow … for arrows); a confusion table for the colours, the network and what the product believes',
    )
    .requiredOption('--data <dir>', 'folder of pictures by state')
    .option('--model <name>', 'network of the task lamp-state; `none`: colours alone', LAMP_MODEL)
    .option('--lenses <list>', 'lenses of every head, from above or from the left', COLOURS.join(','))
    .option('--json <file>', 'write the metrics as JSON')
    .option('--predictions <dir>', 'write lamps.json: what was read of each picture')
    .action(evaluate);
}

async function evaluate(options: LampOptions): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  let net: LampNet | undefined;
  try {
    const lenses = parseLenses(options.lenses);
    if (options.model !== 'none') net = await LampNet.open(await resolveNetwork(options.model, stop.signal));
    const found = await evaluateLamps(
      { dataDir: options.data, lenses, ...(net === undefined ? {} : { net }) },
      stop.signal,
    );
    console.log(formatLampTable(found.metrics));
    if (options.json !== undefined) await writeJson(options.json, found.metrics);
    if (options.predictions !== undefined)
      await writeJson(join(options.predictions, 'lamps.json'), found.predictions);
  } finally {
    await net?.close();
    stop.dispose();
  }
}

function parseLenses(list: string): Lens[] {
  const words = list.split(',');
  const lenses = COLOURS.filter((colour) => words.includes(colour));
  if (lenses.length === words.length && lenses.length > 0) return words as Lens[];
  throw new NgatuError(
    'USAGE',
    `Cannot evaluate lamps with lenses "${list}": each of ${COLOURS.join(', ')} at most once`,
  );
}
