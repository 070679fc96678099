import { type FileSource, NgatuError } from '@ngatu/contract';
import { checkModelFile } from '@ngatu/edge';
import type { AssetStore } from './asset-store.ts';
import { findCardProblems } from './model-card.ts';
import type { RegisteredModel } from './model-registry.ts';

/** What is known of a model after a look at everything that belongs to it. */
export interface ModelCheck {
  readonly model: RegisteredModel;
  /** `sound`: its file runs as its manifest says; `absent`: it is not on this machine; `broken`: see `error`. */
  readonly file: 'sound' | 'absent' | 'broken';
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
    const { name, files } = model.manifest;
    const isCarried = ({ kind }: FileSource): boolean => kind === 'repository' || kind === 'beside';
    const found =
      (await store.find(name, signal)) ??
      // says why: it is not there, or is another file
      (files.every(({ sources }) => sources.every(isCarried))
        ? await store.resolve(name, signal === undefined ? {} : { signal })
        : undefined);
    if (found === undefined) return { model, file: 'absent', card };
    await checkModelFile(model.manifest, { path: found.path, sha256: found.sha256 });
    return { model, file: 'sound', card };
  } catch (error) {
    if (!(error instanceof NgatuError)) throw error;
    return { model, file: 'broken', error, card };
  }
}
