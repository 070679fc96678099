import type { FaceFinding } from './face-decoder.ts';
import {
  describeFace,
  type FaceJudgement,
  FUSION,
  type FusionCoefficients,
  fuseFeatures,
} from './face-fusion.ts';
import { type JoinedFinding, joinFindings } from './face-join.ts';
import { CROPS, type CropReading, lookIntoCrops, NEAR_SHARE, WIDE_SHARE } from './face-judge.ts';
import type { FaceNet } from './face-net.ts';
import type { BgrPicture } from './face-picture.ts';

/** Finds faces in a picture, and tells of each whether it wears a mask. One call at a time. */
export interface FaceSight {
  /** Names and beginnings of the digests of its networks. */
  readonly label: string;
  /** Findings from this confidence on are worth judging, 0–1. */
  readonly candidateConfidence: number;
  /** Findings from this confidence on are faces even before they are judged, 0–1: a track begins with one. */
  readonly sureConfidence: number;
  /** Faces of at least `minConfidence`, the most confident first. Boxes in pixels of the picture. @throws NgatuError MODEL_INVALID */
  find(picture: BgrPicture, minConfidence: number): Promise<FaceFinding[]>;
  /** @throws NgatuError MODEL_INVALID */
  judge(picture: BgrPicture, face: FaceFinding): Promise<FaceJudgement>;
  close(): Promise<void>;
}

/** What is worth judging begins a little earlier for the third finder. */
const THIRD_SHARE = 5 / 6;
/** Of a single network, log-odds nearer to 0 are no verdict: odds of 1.5 to 1. */
const MIN_LOGIT = 0.4;

/** What one network's word is worth. */
function takeWord(maskLogit: number | undefined): FaceJudgement {
  if (maskLogit === undefined) return { faceLogit: 0, verdict: 'uncertain' };
  const side = maskLogit > 0 ? 'with' : 'without';
  return { faceLogit: 0, maskLogit, verdict: Math.abs(maskLogit) < MIN_LOGIT ? 'uncertain' : side };
}

/** One network that finds faces and tells masks at once, or finds faces alone. */
export function openSingleSight(net: FaceNet, threshold: number): FaceSight {
  return {
    label: net.label,
    candidateConfidence: threshold,
    sureConfidence: threshold,
    find: (picture, minConfidence) => net.find(picture, { minConfidence }),
    judge: (_, { maskLogit }) => Promise.resolve(takeWord(maskLogit)),
    close: () => net.close(),
  };
}

/** One network finds, another one judges in crops what was found; its word stands as it is. */
export function openPairedSight(finder: FaceNet, judge: FaceNet, threshold: number): FaceSight {
  return {
    label: `${finder.label} + ${judge.label}`,
    candidateConfidence: threshold,
    sureConfidence: threshold,
    find: (picture, minConfidence) => finder.find(picture, { minConfidence }),
    judge: async (picture, { box }) => {
      const shares = [NEAR_SHARE, WIDE_SHARE];
      return takeWord((await lookIntoCrops(judge, picture, { box, shares })).maskLogit);
    },
    close: () => closeAll([finder, judge]),
  };
}

export interface FusedNets {
  readonly finder: FaceNet;
  /** Finds too. */
  readonly first: FaceNet;
  readonly second: FaceNet;
  /** Finds too; takes pictures of any size. */
  readonly third: FaceNet;
}

/** Whether a finding came from this sight. */
function isJoined(face: FaceFinding): face is JoinedFinding {
  return 'readings' in face;
}

/**
 * Three networks find in the whole picture, one that knows faces and two that also know masks; these two and another one judge in
 * crops what was found, and learned coefficients join all that was said.
 */
export function openFusedSight(
  nets: FusedNets,
  confidences: Pick<FaceSight, 'candidateConfidence' | 'sureConfidence'>,
  coefficients: FusionCoefficients = FUSION,
): FaceSight {
  const { finder, first, second, third } = nets;
  const all = [finder, first, second, third];
  return {
    label: all.map(({ label }) => label).join(' + '),
    ...confidences,
    find: async (picture, minConfidence) => {
      const faces = await finder.find(picture, { minConfidence });
      const others = await first.find(picture, { minConfidence });
      const own = await third.find(picture, { minConfidence: minConfidence * THIRD_SHARE });
      return joinFindings([faces, others, own]);
    },
    judge: async (picture, face) => {
      const joined = isJoined(face) ? face : { ...face, meanBox: face.box, readings: [face] };
      const { meanBox: box, readings: finders } = joined;
      const crops: CropReading[] = [];
      for (const { judge, share, ...size } of CROPS)
        crops.push(await lookIntoCrops(nets[judge], picture, { box, shares: [share], ...size }));
      return { ...fuseFeatures(describeFace(box, { finders, crops }), coefficients), box };
    },
    close: () => closeAll(all),
  };
}

async function closeAll(nets: readonly FaceNet[]): Promise<void> {
  await Promise.all(nets.map((net) => net.close()));
}
