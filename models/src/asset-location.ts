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

export interface AssetFolders {
  /** Searched first; `NGATU_ASSETS`, by default `shared` beside the checkout. */
  readonly localDir: string;
  /** Where fetched assets are kept; `NGATU_ASSET_CACHE`, by default `.ngatu/assets` in the checkout. */
  readonly cacheDir: string;
}

export function locateAssetFolders(
  env: NodeJS.ProcessEnv = process.env,
  root = findRepositoryRoot(),
): AssetFolders {
  return {
    localDir: resolve(env['NGATU_ASSETS'] || join(root, '..', 'shared')),
    cacheDir: resolve(env['NGATU_ASSET_CACHE'] || join(root, '.ngatu', 'assets')),
  };
}
