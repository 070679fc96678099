import {
  FACE_SIGHTS,
  type FaceSight,
  type FaceSightName,
  type FusionCoefficients,
  loadNetwork,
  openFaceSight,
} from '@ngatu/edge';
import type { AssetStore } from '../asset-store.ts';
import type { MaskSightChooser } from './mask-evaluation.ts';
import { type MaskTraining, readMaskTraining } from './mask-training.ts';

/** A way of looking as `ngatu eval masks` uses it: whoever looks at a picture has not been trained on it. */
export class HonestSight implements MaskSightChooser {
  readonly name: FaceSightName;
  readonly #store: AssetStore;
  readonly #signal: AbortSignal;
  readonly #training: MaskTraining;
  readonly #foldOf: ReadonlyMap<string, number>;
  readonly #open = new Map<number | undefined, Promise<FaceSight>>();

  constructor(name: FaceSightName, store: AssetStore, signal: AbortSignal) {
    this.name = name;
    this.#store = store;
    this.#signal = signal;
    this.#training = readMaskTraining();
    this.#foldOf = new Map(this.#training.pictures.map(({ sha256, fold }) => [sha256, fold]));
  }

  async choose(sha256: string): Promise<{ readonly sight: FaceSight; readonly isHeldOut: boolean }> {
    const fold = this.name === 'fused' ? this.#foldOf.get(sha256) : undefined;
    const isHeldOut = fold !== undefined && this.#training.folds[fold] !== undefined;
    return { sight: await this.#openFold(isHeldOut ? fold : undefined), isHeldOut };
  }

  async close(): Promise<void> {
    const sights = await Promise.allSettled(this.#open.values());
    await Promise.all(
      sights.map((sight) => (sight.status === 'fulfilled' ? sight.value.close() : undefined)),
    );
    this.#open.clear();
  }

  #openFold(fold: number | undefined): Promise<FaceSight> {
    const known = this.#open.get(fold);
    if (known !== undefined) return known;
    const opened = this.#load(fold === undefined ? undefined : this.#training.folds[fold]);
    this.#open.set(fold, opened);
    return opened;
  }

  async #load(coefficients: FusionCoefficients | undefined): Promise<FaceSight> {
    const models = await Promise.all(
      FACE_SIGHTS[this.name].assets.map(async (name) => {
        const { manifest, ...file } = await this.#store.resolveModel(name, { signal: this.#signal });
        return loadNetwork({ manifest, file });
      }),
    );
    return openFaceSight(this.name, {
      models,
      isTried: false,
      ...(coefficients === undefined ? {} : { coefficients }),
    });
  }
}
