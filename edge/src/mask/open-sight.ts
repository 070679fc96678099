import { NgatuError } from '@ngatu/contract';
import type { FusionCoefficients } from './face-fusion.ts';
import { type FaceModel, type FaceNet, type FaceNetForm, openFaceNet } from './face-net.ts';
import { type FaceSight, openFusedSight, openPairedSight, openSingleSight } from './face-sight.ts';

/**
 * The ways of looking that are known, by name, with the assets that each needs and the confidence from which its findings are worth a
 * look. The confidences are chosen on the table of docs/masks.md.
 */
export const FACE_SIGHTS = {
  fused: { assets: ['yunet-n-640', 'aizoo-mask-360', 'rfb-640-masked-face-v2'], confidence: 0.3 },
  'yunet+aizoo': { assets: ['yunet-n-640', 'aizoo-mask-360'], confidence: 0.75 },
  aizoo: { assets: ['aizoo-mask-360'], confidence: 0.5 },
  rfb: { assets: ['rfb-640-masked-face-v2'], confidence: 0.6 },
  yunet: { assets: ['yunet-n-640'], confidence: 0.75 },
} as const;
export type FaceSightName = keyof typeof FACE_SIGHTS;
/** What the agent runs. */
export const PRODUCT_SIGHT: FaceSightName = 'fused';
/** From this confidence of YuNet on a track begins. */
const SURE_CONFIDENCE = 0.7;

const FORMS: Readonly<Record<string, FaceNetForm>> = {
  'yunet-n-640': 'yunet-640',
  'aizoo-mask-360': 'aizoo-360',
  'rfb-640-masked-face-v2': 'rfb-640',
};

export interface OpenSightOptions {
  /** The models in the order of the assets. Their digests were verified. */
  readonly models: readonly FaceModel[];
  /** Try each file in a process of its own first, as the agent does with what comes from outside. */
  readonly isTried: boolean;
  /** Of `fused`, where they are not those of the product. */
  readonly coefficients?: FusionCoefficients;
}

/** @throws NgatuError MODEL_INVALID */
export async function openFaceSight(name: FaceSightName, options: OpenSightOptions): Promise<FaceSight> {
  const { assets, confidence } = FACE_SIGHTS[name];
  const nets: FaceNet[] = [];
  try {
    for (const [at, asset] of assets.entries()) {
      const model = options.models[at];
      const form = FORMS[asset];
      if (model === undefined || form === undefined)
        throw new NgatuError('MODEL_INVALID', `Cannot open "${name}": it needs the model ${asset}`);
      nets.push(await openFaceNet(form, model, options.isTried));
    }
  } catch (error) {
    await Promise.all(nets.map((net) => net.close()));
    throw error;
  }
  const [finder, first, second] = nets;
  if (finder === undefined) throw new RangeError(`"${name}" names no model`);
  if (first === undefined) return openSingleSight(finder, confidence);
  if (second === undefined) return openPairedSight(finder, first, confidence);
  const confidences = { candidateConfidence: confidence, sureConfidence: SURE_CONFIDENCE };
  return openFusedSight({ finder, first, second }, confidences, options.coefficients);
}
