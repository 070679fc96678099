import { NgatuError, type Scene } from '@ngatu/contract';
import { asksForRiders, LampNet, type NetworkFile, OccupantNet } from '@ngatu/edge';
import { resolveNetwork } from './network-option.ts';

/** Reads signal heads where nothing else is said. */
export const LAMP_MODEL = 'lamp-state';
/** Tells bare heads from helmets where nothing else is said. */
export const HELMET_MODEL = 'helmet-head';
/** Counts who rides on two-wheelers where nothing else is said. */
export const OCCUPANT_MODEL = 'occupant-count';

/** What looks at parts of each picture besides the detector; absent what cannot be had. */
interface FrameNets {
  readonly lampNet?: LampNet;
  readonly occupantNet?: OccupantNet;
  close(): Promise<void>;
}

/**
 * The networks that the agent reads lamps and, where the scene asks for it, counts riders with; without a scene both. One that cannot be had is said on the standard error and
 * left out.
 */
export async function openFrameNets(signal: AbortSignal, scene?: Scene): Promise<FrameNets> {
  const lampNet = await openOrSay(LAMP_MODEL, LampNet.open, 'lamps are read by their colours alone', signal);
  const without = 'who rides on a two-wheeler is counted by boxes of people';
  const occupantNet =
    scene === undefined || asksForRiders(scene)
      ? await openOrSay(OCCUPANT_MODEL, OccupantNet.open, without, signal)
      : undefined;
  return {
    ...(lampNet === undefined ? {} : { lampNet }),
    ...(occupantNet === undefined ? {} : { occupantNet }),
    close: async () => {
      await lampNet?.close();
      await occupantNet?.close();
    },
  };
}

async function openOrSay<T>(
  name: string,
  open: (network: NetworkFile) => Promise<T>,
  without: string,
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    return await open(await resolveNetwork(name, signal));
  } catch (error) {
    if (!(error instanceof NgatuError) || signal.aborted) throw error;
    console.error(`${without}: ${error.message}`);
    return undefined;
  }
}
