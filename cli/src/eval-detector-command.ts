import { NgatuError } from '@ngatu/contract';
import {
  AssetStore,
  type DetectorMetrics,
  evaluateDetector,
  formatDetectorComparison,
  formatDetectorTable,
} from '@ngatu/models';
import { type Command, InvalidArgumentError } from 'commander';
import type { EvaluationOptions } from './evaluation-option.ts';
import { openNamedDetector } from './model-option.ts';
import { readNameList } from './name-list.ts';
import { writeJson } from './output-file.ts';
import {
  addPictureChoice,
  type PictureChoice,
  type PictureChoiceOptions,
  readPictureChoice,
} from './picture-choice.ts';
import { watchStopSignals } from './stop-signal.ts';

/** Widest picture that the detector is shown, px; `native` leaves every picture as it is. */
type Size = number | 'native';

interface DetectorOptions extends EvaluationOptions, PictureChoiceOptions {
  readonly model?: string;
  readonly allModels?: boolean;
  readonly maxWidth?: number;
  readonly sizes?: readonly Size[];
  readonly enlarge?: readonly number[];
  readonly raw?: boolean;
  readonly night?: string;
}

interface PictureLists extends PictureChoice {
  readonly nightNames?: ReadonlySet<string>;
}

/** Average precision wants the weak findings too, 0–1. */
const MIN_CONFIDENCE = 0.02;
const MAX_WIDTH = 960;
const SIZES: readonly Size[] = [416, 512, 640, 'native'];

/** `ngatu eval detector --data DIR`. */
export function addDetectorEvaluation(command: Command): void {
  const added = command
    .command('detector')
    .description(
      'average precision by class, size, day and night on labelled pictures: DIR holds images/, labels/ (YOLO text) and\n' +
        'data.yaml or classes.txt with the names of the classes',
    )
    .requiredOption('--data <dir>', 'folder of labelled pictures')
    .option('--json <file>', 'write the metrics as JSON')
    .option('--model <name>', 'detector of the model registry; by default that of the product')
    .option(
      '--all-models',
      'compare every detector of road users in the registry, at 416, 512, 640 px and native width',
    )
    .option('--max-width <px>', `scale wider pictures down to this width (default: ${MAX_WIDTH})`, readWidth)
    .option('--sizes <list>', 'compare these widths: pixels or "native", with commas between', readSizes)
    .option(
      '--enlarge <list>',
      'look besides at the whole picture enlarged so many times, as a close-up of a scene does; several with commas between are compared',
      readFactors,
    )
    .option(
      '--night <file>',
      'names of the pictures taken at night, one a line; by default told by brightness',
    )
    .option('--raw', 'compare what the network found, before riders are joined with their two-wheeler')
    .action(evaluate);
  addPictureChoice(added);
}

async function evaluate(options: DetectorOptions): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  try {
    const lists = {
      ...(options.night === undefined ? {} : { nightNames: await readNameList(options.night) }),
      ...(await readPictureChoice(options)),
    };
    const isComparison =
      options.allModels === true || options.sizes !== undefined || (options.enlarge?.length ?? 0) > 1;
    const sizes = options.sizes ?? (options.allModels === true ? SIZES : [options.maxWidth ?? MAX_WIDTH]);
    const list: DetectorMetrics[] = [];
    for (const name of listModels(options)) {
      const metrics = await measure(name, sizes, options, lists, stop.signal).catch((error: unknown) => {
        if (options.allModels !== true || !isAbsent(error)) throw error;
        console.log(`${name} is left out: ${error.message}`);
        return [];
      });
      list.push(...metrics);
    }
    if (isComparison) console.log(formatDetectorComparison(list));
    else for (const metrics of list) console.log(formatDetectorTable(metrics));
    if (options.json !== undefined) await writeJson(options.json, isComparison ? list : list[0]);
  } finally {
    stop.dispose();
  }
}

/** The one model that is asked for (the default where it has no name), or all. */
function listModels({ allModels, model }: DetectorOptions): (string | undefined)[] {
  if (allModels !== true) return [model];
  return new AssetStore().registry.models
    .map(({ manifest }) => manifest)
    .filter(({ task }) => task === 'road-user-detector')
    .map(({ name }) => name);
}

/** One model at every size. */
async function measure(
  name: string | undefined,
  sizes: readonly Size[],
  { data, raw, enlarge }: DetectorOptions,
  lists: PictureLists,
  signal: AbortSignal,
): Promise<DetectorMetrics[]> {
  const { detector, model } = await openNamedDetector(name, signal, { minConfidence: MIN_CONFIDENCE });
  try {
    const list: DetectorMetrics[] = [];
    for (const size of sizes)
      for (const factor of enlarge ?? [0])
        list.push(
          await evaluateDetector(
            {
              ...{ dataDir: data, detector, raw: raw === true },
              labels: new Set(Object.values(model.manifest.labels)),
              ...(size === 'native' ? {} : { maxWidth: size }),
              ...(factor === 0 ? {} : { enlarge: factor }),
              ...lists,
            },
            signal,
          ),
        );
    return list;
  } finally {
    await detector.close();
  }
}

function isAbsent(error: unknown): error is NgatuError {
  return error instanceof NgatuError && error.code === 'ASSET_UNAVAILABLE';
}

function readWidth(text: string): number {
  const width = Number(text);
  if (!Number.isInteger(width) || width < 32 || width > 8192)
    throw new InvalidArgumentError('Expected a whole number of pixels from 32 to 8192.');
  return width;
}

/** 0 is a look at the whole picture alone. */
function readFactors(text: string): number[] {
  return text.split(',').map((word) => {
    const factor = Number(word);
    if (word.trim() === '' || !(factor === 0 || (factor >= 0.5 && factor <= 4)))
      throw new InvalidArgumentError(
        'Expected numbers from 0.5 to 4 (or 0: not enlarged) with commas between.',
      );
    return factor;
  });
}

function readSizes(text: string): Size[] {
  return text.split(',').map((word) => (word.trim() === 'native' ? 'native' : readWidth(word)));
}
