import type { NetworkUse } from '@ngatu/contract';
import { openFaceDetector } from '../evidence/part-detector.ts';
import { HelmetNet } from '../helmet/helmet-net.ts';
import { openFaceNet } from '../mask/face-net.ts';
import { loadNetwork, type NetworkFile, type VerifiedNetwork } from '../model/model-file.ts';
import type { Closable } from '../model/network-holder.ts';
import { OccupantNet } from '../occupant/occupant-net.ts';
import { DEFAULT_PLATE_DETECTOR_CONFIDENCE, PlateDetector } from '../plate/plate-detector.ts';
import { PlateReader } from '../plate/plate-reader.ts';
import { LampNet } from '../signal/lamp-net.ts';
import { openPlateParts } from './plate-parts.ts';

/** Uses whose networks are opened from bytes. */
export type VerifiedUse = Exclude<NetworkUse, 'lamp' | 'helmet' | 'occupants'>;

const THREADS = 1;

/**
 * Opens a network as the part of the product does that uses it so: file against manifest, and an empty picture. The caller closes it.
 * @param options.isTried whether the file is tried in a process of its own first
 * @throws NgatuError MODEL_INVALID; CHILD_FAILED (retryable) where no trial could be started
 */
export async function openNetwork(
  use: VerifiedUse,
  network: VerifiedNetwork,
  { isTried }: { readonly isTried: boolean },
): Promise<Closable> {
  switch (use) {
    case 'face-blur':
      return openFaceDetector(network, isTried);
    case 'plate-blur':
      return openPlateParts(network, isTried);
    case 'plate-finder':
      return PlateDetector.open(network, THREADS, {
        minConfidence: DEFAULT_PLATE_DETECTOR_CONFIDENCE,
        isTried,
      });
    case 'plate-reader':
      return PlateReader.open([network], THREADS, { isTried });
    case 'mask':
    case 'eye':
      return openFaceNet(network, isTried);
  }
}

/**
 * Holds a network against its manifest, tries it in a process of its own, opens it as it would be used, and closes it again.
 * @throws NgatuError FILE_UNREADABLE, MODEL_DIGEST_MISMATCH, MODEL_INVALID, CHILD_FAILED (retryable)
 */
export async function proveNetwork(use: NetworkUse, network: NetworkFile): Promise<void> {
  const opened = await openTried(use, network);
  await opened.close();
}

async function openTried(use: NetworkUse, network: NetworkFile): Promise<Closable> {
  if (use === 'lamp') return LampNet.open(network);
  if (use === 'helmet') return HelmetNet.open(network);
  if (use === 'occupants') return OccupantNet.open(network);
  return openNetwork(use, await loadNetwork(network), { isTried: true });
}
