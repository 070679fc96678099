import { NgatuError } from '@ngatu/contract';
import { type Detector, type DetectorConfig, openDetector } from '@ngatu/edge';
import { AssetStore, type ResolvedModel } from '@ngatu/models';

/** Best first: the first that can be had serves where no model is named. */
const DETECTOR_MODELS = ['yolox-nano-dynamic', 'yolox-nano-416', 'centernet'] as const;

/** Findings below this are dropped before tracking, 0–1; the profile's default is the same. */
const MIN_CONFIDENCE = 0.1;
/** Enough for the two cores of a gateway. The result of a replay does not depend on it. */
const THREADS = 2;

/** What a detector needs to know of a model that was found. */
export function describeDetector(
  model: ResolvedModel,
  options: { minConfidence: number; threads: number },
): DetectorConfig {
  return {
    manifest: model.manifest,
    files: [model, ...model.weights].map(({ path, sha256 }) => ({ path, sha256 })),
    ...options,
  };
}

/**
 * Opens the named model, or the best one that can be had.
 * @throws NgatuError ASSET_UNKNOWN, ASSET_UNAVAILABLE, ASSET_DIGEST_MISMATCH, MODEL_INVALID
 */
export async function openNamedDetector(
  name: string | undefined,
  signal: AbortSignal,
  { minConfidence = MIN_CONFIDENCE }: { readonly minConfidence?: number } = {},
): Promise<{ detector: Detector; model: ResolvedModel }> {
  const store = new AssetStore();
  let last: unknown;
  for (const candidate of name === undefined ? DETECTOR_MODELS : [name]) {
    try {
      const model = await store.resolveModel(candidate, { signal });
      const options = { minConfidence, threads: THREADS };
      return { detector: await openDetector(describeDetector(model, options)), model };
    } catch (error) {
      const absent = error instanceof NgatuError && error.code === 'ASSET_UNAVAILABLE';
      if (!absent) throw error;
      last = error;
    }
  }
  throw last;
}
