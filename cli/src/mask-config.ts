import type { GatewayProfile } from '@ngatu/contract';
import type { CameraConfig, MaskConfig } from '@ngatu/edge';

/** The cameras on which masks are watched. */
export function buildMasks(
  { cameras: profiles }: GatewayProfile,
  cameras: readonly CameraConfig[],
): MaskConfig {
  const watched = cameras.flatMap(({ scene, ...camera }) => {
    const masks = profiles.find(({ name }) => name === camera.name)?.masks;
    return masks === undefined ? [] : [{ ...camera, picture: scene.picture, masks }];
  });
  return { cameras: watched };
}
