import { type Box, computeIou } from '../geometry/box.ts';
import type { FaceNet } from './face-net.ts';
import type { BgrPicture, PictureRegion } from './face-picture.ts';

/** What a judge saw in crops around a face. */
export interface CropReading {
  /** Log-odds for a mask, the mean over the crops in which it saw the face; absent where it saw none. */
  readonly maskLogit?: number;
  /** Its greatest confidence that there is a face, 0–1; 0 where it saw none. */
  readonly faceConfidence: number;
}

export interface CropLook {
  readonly box: Box;
  /** How much of a crop the face takes, 0–1: one crop for each. */
  readonly shares: readonly number[];
  /** Side of the crops as the network sees them, px, where it leaves that free. */
  readonly sidePx?: number;
}

/** Shares of its crop that a face takes before AIZOO's network, with less and with more around it. */
export const NEAR_SHARE = 0.4;
export const WIDE_SHARE = 0.2;

/** Which judge of a fused sight looks into which crops, in the order of the learned numbers: the share that the face takes, and the side of the crop, px, where the network leaves that free. */
export const CROPS: readonly (Pick<CropLook, 'sidePx'> & {
  readonly judge: 'first' | 'second' | 'third';
  readonly share: number;
})[] = [
  { judge: 'first', share: NEAR_SHARE },
  { judge: 'first', share: WIDE_SHARE },
  { judge: 'second', share: 0.2 },
  { judge: 'third', share: 0.25, sidePx: 160 },
  { judge: 'third', share: 0.12, sidePx: 288 },
];

const MIN_CONFIDENCE = 0.02;
/** What the judge finds is the same face where it overlaps so (IoU). */
const SAME_FACE_IOU = 0.3;
const MIN_CROP_PX = 8;

/**
 * Looks at crops in which the face takes the given shares: these networks were trained on whole pictures, not on cut-out faces, and
 * two looks with more and less around the face make different mistakes.
 */
export async function lookIntoCrops(
  judge: FaceNet,
  picture: BgrPicture,
  { box, shares, sidePx }: CropLook,
): Promise<CropReading> {
  const logits: number[] = [];
  let faceConfidence = 0;
  for (const share of shares) {
    let best:
      | { readonly weight: number; readonly maskLogit: number; readonly confidence: number }
      | undefined;
    const found = await judge.find(picture, {
      minConfidence: MIN_CONFIDENCE,
      region: computeCrop(box, share),
      ...(sidePx === undefined ? {} : { sidePx }),
    });
    for (const { box: other, confidence, maskLogit } of found) {
      const iou = computeIou(other, box);
      const weight = iou * confidence;
      if (maskLogit === undefined || iou < SAME_FACE_IOU || weight <= (best?.weight ?? 0)) continue;
      best = { weight, maskLogit, confidence };
    }
    if (best === undefined) continue;
    logits.push(best.maskLogit);
    faceConfidence = Math.max(faceConfidence, best.confidence);
  }
  if (logits.length === 0) return { faceConfidence };
  return { maskLogit: logits.reduce((sum, logit) => sum + logit, 0) / logits.length, faceConfidence };
}

function computeCrop([x1, y1, x2, y2]: Box, share: number): PictureRegion {
  const side = Math.max(MIN_CROP_PX, Math.round(Math.max(x2 - x1, y2 - y1) / share));
  return {
    x: Math.round((x1 + x2 - side) / 2),
    y: Math.round((y1 + y2 - side) / 2),
    width: side,
    height: side,
  };
}
