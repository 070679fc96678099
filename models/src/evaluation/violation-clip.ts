import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { loadScene, type SceneFile } from '@ngatu/firmware-config';
import { loadViolationTruth, type ViolationTruth } from './violation-truth.ts';

/** A clip with what is needed to judge it. */
export interface ViolationClip {
  readonly name: string;
  readonly video: string;
  readonly truth: ViolationTruth;
  readonly scene: SceneFile;
}

const TRUTH_ENDING = '.truth.json';
const SCENE_ENDING = '.scene.yaml';

/**
 * Loads every clip of a folder that has a truth. The video is the one that the truth names, else `NAME.mp4`; the scene is `NAME.scene.yaml`,
 * else the shipped one whose name the clip's name begins with.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID, SCENE_INVALID
 */
export async function loadViolationClips(dataDir: string, scenesDir: string): Promise<ViolationClip[]> {
  const files = await listFiles(dataDir);
  const names = files
    .filter((file) => file.endsWith(TRUTH_ENDING))
    .map((file) => basename(file, TRUTH_ENDING));
  if (names.length === 0) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot evaluate ${dataDir}: no *${TRUTH_ENDING} in it`);
  }
  const clips: ViolationClip[] = [];
  for (const name of names.sort()) {
    const truth = await loadViolationTruth(join(dataDir, `${name}${TRUTH_ENDING}`));
    const video = findVideo(name, truth, files);
    if (video === undefined) {
      const named = truth.video === undefined ? '' : `"${truth.video}" or `;
      throw new NgatuError(
        'FILE_UNREADABLE',
        `Cannot evaluate clip "${name}": no ${named}${name}.mp4 in ${dataDir}`,
      );
    }
    const scene = await findScene(name, files, { dataDir, scenesDir });
    clips.push({ name, video: join(dataDir, video), truth, scene });
  }
  return clips;
}

async function listFiles(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (cause) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read folder ${dir}: ${errorMessage(cause)}`, { cause });
  }
}

/** Only files of the folder itself: a truth names no path. */
function findVideo(name: string, truth: ViolationTruth, files: readonly string[]): string | undefined {
  return [truth.video, `${name}.mp4`].find((file) => file !== undefined && files.includes(file));
}

async function findScene(
  clip: string,
  files: readonly string[],
  { dataDir, scenesDir }: { dataDir: string; scenesDir: string },
): Promise<SceneFile> {
  const own = `${clip}${SCENE_ENDING}`;
  if (files.includes(own)) return loadScene(join(dataDir, own));
  const shipped = (await listFiles(scenesDir)).find(
    (file) => file.endsWith(SCENE_ENDING) && clip.startsWith(basename(file, SCENE_ENDING)),
  );
  if (shipped === undefined) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot evaluate clip "${clip}": ${own} is not in ${dataDir}`);
  }
  return loadScene(join(scenesDir, shipped));
}
