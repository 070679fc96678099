import { errorMessage, NgatuError } from '@ngatu/contract';
import { loadModelFile } from '../detect/model-file.ts';
import { type BlurModels, LocalPictureMaker } from '../evidence/local-picture-maker.ts';
import type { BlurModelFile, BlurModelFiles } from './picture-channel.ts';

/**
 * Opens the maker of pictures in this process. A model that cannot be read, is not the one it should be, or cannot be loaded is
 * left out and told in `problems`: what it would have found is then blurred wholly.
 */
export async function openPictureMaker(
  files: BlurModelFiles,
): Promise<{ maker: LocalPictureMaker; problems: string[] }> {
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
  return { maker: await LocalPictureMaker.open(models), problems };
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
