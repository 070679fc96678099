import { join } from 'node:path';
import { writeReplay } from '@ngatu/edge';
import { evaluateViolations, findRepositoryRoot, formatViolationTable } from '@ngatu/models';
import type { Command } from 'commander';
import type { EvaluationOptions } from './evaluation-option.ts';
import { openNamedDetector } from './model-option.ts';
import { readCount } from './option.ts';
import { writeJson } from './output-file.ts';
import { openFrameNets } from './small-net-option.ts';
import { watchStopSignals } from './stop-signal.ts';

interface ViolationOptions extends EvaluationOptions {
  readonly model?: string;
  readonly thin?: number;
  readonly halfRate: boolean;
}

/** `ngatu eval violations --data DIR`. */
export function addViolationEvaluation(command: Command): void {
  command
    .command('violations')
    .description(
      'every kind of violation on clips with truth: DIR holds NAME.mp4, NAME.truth.json (docs/evaluation.md) and\n' +
        'NAME.scene.yaml (a shipped scene of that name serves where there is none)',
    )
    .requiredOption('--data <dir>', 'folder of clips with truth')
    .option('--json <file>', 'write the metrics as JSON')
    .option('--predictions <dir>', 'write events.jsonl, tracks.jsonl and summary.json of each clip')
    .option(
      '--half-rate',
      'analyse every second frame too, and compare what was found (the same as --thin 2)',
      false,
    )
    .option('--thin <n>', 'analyse every n-th frame too, and compare what was found', readCount)
    .option('--model <name>', 'detector of the model registry; by default that of the product')
    .action(evaluate);
}

async function evaluate(options: ViolationOptions): Promise<void> {
  const thin = options.thin ?? (options.halfRate ? 2 : undefined);
  const stop = watchStopSignals(() => undefined);
  const { detector } = await openNamedDetector(options.model, stop.signal);
  const nets = await openFrameNets(stop.signal);
  try {
    const { metrics, clips } = await evaluateViolations(
      {
        dataDir: options.data,
        scenesDir: join(findRepositoryRoot(), 'firmware-config', 'scenes'),
        detector,
        lampNet: nets.lampNet,
        occupantNet: nets.occupantNet,
        ...(thin === undefined ? {} : { thin }),
        onClip: (name) => console.error(`evaluating ${name}`),
      },
      stop.signal,
    );
    console.log(formatViolationTable(metrics));
    if (options.json !== undefined) await writeJson(options.json, metrics);
    if (options.predictions !== undefined) {
      for (const { clip, replay } of clips) await writeReplay(replay, join(options.predictions, clip));
    }
  } finally {
    await nets.close();
    await detector.close();
    stop.dispose();
  }
}
