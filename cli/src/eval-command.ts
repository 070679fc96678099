import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { writeReplay } from '@ngatu/edge';
import { asStorageError, evaluateViolations, findRepositoryRoot, formatViolationTable } from '@ngatu/models';
import { Command } from 'commander';
import { openNamedDetector } from './model-option.ts';
import { watchStopSignals } from './stop-signal.ts';

interface EvalOptions {
  readonly data: string;
  readonly json?: string;
  readonly predictions?: string;
  readonly model?: string;
}

/** `ngatu eval NAME --data DIR`. */
export function buildCommand(): Command {
  const command = new Command('eval').description(
    'Measure quality on data with truth: prints a table; --json writes the metrics, --predictions what was predicted.',
  );
  command
    .command('violations')
    .description(
      'red light and stop line on clips with truth: DIR holds NAME.mp4, NAME.truth.json (docs/evaluation.md) and\n' +
        'NAME.scene.yaml (a shipped scene of that name serves where there is none)',
    )
    .requiredOption('--data <dir>', 'folder of clips with truth')
    .option('--json <file>', 'write the metrics as JSON')
    .option('--predictions <dir>', 'write events.jsonl, tracks.jsonl and summary.json of each clip')
    .option('--model <name>', 'detector of the asset manifest; by default the best that can be had')
    .action(evaluate);
  return command;
}

async function evaluate(options: EvalOptions): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  const { detector } = await openNamedDetector(options.model, stop.signal);
  try {
    const { metrics, clips } = await evaluateViolations(
      {
        dataDir: options.data,
        scenesDir: join(findRepositoryRoot(), 'firmware-config', 'scenes'),
        detector,
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
    await detector.close();
    stop.dispose();
  }
}

async function writeJson(file: string, value: unknown): Promise<void> {
  try {
    await mkdir(dirname(resolve(file)), { recursive: true });
    await writeFile(file, `${JSON.stringify(value, null, 2)}\n`);
  } catch (error) {
    throw asStorageError(error, `write ${file}`);
  }
}
