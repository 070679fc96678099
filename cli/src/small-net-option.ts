import { type GatewayProfile, NgatuError } from '@ngatu/contract';
import { type AgentConfig, LampNet, type PatchModel } from '@ngatu/edge';
import { AssetStore } from '@ngatu/models';
import type { Logger } from 'pino';

/** Reads signal heads where nothing else is said. */
export const LAMP_MODEL = 'lamp-state';
/** Tells bare heads from helmets where nothing else is said. */
export const HELMET_MODEL = 'helmet-head';

/**
 * A small network with its one file.
 * @throws NgatuError ASSET_UNKNOWN, ASSET_UNAVAILABLE, ASSET_DIGEST_MISMATCH, MODEL_INVALID
 */
export async function resolvePatchModel(name: string, signal: AbortSignal): Promise<PatchModel> {
  const { manifest, path, sha256 } = await new AssetStore().resolveModel(name, { signal });
  return { manifest, file: { path, sha256 } };
}

/** The small networks of a profile, as far as they can be had. */
export async function findSmallNets(
  { readLamps, lampModel, helmetModel }: GatewayProfile['smallNets'],
  logger: Logger,
  signal: AbortSignal,
): Promise<AgentConfig['smallNets']> {
  const lamp = readLamps
    ? await findOne(lampModel, 'lamps are read by their colours alone', logger, signal)
    : undefined;
  const helmet =
    helmetModel === undefined
      ? undefined
      : await findOne(helmetModel, 'rules about helmets judge nothing', logger, signal);
  return { ...(lamp === undefined ? {} : { lamp }), ...(helmet === undefined ? {} : { helmet }) };
}

async function findOne(
  name: string,
  without: string,
  logger: Logger,
  signal: AbortSignal,
): Promise<PatchModel | undefined> {
  try {
    return await resolvePatchModel(name, signal);
  } catch (error) {
    if (!(error instanceof NgatuError) || signal.aborted) throw error;
    logger.warn({ code: error.code, model: name }, `not supplied: ${without}`);
    return undefined;
  }
}

/** The network that the agent reads lamps with; undefined, and said on the standard error, where it cannot be had. */
export async function openLampNet(signal: AbortSignal): Promise<LampNet | undefined> {
  try {
    return await LampNet.open(await resolvePatchModel(LAMP_MODEL, signal));
  } catch (error) {
    if (!(error instanceof NgatuError) || signal.aborted) throw error;
    console.error(`lamps are read by their colours alone: ${error.message}`);
    return undefined;
  }
}
