import { NgatuError } from '@ngatu/contract';
import { checkModelFiles } from '@ngatu/edge';
import type { AssetStore } from './asset-store.ts';
import { findCardProblems } from './model-card.ts';
import { listModelAssets, type RegisteredModel } from './model-registry.ts';

/** What is known of a model after a look at everything that belongs to it. */
export interface ModelCheck {
  readonly model: RegisteredModel;
  /** `sound`: its files run as its manifest says; `absent`: not all of them are on this machine; `broken`: see `error`. */
  readonly files: 'sound' | 'absent' | 'broken';
  readonly error?: NgatuError;
  readonly card: readonly string[];
}

/** Looks at manifest, card and files, as far as these are on this machine; nothing is fetched. */
export async function checkModel(
  model: RegisteredModel,
  store: AssetStore,
  signal?: AbortSignal,
): Promise<ModelCheck> {
  const card = findCardProblems(model.folder);
  try {
    const files = [];
    for (const { name, sources } of listModelAssets(model)) {
      const found = await store.find(name, signal);
      if (found !== undefined) files.push({ path: found.path, sha256: found.sha256 });
      else if (sources.every(({ kind }) => kind === 'repository' || kind === 'beside'))
        // says why: it is not there, or is another file
        await store.resolve(name, signal === undefined ? {} : { signal });
    }
    if (files.length < model.manifest.files.length) return { model, files: 'absent', card };
    await checkModelFiles(model.manifest, files);
    return { model, files: 'sound', card };
  } catch (error) {
    if (!(error instanceof NgatuError)) throw error;
    return { model, files: 'broken', error, card };
  }
}
