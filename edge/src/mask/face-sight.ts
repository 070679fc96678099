import type { FaceFinding } from './face-decoder.ts';
import { type FaceJudgement, FUSION, type FusionCoefficients, fuseReadings } from './face-fusion.ts';
import { lookIntoCrops } from './face-judge.ts';
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

/** Shares of its crop that a face takes: of AIZOO's network, and of RFB's. */
const FIRST_SHARES = [0.4, 0.2] as const;
const SECOND_SHARES = [0.2] as const;

/** One network that finds faces and tells masks at once, or finds faces alone. */
export function openSingleSight(net: FaceNet, threshold: number): FaceSight {
  return {
    label: net.label,
    candidateConfidence: threshold,
    sureConfidence: threshold,
    find: (picture, minConfidence) => net.find(picture, { minConfidence }),
    judge: (_, { maskLogit }) =>
      Promise.resolve({ faceLogit: 0, ...(maskLogit === undefined ? {} : { maskLogit }) }),
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
      const { maskLogit } = await lookIntoCrops(judge, picture, { box, shares: FIRST_SHARES });
      return { faceLogit: 0, ...(maskLogit === undefined ? {} : { maskLogit }) };
    },
    close: () => closeAll([finder, judge]),
  };
}

export interface FusedNets {
  readonly finder: FaceNet;
  readonly first: FaceNet;
  readonly second: FaceNet;
}

/** One network finds, two judge in crops, and learned coefficients join what the three say. */
export function openFusedSight(
  { finder, first, second }: FusedNets,
  confidences: Pick<FaceSight, 'candidateConfidence' | 'sureConfidence'>,
  coefficients: FusionCoefficients = FUSION,
): FaceSight {
  return {
    label: `${finder.label} + ${first.label} + ${second.label}`,
    ...confidences,
    find: (picture, minConfidence) => finder.find(picture, { minConfidence }),
    judge: async (picture, face) => {
      const { box } = face;
      const readings = {
        first: await lookIntoCrops(first, picture, { box, shares: FIRST_SHARES }),
        second: await lookIntoCrops(second, picture, { box, shares: SECOND_SHARES }),
      };
      return fuseReadings(face, readings, coefficients);
    },
    close: () => closeAll([finder, first, second]),
  };
}

async function closeAll(nets: readonly FaceNet[]): Promise<void> {
  await Promise.all(nets.map((net) => net.close()));
}
