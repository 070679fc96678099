import { join } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import { FACE_SIGHTS, PRODUCT_SIGHT } from '@ngatu/edge';
import { loadProfile, type ProfileFile } from '@ngatu/firmware-config';
import { type AssetProgress, type AssetStore, findRepositoryRoot } from '@ngatu/models';

/** A demonstration: a profile of `firmware-config/profiles` and the video that its cameras see. */
interface Demo {
  readonly name: string;
  readonly profile: string;
  readonly video: string;
  /** Cameras of the profile that see another video; each is left out where its video or a network that it is for cannot be had. */
  readonly besides?: readonly {
    readonly camera: string;
    readonly video: string;
    readonly models: readonly string[];
  }[];
}

/** Where people walk past: masks are counted, nobody is judged. */
const PROMENADE = {
  camera: 'promenade',
  video: 'masked-people-walking',
  models: FACE_SIGHTS[PRODUCT_SIGHT].assets,
};

/** Best first: the first whose assets can be had is shown. */
const DEMOS: readonly Demo[] = [
  { name: 'hanoi', profile: 'demo-hanoi.yaml', video: 'hanoi-giangvo-langha-1615', besides: [PROMENADE] },
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
  /** What the demonstration is about. */
  readonly videoPath: string;
  /** What the cameras of the profile see, in their order. */
  readonly cameras: readonly { readonly name: string; readonly videoPath: string }[];
}

interface ChoiceOptions {
  /** Only this one will do. */
  readonly name?: string | undefined;
  /** Without the cameras that see something else besides. */
  readonly isAlone?: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: AssetProgress) => void;
  /** Says that a demonstration is passed over, or which of its cameras is left out, and why. */
  readonly onPassed: (what: string, reason: string) => void;
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
      options.onPassed(`the scene ${demo.name}`, error.message);
    }
  }
  throw last;
}

async function prepareDemo(demo: Demo, store: AssetStore, options: ChoiceOptions): Promise<ChosenDemo> {
  const source = await loadProfile(join(findRepositoryRoot(), 'firmware-config', 'profiles', demo.profile));
  const video = await store.resolve(demo.video, options);
  const { model } = source.profile.detector;
  await store.resolveModel(model, options);
  const cameras: { name: string; videoPath: string }[] = [];
  for (const { name } of source.profile.cameras) {
    const other = demo.besides?.find(({ camera }) => camera === name);
    if (other !== undefined && options.isAlone === true) continue;
    const videoPath = other === undefined ? video.path : await findVideo(other, store, options);
    if (videoPath !== undefined) cameras.push({ name, videoPath });
  }
  const isThere = (camera: { name: string }): boolean => cameras.some(({ name }) => name === camera.name);
  const profile = { ...source.profile, cameras: source.profile.cameras.filter(isThere) };
  return { name: demo.name, profile: { ...source, profile }, model, videoPath: video.path, cameras };
}

/** The video of a camera that a demonstration can do without; undefined where something of it is not there. */
async function findVideo(
  { camera, video, models }: NonNullable<Demo['besides']>[number],
  store: AssetStore,
  options: ChoiceOptions,
): Promise<string | undefined> {
  try {
    for (const model of models) await store.resolveModel(model, options);
    return (await store.resolve(video, options)).path;
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    options.onPassed(`the camera ${camera}`, error.message);
    return undefined;
  }
}

function isUnavailable(error: unknown): error is NgatuError {
  return (
    error instanceof NgatuError &&
    (error.code === 'ASSET_UNAVAILABLE' || error.code === 'ASSET_DIGEST_MISMATCH')
  );
}
