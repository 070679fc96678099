import { join } from 'node:path';
import {
  FACE_SIGHTS,
  type FaceSight,
  type FaceSightName,
  loadNetwork,
  openFaceSight,
  TRAINED_FACE_ASSET,
  type VerifiedNetwork,
} from '@ngatu/edge';
import { findRepositoryRoot } from '../asset-location.ts';
import type { AssetStore } from '../asset-store.ts';
import type { MaskSightChooser } from './mask-evaluation.ts';
import { type MaskTraining, readMaskTraining } from './mask-training.ts';

/** What is needed of a training to look at a picture as if it had not been learned from. */
export type FoldTraining = Pick<MaskTraining, 'folds' | 'networks' | 'pictures'>;

/** A way of looking as `ngatu eval masks` uses it: whoever looks at a picture has not been trained on it. */
export class HonestSight implements MaskSightChooser {
  readonly name: FaceSightName;
  readonly #store: AssetStore;
  readonly #signal: AbortSignal;
  readonly #training: FoldTraining;
  readonly #foldOf: ReadonlyMap<string, number>;
  readonly #open = new Map<number | undefined, Promise<FaceSight>>();

  constructor(
    name: FaceSightName,
    store: AssetStore,
    signal: AbortSignal,
    training: FoldTraining = readMaskTraining(),
  ) {
    this.name = name;
    this.#store = store;
    this.#signal = signal;
    this.#training = training;
    this.#foldOf = new Map(this.#training.pictures.map(({ sha256, fold }) => [sha256, fold]));
  }

  async choose(sha256: string): Promise<{ readonly sight: FaceSight; readonly isHeldOut: boolean }> {
    const assets: readonly string[] = FACE_SIGHTS[this.name].assets;
    const fold = assets.includes(TRAINED_FACE_ASSET) ? this.#foldOf.get(sha256) : undefined;
    return { sight: await this.openFold(fold), isHeldOut: fold !== undefined };
  }

  /** Looks as if it had never seen the pictures of this fold; as the product does without one. @throws NgatuError */
  openFold(fold?: number): Promise<FaceSight> {
    const known = this.#open.get(fold);
    if (known !== undefined) return known;
    const opened = this.#load(fold);
    this.#open.set(fold, opened);
    return opened;
  }

  async close(): Promise<void> {
    const sights = await Promise.allSettled(this.#open.values());
    await Promise.all(
      sights.map((sight) => (sight.status === 'fulfilled' ? sight.value.close() : undefined)),
    );
    this.#open.clear();
  }

  async #load(fold: number | undefined): Promise<FaceSight> {
    const models: VerifiedNetwork[] = [];
    for (const name of FACE_SIGHTS[this.name].assets) models.push(await this.#loadModel(name, fold));
    const coefficients = fold === undefined ? undefined : this.#training.folds[fold];
    return openFaceSight(this.name, {
      models,
      isTried: false,
      ...(coefficients === undefined ? {} : { coefficients }),
    });
  }

  /** The network that was trained without the fold in the place of the one that ships: what its manifest says holds for both. */
  async #loadModel(name: string, fold: number | undefined): Promise<VerifiedNetwork> {
    const { manifest, ...file } = await this.#store.resolveModel(name, { signal: this.#signal });
    const other =
      fold === undefined || name !== TRAINED_FACE_ASSET ? undefined : this.#training.networks[fold];
    if (other === undefined) return loadNetwork({ manifest, file });
    return loadNetwork({
      manifest,
      file: { ...other, path: join(findRepositoryRoot(), 'models', other.path) },
    });
  }
}
