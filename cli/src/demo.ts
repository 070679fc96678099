import { join } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import { loadProfile, type ProfileFile } from '@ngatu/firmware-config';
import { type AssetProgress, type AssetStore, findRepositoryRoot } from '@ngatu/models';

/** A demonstration: a profile of `firmware-config/profiles` and the video that its camera sees. */
interface Demo {
  readonly name: string;
  readonly profile: string;
  readonly video: string;
}

/** Best first: the first whose assets can be had is shown. */
const DEMOS: readonly Demo[] = [
  { name: 'hanoi', profile: 'demo-hanoi.yaml', video: 'hanoi-giangvo-langha-1615' },
  { name: 'car-detection', profile: 'demo-car-detection.yaml', video: 'car-detection' },
  { name: 'vtest', profile: 'demo-vtest.yaml', video: 'vtest' },
];

/** Values of `--scene`. */
export const DEMO_NAMES: readonly string[] = DEMOS.map((demo) => demo.name);

/** A demonstration with everything that it needs on this machine. */
export interface ChosenDemo {
  readonly name: string;
  readonly profile: ProfileFile;
  readonly model: string;
  readonly videoPath: string;
}

interface ChoiceOptions {
  /** Only this one will do. */
  readonly name?: string | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: AssetProgress) => void;
  /** Says that a demonstration is passed over, and why. */
  readonly onPassed: (name: string, reason: string) => void;
}

/**
 * Chooses the best demonstration whose assets can be had, fetching them where that is needed.
 * @throws NgatuError ASSET_UNAVAILABLE, ASSET_DIGEST_MISMATCH (of the last that was tried), USAGE, and those of
 *   `loadProfile`
 */
export async function chooseDemo(store: AssetStore, options: ChoiceOptions): Promise<ChosenDemo> {
  const candidates = options.name === undefined ? DEMOS : DEMOS.filter((demo) => demo.name === options.name);
  if (candidates.length === 0) {
    throw new NgatuError('USAGE', `Cannot start scene "${options.name}": there are ${DEMO_NAMES.join(', ')}`);
  }
  let last: unknown;
  for (const demo of candidates) {
    try {
      return await prepareDemo(demo, store, options);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      last = error;
      options.onPassed(demo.name, error.message);
    }
  }
  throw last;
}

async function prepareDemo(demo: Demo, store: AssetStore, options: ChoiceOptions): Promise<ChosenDemo> {
  const profile = await loadProfile(join(findRepositoryRoot(), 'firmware-config', 'profiles', demo.profile));
  const video = await store.resolve(demo.video, options);
  const { model } = profile.profile.detector;
  await store.resolveModel(model, options);
  return { name: demo.name, profile, model, videoPath: video.path };
}

function isUnavailable(error: unknown): error is NgatuError {
  return (
    error instanceof NgatuError &&
    (error.code === 'ASSET_UNAVAILABLE' || error.code === 'ASSET_DIGEST_MISMATCH')
  );
}
