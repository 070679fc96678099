import { join } from 'node:path';
import { HelmetNet, MIN_HEAD_CONFIDENCE } from '@ngatu/edge';
import { evaluateHelmets, formatHelmetTable } from '@ngatu/models';
import type { Command } from 'commander';
import type { EvaluationOptions } from './evaluation-option.ts';
import { resolveNetwork } from './network-option.ts';
import { writeJson } from './output-file.ts';
import { HELMET_MODEL } from './small-net-option.ts';
import { watchStopSignals } from './stop-signal.ts';

interface HelmetOptions extends EvaluationOptions {
  readonly model: string;
}

/** `ngatu eval helmets --data DIR`. */
export function addHelmetEvaluation(command: Command): void {
  command
    .command('helmets')
    .description(
      'bare heads and helmets in given boxes, by size: DIR holds images/ and labels/ (YOLO boxes of heads: 0 helmet, 1 bare)',
    )
    .requiredOption('--data <dir>', 'YOLO folder of heads')
    .option('--model <name>', 'network of the task helmet', HELMET_MODEL)
    .option('--json <file>', 'write the metrics as JSON')
    .option('--predictions <dir>', 'write helmets.json: what was read of each head')
    .action(evaluate);
}

async function evaluate(options: HelmetOptions): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  let net: HelmetNet | undefined;
  try {
    net = await HelmetNet.open(await resolveNetwork(options.model, stop.signal));
    const found = await evaluateHelmets(
      { dataDir: options.data, net, productConfidence: MIN_HEAD_CONFIDENCE },
      stop.signal,
    );
    console.log(formatHelmetTable(found.metrics));
    if (options.json !== undefined) await writeJson(options.json, found.metrics);
    if (options.predictions !== undefined)
      await writeJson(join(options.predictions, 'helmets.json'), found.predictions);
  } finally {
    await net?.close();
    stop.dispose();
  }
}
