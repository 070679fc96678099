import type { PartDetector } from '../evidence/part-detector.ts';
import { labelNetwork, type VerifiedNetwork } from '../model/model-file.ts';
import { PlateDetector } from '../plate/plate-detector.ts';

/** Lower than where plates are read: a sign that is blurred costs little, a plate that is shown much. */
const PLATE_MIN_CONFIDENCE = 0.2;
/** Network pixels per picture pixel: parts of 640 px. What a reader can read is large enough at that. */
const PLATE_ZOOM = 0.65;

/**
 * The finder of plates as it blurs: looks at the whole picture and at its parts.
 * @param isTried whether the file is tried in a process of its own first; not by default: where pictures are blurred, it was tried before
 * @throws NgatuError MODEL_INVALID; CHILD_FAILED (retryable) where no trial could be started
 */
export async function openPlateParts(model: VerifiedNetwork, isTried = false): Promise<PartDetector> {
  const options = { minConfidence: PLATE_MIN_CONFIDENCE, zooms: [PLATE_ZOOM], isTried };
  const detector = await PlateDetector.open(model, 1, options);
  return {
    label: labelNetwork(model),
    find: async (picture) => [...(await detector.find(picture, [0, 0, picture.width, picture.height]))],
    close: () => detector.close(),
  };
}
