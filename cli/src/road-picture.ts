import { NgatuError, type Scene } from '@ngatu/contract';
import { type SceneSurvey, surveyScene } from '@ngatu/edge';

/** Looks at a video without looking for anything. */
const NO_DETECTOR = {
  model: { name: 'none', sha256: '' },
  detect: async () => [],
  close: async () => undefined,
};

/**
 * The picture of a video without what moves in it, for drawing a scene over it.
 * @throws NgatuError SCENE_INVALID where the video has another size than the scene; VIDEO_UNREADABLE
 */
export async function readRoadPicture(
  video: string,
  scene: Scene,
  signal: AbortSignal,
): Promise<SceneSurvey['background']> {
  const { picture, background } = await surveyScene(
    { video, detector: NO_DETECTOR, maxDurationMs: 60_000, maxWidth: 1280, maxFps: 2 },
    signal,
  );
  if (picture.width !== scene.picture.width || picture.height !== scene.picture.height) {
    const is = `${picture.width}×${picture.height}`;
    const wanted = `${scene.picture.width}×${scene.picture.height}`;
    throw new NgatuError('SCENE_INVALID', `Cannot draw on ${video}: it is ${is}, the scene is for ${wanted}`);
  }
  return background;
}
