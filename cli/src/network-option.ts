import type { NetworkUse } from '@ngatu/contract';
import { type AgentConfig, asksForRiders, MASK_ASSETS, type NetworkFile } from '@ngatu/edge';
import { loadProfile } from '@ngatu/firmware-config';
import { AssetStore } from '@ngatu/models';

/** Finds faces with five landmarks. */
const EYE_MODEL = 'yunet-n-640';

/**
 * A network with its one file.
 * @throws NgatuError ASSET_UNKNOWN, ASSET_UNAVAILABLE, ASSET_DIGEST_MISMATCH, MODEL_MANIFEST_INVALID, MODEL_INVALID
 */
export async function resolveNetwork(name: string, signal: AbortSignal): Promise<NetworkFile> {
  const { manifest, path, sha256 } = await new AssetStore().resolveModel(name, { signal });
  return { manifest, file: { path, sha256 } };
}

/** The networks beside the detector that the profile file asks for now. @throws NgatuError PROFILE_INVALID, FILE_UNREADABLE */
export async function listNetworks(path: string, signal: AbortSignal): ReturnType<AgentConfig['networks']> {
  const { profile, scenes } = await loadProfile(path);
  const { privacy, plates, smallNets, cameras, feverGates } = profile;
  const wish = (use: NetworkUse, ...names: readonly (string | undefined)[]) =>
    names
      .filter((name) => name !== undefined)
      .map((name) => ({ use, name, find: () => resolveNetwork(name, signal) }));
  const watchesMasks = cameras.some(({ masks }) => masks !== undefined);
  const countsRiders = [...scenes.values()].some(({ scene }) => asksForRiders(scene));
  const hasEyes = feverGates.some(({ visible }) => visible !== undefined);
  return [
    ...(smallNets.readLamps ? wish('lamp', smallNets.lampModel) : []),
    ...wish('helmet', smallNets.helmetModel),
    ...(countsRiders ? wish('occupants', smallNets.occupantModel) : []),
    ...wish('face-blur', privacy.faceModel),
    ...wish('plate-blur', privacy.plateModel),
    ...(plates.read ? wish('plate-finder', plates.detectorModel) : []),
    ...(plates.read ? wish('plate-reader', ...plates.readerModels) : []),
    ...(watchesMasks ? wish('mask', ...MASK_ASSETS) : []),
    ...(hasEyes ? wish('eye', EYE_MODEL) : []),
  ];
}
