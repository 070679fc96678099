import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asOutputError } from '@ngatu/contract';
import {
  AssetStore,
  evaluateClipTracking,
  evaluateMotTracker,
  formatMotText,
  formatTrackerTable,
  listTrackAnnotations,
  type SequenceOutcome,
  type TrackerMetrics,
} from '@ngatu/models';
import type { Command } from 'commander';
import type { EvaluationOptions } from './evaluation-option.ts';
import { openNamedDetector } from './model-option.ts';
import { writeJson } from './output-file.ts';
import { watchStopSignals } from './stop-signal.ts';

interface TrackerOptions extends EvaluationOptions {
  readonly results?: string;
  readonly media?: string;
  readonly model?: string;
}

interface TrackerEvaluation {
  readonly metrics: TrackerMetrics;
  readonly outcomes: readonly SequenceOutcome[];
  readonly byClass?: readonly SequenceOutcome[];
}

/** `ngatu eval tracker --data DIR`. */
export function addTrackerEvaluation(command: Command): void {
  command
    .command('tracker')
    .description(
      'MOTA, IDF1, HOTA and ID switches: DIR is a MOTChallenge sequence or holds some (gt.txt and det.txt, or gt/gt.txt and\n' +
        'det/det.txt; seqinfo.ini), or holds annotated clips NAME.tracks.json (docs/tracking.md)',
    )
    .requiredOption('--data <dir>', 'sequences or annotated clips')
    .option('--json <file>', 'write the metrics as JSON')
    .option('--predictions <dir>', 'write the tracks of each sequence as MOTChallenge text, NAME.txt')
    .option(
      '--results <dir>',
      'score the tracks in this folder (NAME.txt or NAME/test.txt) instead of following',
    )
    .option(
      '--media <dir>',
      'folder of the annotated clips; by default beside the annotation, then the assets',
    )
    .option('--model <name>', 'detector for annotated clips; by default that of the product')
    .action(evaluate);
}

async function evaluate(options: TrackerOptions): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  try {
    const isAnnotated = (await listTrackAnnotations(options.data)).length > 0;
    const evaluation = isAnnotated
      ? await runClips(options, stop.signal)
      : await runSequences(options, stop.signal);
    const { metrics, outcomes, byClass } = evaluation;
    console.log(formatTrackerTable(metrics, byClass));
    if (options.json !== undefined) {
      const classes = byClass?.map(({ name, metrics: values }) => ({ name, ...values }));
      await writeJson(options.json, classes === undefined ? metrics : { ...metrics, classes });
    }
    if (options.predictions !== undefined) await writePredictions(options.predictions, outcomes);
  } finally {
    stop.dispose();
  }
}

const announce = (name: string): void => console.error(`evaluating ${name}`);

function runSequences({ data, results }: TrackerOptions, signal: AbortSignal): Promise<TrackerEvaluation> {
  const resultsDir = results === undefined ? {} : { resultsDir: results };
  return evaluateMotTracker({ dataDir: data, ...resultsDir, onSequence: announce }, signal);
}

async function runClips(
  { data, media, model }: TrackerOptions,
  signal: AbortSignal,
): Promise<TrackerEvaluation> {
  const { detector } = await openNamedDetector(model, signal);
  try {
    const mediaDir = media === undefined ? {} : { mediaDir: media };
    const options = { dataDir: data, ...mediaDir, assets: new AssetStore(), detector, onSequence: announce };
    return await evaluateClipTracking(options, signal);
  } finally {
    await detector.close();
  }
}

async function writePredictions(dir: string, outcomes: readonly SequenceOutcome[]): Promise<void> {
  try {
    await mkdir(dir, { recursive: true });
    for (const { name, result } of outcomes) await writeFile(join(dir, `${name}.txt`), formatMotText(result));
  } catch (error) {
    throw asOutputError(error, `write the tracks to ${dir}`);
  }
}
