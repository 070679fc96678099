import { NgatuError } from '@ngatu/contract';
import { DEFAULT_PLATE_READERS, loadNetwork, type VerifiedNetwork } from '@ngatu/edge';
import { resolveNetwork } from './network-option.ts';

/** The readers that were named, or those of the product as far as they can be had. */
export async function findPlateReaders(
  named: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<VerifiedNetwork[]> {
  const models: VerifiedNetwork[] = [];
  for (const name of named ?? DEFAULT_PLATE_READERS) {
    try {
      models.push(await loadNetwork(await resolveNetwork(name, signal)));
    } catch (error) {
      const isAbsent = error instanceof NgatuError && error.code === 'ASSET_UNAVAILABLE';
      if (!isAbsent || named !== undefined || name === DEFAULT_PLATE_READERS[0]) throw error;
      console.error(`without ${name}, which cannot be had: ${error.message}`);
    }
  }
  return models;
}
