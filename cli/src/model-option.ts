import { type Detector, type DetectorConfig, openDetector } from '@ngatu/edge';
import { AssetStore, type ResolvedModel } from '@ngatu/models';

/** Serves where no model is named: the repository carries it. */
export const DEFAULT_DETECTOR = 'road-users-nano';

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
    file: { path: model.path, sha256: model.sha256 },
    ...options,
  };
}

/**
 * Opens the named model, or the default one.
 * @throws NgatuError ASSET_UNKNOWN, ASSET_UNAVAILABLE, ASSET_DIGEST_MISMATCH, MODEL_INVALID
 */
export async function openNamedDetector(
  name: string | undefined,
  signal: AbortSignal,
  { minConfidence = MIN_CONFIDENCE }: { readonly minConfidence?: number } = {},
): Promise<{ detector: Detector; model: ResolvedModel }> {
  const model = await new AssetStore().resolveModel(name ?? DEFAULT_DETECTOR, { signal });
  const options = { minConfidence, threads: THREADS };
  return { detector: await openDetector(describeDetector(model, options)), model };
}
