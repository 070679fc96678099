import measured from './detection-noise.json' with { type: 'json' };
import type { NoiseProfile } from './noise-profile.ts';

/** The noise of the product's own detector as it was measured last; `ngatu simulate noise` measures it again. */
export const DETECTION_NOISE: NoiseProfile = measured as unknown as NoiseProfile;
