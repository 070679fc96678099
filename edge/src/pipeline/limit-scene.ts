import type { ModelManifest, Scene } from '@ngatu/contract';

/** The scene, analysed no faster than the model can. */
export function limitScene(
  scene: Scene,
  { manifest }: { readonly manifest: Pick<ModelManifest, 'maxFps'> },
): Scene {
  const limit = manifest.maxFps ?? Number.POSITIVE_INFINITY;
  if (scene.analysis.maxFps <= limit) return scene;
  return { ...scene, analysis: { ...scene.analysis, maxFps: limit } };
}
