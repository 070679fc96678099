import { type GatewayProfile, NgatuError } from '@ngatu/contract';
import { type CameraConfig, MASK_ASSETS, type MaskConfig } from '@ngatu/edge';
import { AssetStore } from '@ngatu/models';
import type { Logger } from 'pino';

/**
 * The cameras on which masks are watched, with the networks for it. Where a network cannot be had the agent runs all the same, and
 * watches no masks.
 */
export async function buildMasks(
  { cameras: profiles }: GatewayProfile,
  cameras: readonly CameraConfig[],
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<MaskConfig> {
  const watched = cameras.flatMap(({ scene, ...camera }) => {
    const masks = profiles.find(({ name }) => name === camera.name)?.masks;
    return masks === undefined ? [] : [{ ...camera, picture: scene.picture, masks }];
  });
  if (watched.length === 0) return { cameras: [], models: [] };
  const store = new AssetStore();
  try {
    const models: { name: string; path: string; sha256: string }[] = [];
    for (const name of MASK_ASSETS) {
      const { path, sha256 } = await store.resolve(name, { signal });
      models.push({ name, path, sha256 });
    }
    return { cameras: watched, models };
  } catch (error) {
    if (!(error instanceof NgatuError) || error.code !== 'ASSET_UNAVAILABLE') throw error;
    logger.warn({ code: error.code }, `masks are not watched: ${error.message}`);
    return { cameras: [], models: [] };
  }
}
