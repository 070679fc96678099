import { computeIou, computeShareInside } from '@ngatu/edge';
import { NOISE_GROUPS, type NoiseGroup } from '@ngatu/simulators';
import {
  type Box,
  type Finding,
  GROUP_LABELS,
  type LabelledPicture,
  type TruthBox,
} from './scene-campaign-noise-data.ts';
import { isAtPlace } from './unlabelled-objects.ts';

/** What the detector made of one labelled box: a finding with the errors of its edges, or nothing. */
export interface NoiseSample {
  readonly group: NoiseGroup;
  readonly label: TruthBox['label'];
  /** Of the truth, where it was followed. */
  readonly trackId?: number;
  readonly heightPx: number;
  readonly visibleShare: number;
  /** 0 where it was missed. */
  readonly confidence: number;
  /** Edge errors over the height of the truth; absent where it was missed. */
  readonly errors?: {
    readonly left: number;
    readonly top: number;
    readonly right: number;
    readonly bottom: number;
  };
  readonly foundAs?: Finding['label'];
  /** It was found as a two-wheeler with its riders. */
  readonly holdsRiders?: true;
  /** Confidence of a second finding of the same. */
  readonly duplicate?: number;
}

/** Least overlap (IoU) of a closed vehicle and its finding. */
const MIN_IOU = 0.4;
/** A bike and its rider lie inside the labelled box of both by this share of their own area … */
const MIN_INSIDE = 0.7;
/** … and are at least this wide and high, as shares of it. */
const MIN_PART = 0.35;
/** A box whose edge lies this near to the picture's edge is not whole and tells nothing of its edges, px. */
const EDGE_PX = 3;
/** Boxes lower than this are not looked for, px. */
const MIN_HEIGHT_PX = 8;

/** Compares the findings of one picture with its truth. */
export function sampleNoise(picture: LabelledPicture): NoiseSample[] {
  const whole = picture.truth.filter((truth) => isWhole(truth, picture));
  return NOISE_GROUPS.flatMap((group) => {
    const truths = whole.filter(({ label }) => fitsGroup(label, group));
    const findings = picture.findings.filter(({ label }) => GROUP_LABELS[group].includes(label));
    return sampleGroup(group, truths, findings, picture.truth);
  });
}

/** Findings of vehicles, or of people, that lie on no labelled box, and on no object that the labeller left out. */
export function listFalseBoxes(picture: LabelledPicture, what: 'vehicles' | 'people'): readonly Finding[] {
  return picture.findings.filter(
    ({ label, box }) =>
      (label === 'person') === (what === 'people') &&
      !picture.truth.some(
        (truth) => computeIou(truth.box, box) >= 0.2 || computeShareInside(box, truth.box) >= 0.5,
      ) &&
      !isAtPlace(box, picture.leftOut),
  );
}

/** Not a person, be it on a two-wheeler or on foot. */
export function isVehicle({ group }: Pick<NoiseSample, 'group'>): boolean {
  return group === 'heavy' || group === 'bike';
}

function fitsGroup(label: TruthBox['label'], group: NoiseGroup): boolean {
  if (label === 'both') return group === 'bike' || group === 'rider';
  if (label === 'rider') return group === 'rider';
  if (group === 'rider') return false;
  return GROUP_LABELS[group].includes(label);
}

function isWhole({ box }: TruthBox, { width, height }: LabelledPicture): boolean {
  const [x1, y1, x2, y2] = box;
  if (y2 - y1 < MIN_HEIGHT_PX) return false;
  return x1 > EDGE_PX && y1 > EDGE_PX && x2 < width - EDGE_PX && y2 < height - EDGE_PX;
}

function sampleGroup(
  group: NoiseGroup,
  truths: readonly TruthBox[],
  findings: readonly Finding[],
  all: readonly TruthBox[],
): NoiseSample[] {
  const pairs = truths
    .flatMap((truth) =>
      findings.map((finding) => ({ truth, finding, fit: computeFit(group, truth, finding.box) })),
    )
    .filter(({ fit }) => fit > 0)
    .sort((a, b) => b.fit - a.fit);
  const found = new Map<TruthBox, Finding>();
  const taken = new Set<Finding>();
  for (const { truth, finding } of pairs) {
    if (found.has(truth) || taken.has(finding)) continue;
    found.set(truth, finding);
    taken.add(finding);
  }
  return truths.map((truth) => {
    const finding = found.get(truth);
    const heightPx = truth.box[3] - truth.box[1];
    const { label, trackId } = truth;
    const followed = trackId === undefined ? {} : { trackId };
    const base = { group, label, ...followed, heightPx, visibleShare: estimateVisible(truth, all) };
    if (finding === undefined) return { ...base, confidence: 0 };
    const second = pairs.find((pair) => pair.truth === truth && !taken.has(pair.finding))?.finding;
    return {
      ...base,
      confidence: finding.confidence,
      errors: computeErrors(truth.box, finding.box),
      foundAs: finding.label,
      ...(finding.holdsRiders === true ? { holdsRiders: true } : {}),
      ...(second === undefined || !isVehicle({ group }) ? {} : { duplicate: second.confidence }),
    };
  });
}

/** 0 where the finding is not of this truth. */
function computeFit(group: NoiseGroup, truth: TruthBox, box: Box): number {
  if (truth.label !== 'both') {
    const iou = computeIou(truth.box, box);
    return iou >= MIN_IOU ? iou : 0;
  }
  const inside = computeShareInside(box, truth.box);
  const [width, height] = [truth.box[2] - truth.box[0], truth.box[3] - truth.box[1]];
  if (inside < MIN_INSIDE || box[2] - box[0] < MIN_PART * width || box[3] - box[1] < MIN_PART * height)
    return 0;
  // the bike stands on the lower edge, the rider's head is at the upper one
  const gap = group === 'bike' ? truth.box[3] - box[3] : box[1] - truth.box[1];
  return Math.max(0, inside - Math.abs(gap) / height);
}

function computeErrors(truth: Box, box: Box): NonNullable<NoiseSample['errors']> {
  const height = truth[3] - truth[1];
  return {
    left: (box[0] - truth[0]) / height,
    top: (box[1] - truth[1]) / height,
    right: (box[2] - truth[2]) / height,
    bottom: (box[3] - truth[3]) / height,
  };
}

/** Share that no box which ends lower (and so stands nearer) covers; by 8 × 8 samples. */
function estimateVisible(truth: TruthBox, all: readonly TruthBox[]): number {
  const [x1, y1, x2, y2] = truth.box;
  const nearer = all.filter(({ box }) => box !== truth.box && box[3] > y2 + 0.02 * (y2 - y1));
  let seen = 0;
  for (let i = 0; i < 64; i++) {
    const x = x1 + (((i % 8) + 0.5) / 8) * (x2 - x1);
    const y = y1 + ((Math.floor(i / 8) + 0.5) / 8) * (y2 - y1);
    if (!nearer.some(({ box }) => x > box[0] && x < box[2] && y > box[1] && y < box[3])) seen += 1;
  }
  return seen / 64;
}
