import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the checkout that this code runs from. */
export function findRepositoryRoot(from = dirname(fileURLToPath(import.meta.url))): string {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file) && readFileSync(file, 'utf8').includes('"ngatu-workspace"')) return folder;
  }
  throw new Error(`${from} does not lie in a checkout of ngatu`);
}

/**
 * The folder `models` of the product: that of this package, or the one beside the bundled program or above it.
 * @throws Error where there is none: the program was taken out of its place
 */
export function findModelsFolder(from = dirname(fileURLToPath(import.meta.url))): string {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    for (const candidate of [folder, join(folder, 'models')])
      if (existsSync(join(candidate, 'registry')) && existsSync(join(candidate, 'manifest')))
        return candidate;
  }
  throw new Error(`neither ${from} nor a folder above it has models/registry`);
}

export interface AssetFolders {
  /** Searched first; `NGATU_ASSETS`, by default `shared` beside the checkout. */
  readonly localDir: string;
  /** Where fetched assets are kept; `NGATU_ASSET_CACHE`, by default `.ngatu/assets` in the checkout. */
  readonly cacheDir: string;
  /** Folder `models` of the product, with the registry and the weights that it carries. */
  readonly modelsDir: string;
  /** Folder of further models, `NAME/model.json`; `NGATU_MODELS`, none by default. */
  readonly ownModelsDir?: string;
}

export function locateAssetFolders(
  env: NodeJS.ProcessEnv = process.env,
  root = findRepositoryRoot(),
): AssetFolders {
  const own = env['NGATU_MODELS'];
  return {
    localDir: resolve(env['NGATU_ASSETS'] || join(root, '..', 'shared')),
    cacheDir: resolve(env['NGATU_ASSET_CACHE'] || join(root, '.ngatu', 'assets')),
    modelsDir: findModelsFolder(),
    ...(own ? { ownModelsDir: resolve(own) } : {}),
  };
}
