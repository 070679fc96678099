import { errorMessage, NgatuError } from '@ngatu/contract';
import { type BlurModels, LocalPictureMaker } from '../evidence/local-picture-maker.ts';
import { LocalPlateDesk } from '../evidence/local-plate-desk.ts';
import { loadModelFile } from '../model/model-file.ts';
import { PlateFinder } from '../plate/plate-finder.ts';
import { votePlate } from '../plate/plate-vote.ts';
import type { BlurModelFile, BlurModelFiles } from './picture-channel.ts';

/** What makes pictures and reads plates in one process, and what could not be opened for it. */
interface PictureParts {
  readonly maker: LocalPictureMaker;
  readonly desk: LocalPlateDesk;
  readonly problems: readonly string[];
}

/** Pictures must not take the processor from the analysis. */
const THREADS = 1;

/**
 * Opens the maker of pictures and the reader of plates in this process. A model that cannot be read, is not the one it should be, or
 * cannot be loaded is left out and told in `problems`: what it would have found is then blurred wholly, and no plate is read.
 */
export async function openPictureParts(files: BlurModelFiles): Promise<PictureParts> {
  const problems: string[] = [];
  const models: { -readonly [K in keyof BlurModels]: BlurModels[K] } = {};
  for (const part of ['face', 'plate'] as const) {
    const model = await load(files[part], problems);
    if (model === undefined) continue;
    try {
      const trial = await LocalPictureMaker.open({ [part]: model });
      await trial.close();
      models[part] = model;
    } catch (error) {
      problems.push(explain(error));
    }
  }
  const desk = await openPlateDesk(files.reading, problems);
  return { maker: await LocalPictureMaker.open(models), desk, problems };
}

async function openPlateDesk(
  reading: BlurModelFiles['reading'],
  problems: string[],
): Promise<LocalPlateDesk> {
  if (reading === undefined) return new LocalPlateDesk('model-missing');
  const files = [reading.detector, ...reading.readers];
  const models = [];
  for (const file of files) models.push(await load(file, problems));
  const [detector, ...readers] = models.filter((model) => model !== undefined);
  if (detector === undefined || readers.length + 1 < files.length) return new LocalPlateDesk('model-failed');
  try {
    const search = await PlateFinder.open({ detector, reader: readers }, THREADS);
    return new LocalPlateDesk({
      search,
      vote: votePlate,
      models: files.map(({ name, sha256 }) => ({ name, sha256 })),
    });
  } catch (error) {
    problems.push(explain(error));
    return new LocalPlateDesk('model-failed');
  }
}

async function load(file: BlurModelFile | undefined, problems: string[]): Promise<BlurModels['face']> {
  if (file === undefined) return undefined;
  const { name, sha256 } = file;
  try {
    return { name, sha256, bytes: await loadModelFile(name, file) };
  } catch (error) {
    problems.push(explain(error));
    return undefined;
  }
}

function explain(error: unknown): string {
  if (!(error instanceof NgatuError)) throw error;
  return `${error.code}: ${errorMessage(error)}`;
}
