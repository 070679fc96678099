import { NgatuError } from '@ngatu/contract';
import { LampNet } from '@ngatu/edge';
import { resolveNetwork } from './network-option.ts';

/** Reads signal heads where nothing else is said. */
export const LAMP_MODEL = 'lamp-state';
/** Tells bare heads from helmets where nothing else is said. */
export const HELMET_MODEL = 'helmet-head';

/** The network that the agent reads lamps with; undefined, and said on the standard error, where it cannot be had. */
export async function openLampNet(signal: AbortSignal): Promise<LampNet | undefined> {
  try {
    return await LampNet.open(await resolveNetwork(LAMP_MODEL, signal));
  } catch (error) {
    if (!(error instanceof NgatuError) || signal.aborted) throw error;
    console.error(`lamps are read by their colours alone: ${error.message}`);
    return undefined;
  }
}
