import { NgatuError } from '@ngatu/contract';
import type { VerifiedNetwork } from '../model/model-file.ts';
import type { FusionCoefficients } from './face-fusion.ts';
import { type FaceNet, openFaceNet } from './face-net.ts';
import { type FaceSight, openFusedSight, openPairedSight, openSingleSight } from './face-sight.ts';

/** Trained by this project on the pictures that models/training/mask-faces.json names. */
export const TRAINED_FACE_ASSET = 'face-mask-nano';

/**
 * The ways of looking that are known, by name, with the assets that each needs and the confidence from which its findings are worth a
 * look. The confidences are chosen on the table of docs/masks.md.
 */
export const FACE_SIGHTS = {
  fused: {
    assets: ['yunet-n-640', 'aizoo-mask-360', 'rfb-640-masked-face-v2', TRAINED_FACE_ASSET],
    confidence: 0.3,
  },
  'yunet+aizoo': { assets: ['yunet-n-640', 'aizoo-mask-360'], confidence: 0.75 },
  aizoo: { assets: ['aizoo-mask-360'], confidence: 0.5 },
  rfb: { assets: ['rfb-640-masked-face-v2'], confidence: 0.6 },
  'face-mask': { assets: [TRAINED_FACE_ASSET], confidence: 0.4 },
  yunet: { assets: ['yunet-n-640'], confidence: 0.75 },
} as const;
export type FaceSightName = keyof typeof FACE_SIGHTS;
/** What the agent runs. */
export const PRODUCT_SIGHT: FaceSightName = 'fused';
/** From this confidence of YuNet on a track begins. */
const SURE_CONFIDENCE = 0.7;

export interface OpenSightOptions {
  /** The models in the order of the assets. Their digests were verified. */
  readonly models: readonly VerifiedNetwork[];
  /** Try each file in a process of its own first, as the agent does with what comes from outside. */
  readonly isTried: boolean;
  /** Of `fused`, where they are not those of the product. */
  readonly coefficients?: FusionCoefficients;
}

/** @throws NgatuError MODEL_INVALID */
export async function openFaceSight(name: FaceSightName, options: OpenSightOptions): Promise<FaceSight> {
  const nets: FaceNet[] = [];
  try {
    for (const [at, asset] of FACE_SIGHTS[name].assets.entries()) {
      const model = options.models[at];
      if (model === undefined)
        throw new NgatuError('MODEL_INVALID', `Cannot open "${name}": it needs the model ${asset}`);
      nets.push(await openFaceNet(model, options.isTried));
    }
  } catch (error) {
    await Promise.all(nets.map((net) => net.close()));
    throw error;
  }
  return composeSight(name, nets, options.coefficients);
}

/**
 * A way of looking with networks that are open already; it closes them.
 * @param nets in the order of the assets
 * @throws RangeError where they are not as many as the assets
 */
export function composeSight(
  name: FaceSightName,
  nets: readonly FaceNet[],
  coefficients?: FusionCoefficients,
): FaceSight {
  const { confidence, assets } = FACE_SIGHTS[name];
  if (nets.length !== assets.length)
    throw new RangeError(`"${name}" looks with ${assets.length} networks, not with ${nets.length}`);
  const [finder, first, second, third] = nets;
  if (finder === undefined) throw new RangeError(`"${name}" names no model`);
  if (first === undefined) return openSingleSight(finder, confidence);
  if (second === undefined || third === undefined) return openPairedSight(finder, first, confidence);
  const confidences = { candidateConfidence: confidence, sureConfidence: SURE_CONFIDENCE };
  return openFusedSight({ finder, first, second, third }, confidences, coefficients);
}
