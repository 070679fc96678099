import { readFile } from 'node:fs/promises';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { evaluateDetector, formatDetectorTable } from '@ngatu/models';
import { type Command, InvalidArgumentError } from 'commander';
import type { EvaluationOptions } from './evaluation-option.ts';
import { openNamedDetector } from './model-option.ts';
import { writeJson } from './output-file.ts';
import { watchStopSignals } from './stop-signal.ts';

interface DetectorOptions extends EvaluationOptions {
  readonly model?: string;
  readonly maxWidth: number;
  readonly raw?: boolean;
  readonly night?: string;
}

/** Average precision wants the weak findings too, 0–1. */
const MIN_CONFIDENCE = 0.02;

/** `ngatu eval detector --data DIR`. */
export function addDetectorEvaluation(command: Command): void {
  command
    .command('detector')
    .description(
      'average precision by class, size, day and night on labelled pictures: DIR holds images/, labels/ (YOLO text) and\n' +
        'data.yaml or classes.txt with the names of the classes',
    )
    .requiredOption('--data <dir>', 'folder of labelled pictures')
    .option('--json <file>', 'write the metrics as JSON')
    .option('--model <name>', 'detector of the asset manifest; by default the best that can be had')
    .option('--max-width <px>', 'scale wider pictures down to this width', readWidth, 960)
    .option(
      '--night <file>',
      'names of the pictures taken at night, one a line; by default told by brightness',
    )
    .option('--raw', 'compare what the network found, before riders are joined with their two-wheeler')
    .action(evaluate);
}

async function evaluate(options: DetectorOptions): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  try {
    const { detector } = await openNamedDetector(options.model, stop.signal, {
      minConfidence: MIN_CONFIDENCE,
    });
    try {
      const { data, maxWidth, raw, night } = options;
      const nightNames = night === undefined ? undefined : await readNames(night);
      const metrics = await evaluateDetector(
        {
          ...{ dataDir: data, detector, maxWidth, raw: raw === true },
          ...(nightNames === undefined ? {} : { nightNames }),
        },
        stop.signal,
      );
      console.log(formatDetectorTable(metrics));
      if (options.json !== undefined) await writeJson(options.json, metrics);
    } finally {
      await detector.close();
    }
  } finally {
    stop.dispose();
  }
}

async function readNames(file: string): Promise<Set<string>> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read ${file}: ${errorMessage(cause)}`, { cause });
  });
  return new Set(
    text.split('\n').flatMap((line) => (line === '' || line.startsWith('#') ? [] : [line.trim()])),
  );
}

function readWidth(text: string): number {
  const width = Number(text);
  if (!Number.isInteger(width) || width < 32 || width > 8192)
    throw new InvalidArgumentError('Expected a whole number of pixels from 32 to 8192.');
  return width;
}
