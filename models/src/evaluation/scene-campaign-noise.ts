import type { RoadUserLabel } from '@ngatu/contract';
import { type Detector, MIN_RIDE_HEIGHT_PX, type OccupantNet, type OccupantShares } from '@ngatu/edge';
import {
  type FalseBoxes,
  NOISE_GROUPS,
  type NoiseBin,
  type NoiseCorrelation,
  type NoiseGroup,
  type NoiseProfile,
} from '@ngatu/simulators';
import { evaluateOccupants } from './occupant-evaluation.ts';
import { type AnnotatedClips, detectAnnotatedClips } from './scene-campaign-noise-clips.ts';
import {
  ANALYSIS_WIDTH_PX,
  detectFolder,
  type Finding,
  type LabelledFolder,
  type LabelledPicture,
} from './scene-campaign-noise-data.ts';
import { isVehicle, listFalseBoxes, type NoiseSample, sampleNoise } from './scene-campaign-noise-match.ts';
import {
  type CorrelationClip,
  computeSpread,
  correlateFollowed,
  type FollowedClip,
  measureCorrelation,
} from './scene-campaign-noise-time.ts';

/** Upper ends of the bins of box height in the picture that the detector sees, px; the last one is open. */
const HEIGHT_BINS_PX = [16, 24, 36, 56, 90];
/** A bin with fewer boxes tells nothing and is joined with the next smaller one. */
const MIN_BIN_CASES = 25;
/** Of the edges fewer are enough: only what was found has any. */
const QUANTILES = 21;
/** So many sights stand for all that were counted. */
const RIDER_QUANTILES = 41;
const VISIBLE_BINS = [0.4, 0.7, 0.9];

export interface NoiseOptions {
  readonly folders: readonly LabelledFolder[];
  /** The sets label nobody on foot: clips must tell of them. */
  readonly walks: AnnotatedClips;
  readonly clips: readonly CorrelationClip[];
  /** What counts who rides on two-wheelers, and annotations to hold it against; absent: nothing counts. */
  readonly riders?: {
    readonly dataDir: string;
    readonly mediaDir: string;
    readonly net: Pick<OccupantNet, 'count' | 'model'>;
  };
  readonly detector: Detector;
  readonly minConfidence: number;
  readonly measuredAt: string;
  readonly onProgress?: (text: string) => void;
}

/**
 * Measures the noise of a detector on real pictures with truth, and how it hangs together in time on real clips.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID, VIDEO_UNREADABLE, MODEL_INVALID
 */
export async function measureNoise(options: NoiseOptions, signal: AbortSignal): Promise<NoiseProfile> {
  const samples: NoiseSample[] = [];
  const complete: LabelledPicture[] = [];
  const streets: LabelledPicture[] = [];
  const data: NoiseProfile['data'][number][] = [];
  for (const folder of options.folders) {
    options.onProgress?.(`measuring on ${folder.name}`);
    let [pictures, boxes] = [0, 0];
    for await (const picture of detectFolder(folder, options.detector, signal)) {
      pictures += 1;
      boxes += picture.truth.length;
      samples.push(...sampleNoise(picture));
      if (folder.isComplete) complete.push(picture);
    }
    data.push({ name: folder.name, pictures, boxes });
  }
  const followed: FollowedClip[] = [];
  options.onProgress?.('measuring people on foot');
  for await (const clip of detectAnnotatedClips(options.walks, options.detector, signal)) {
    const pictures = clip.pictures.map((picture) =>
      sampleNoise(picture).filter(({ group }) => group === 'pedestrian'),
    );
    samples.push(...pictures.flat());
    streets.push(...clip.pictures);
    followed.push({ fps: clip.fps, pictures });
    data.push({ name: clip.name, pictures: pictures.length, boxes: pictures.flat().length });
  }
  const riderCounts = await measureRiders(options, signal);
  const time = await measureCorrelation(options.clips, options.detector, options.onProgress, signal);
  return {
    schemaVersion: 1,
    measuredAt: options.measuredAt,
    model: options.detector.model,
    twoWheelersWithRiders: samples.some(({ holdsRiders }) => holdsRiders === true),
    minConfidence: options.minConfidence,
    data,
    groups: {
      heavy: summarizeGroup(samples, 'heavy'),
      bike: summarizeGroup(samples, 'bike'),
      rider: summarizeGroup(samples, 'rider'),
      pedestrian: summarizeGroup(samples, 'pedestrian'),
    },
    occlusion: summarizeOcclusion(samples),
    labels: summarizeLabels(samples),
    duplicates: summarizeDuplicates(samples),
    falseBoxes: summarizeFalseBoxes(complete, 'vehicles'),
    falsePeople: summarizeFalseBoxes(streets, 'people'),
    bikeWithRider: correlateBikeWithRider(samples),
    correlation: {
      confidence: time.confidence,
      pedestrians: correlateFollowed(followed),
      edges: addPersistent(samples, time),
    },
    correlationData: time.correlationData,
    ...(riderCounts === undefined ? {} : { riderCounts }),
  };
}

/** What the network says of motorbikes whose riders were counted by eye. */
async function measureRiders(
  { riders, detector, onProgress }: NoiseOptions,
  signal: AbortSignal,
): Promise<NoiseProfile['riderCounts']> {
  if (riders === undefined) return undefined;
  onProgress?.('measuring who rides on two-wheelers');
  const { predictions } = await evaluateOccupants(
    { ...riders, detector, maxWidth: ANALYSIS_WIDTH_PX },
    signal,
  );
  const expect = (shares: OccupantShares): number => shares.reduce((sum, share, n) => sum + n * share, 0);
  const sights = ([1, 2, 3] as const).map((count) => {
    const found = predictions
      .filter(({ truth }) => Math.min(3, truth) === count)
      .flatMap(({ shares }) => (shares === undefined ? [] : [shares]))
      .sort((a, b) => expect(a) - expect(b));
    const shares = Array.from({ length: found.length === 0 ? 0 : RIDER_QUANTILES }, (_, i) => {
      const at = Math.round((i / (RIDER_QUANTILES - 1)) * (found.length - 1));
      const [nobody, one, two, more] = (found[at] ?? [0, 0, 0, 0]).map(round) as [
        number,
        number,
        number,
        number,
      ];
      return [nobody, one, two, more] as const;
    });
    return { riders: count, cases: found.length, shares };
  });
  return { model: riders.net.model, leastHeightPx: MIN_RIDE_HEIGHT_PX, sights };
}

/**
 * What of the error of the lower edge does not shake stays with the road user. The labels' own error is part of that: the persistent
 * share is an upper bound.
 */
function addPersistent(
  samples: readonly NoiseSample[],
  { edges, edgeDeviation }: { edges: NoiseCorrelation; edgeDeviation: number },
): NoiseCorrelation {
  const free = samples.filter((sample) => isVehicle(sample) && sample.visibleShare >= 0.9);
  const whole = computeSpread(free.flatMap(({ errors }) => (errors === undefined ? [] : [errors.bottom])));
  const shaking = whole <= 0 ? 1 : Math.min(1, (edgeDeviation / whole) ** 2);
  return {
    persistent: Math.round((1 - shaking) * 100) / 100,
    slow: Math.round((edges.slow + edges.persistent) * shaking * 100) / 100,
    slowMs: edges.slowMs,
  };
}

/** Only what is in full sight: what is covered has its own shift. */
function summarizeGroup(all: readonly NoiseSample[], group: NoiseGroup): NoiseBin[] {
  const samples = all.filter((sample) => sample.group === group && sample.visibleShare >= 0.9);
  const bins: NoiseBin[] = [];
  let pending: NoiseSample[] = [];
  for (const [index, belowPx] of [...HEIGHT_BINS_PX, undefined].entries()) {
    const from = HEIGHT_BINS_PX[index - 1] ?? 0;
    pending.push(
      ...samples.filter(({ heightPx }) => heightPx >= from && (belowPx === undefined || heightPx < belowPx)),
    );
    const isLast = belowPx === undefined;
    if (pending.length < MIN_BIN_CASES && !isLast) continue;
    if (pending.length < MIN_BIN_CASES) {
      // too few large ones: the bin before them is the last
      const before = bins.pop();
      if (before !== undefined) {
        const { belowPx: _, ...open } = before;
        bins.push(open);
      }
      break;
    }
    bins.push({ ...(isLast ? {} : { belowPx }), ...summarizeBin(pending, samples) });
    pending = [];
  }
  return bins;
}

function summarizeBin(
  samples: readonly NoiseSample[],
  all: readonly NoiseSample[],
): Omit<NoiseBin, 'belowPx'> {
  const found = samples.flatMap(({ errors }) => errors ?? []);
  // where hardly anything was found the errors of all sizes serve
  const errors = found.length >= 12 ? found : all.flatMap(({ errors }) => errors ?? []);
  return {
    cases: samples.length,
    confidence: computeQuantiles(samples.map(({ confidence }) => confidence)),
    left: computeQuantiles(errors.map(({ left }) => left)),
    top: computeQuantiles(errors.map(({ top }) => top)),
    right: computeQuantiles(errors.map(({ right }) => right)),
    bottom: computeQuantiles(errors.map(({ bottom }) => bottom)),
  };
}

function computeQuantiles(values: readonly number[], count = QUANTILES): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return Array.from({ length: count }, (_, i) => {
    const at = (i / (count - 1)) * (sorted.length - 1);
    const [low = 0, high = 0] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
    return round(low + (at - Math.floor(at)) * (high - low));
  });
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

/**
 * The share that was found at all of what is covered so far, over that in full sight, as a shift of a normal variable. Where too few are so much
 * covered, those serve that are covered less: cover helps nobody.
 */
function summarizeOcclusion(samples: readonly NoiseSample[]): NoiseProfile['occlusion'] {
  const less: Record<NoiseGroup, number> = { heavy: 0, bike: 0, rider: 0, pedestrian: 0 };
  const bins = VISIBLE_BINS.map((visibleBelow, index) => ({
    visibleBelow,
    from: VISIBLE_BINS[index - 1] ?? 0,
  }));
  const shifted = bins.reverse().map(({ visibleBelow, from }) => {
    for (const group of NOISE_GROUPS)
      less[group] = shiftOf(samples, group, from, visibleBelow) ?? less[group];
    return { visibleBelow, shift: { ...less } };
  });
  return shifted.reverse();
}

/** Compared within each bin of height, so that size is not taken for cover. */
function shiftOf(
  samples: readonly NoiseSample[],
  group: NoiseGroup,
  from: number,
  below: number,
): number | undefined {
  let [weight, sum] = [0, 0];
  for (const [index, belowPx] of [...HEIGHT_BINS_PX, Number.POSITIVE_INFINITY].entries()) {
    const fromPx = HEIGHT_BINS_PX[index - 1] ?? 0;
    const inBin = samples.filter((s) => s.group === group && s.heightPx >= fromPx && s.heightPx < belowPx);
    const covered = inBin.filter((s) => s.visibleShare >= from && s.visibleShare < below);
    const free = inBin.filter((s) => s.visibleShare >= 0.9);
    if (covered.length < 8 || free.length < 8) continue;
    const difference = toNormal(hitShare(covered)) - toNormal(hitShare(free));
    sum += covered.length * difference;
    weight += covered.length;
  }
  return weight === 0 ? undefined : round(Math.min(0, sum / weight));
}

/** With half a case added on both sides (Haldane), so that none and all have a finite shift. */
function hitShare(samples: readonly NoiseSample[]): number {
  return (samples.filter(({ confidence }) => confidence > 0).length + 0.5) / (samples.length + 1);
}

/** Inverse of the normal distribution (P. J. Acklam's central and tail fits are not needed: bisection). */
function toNormal(share: number): number {
  let [low, high] = [-6, 6];
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Abramowitz & Stegun 26.2.17; error below 7.5e-8. */
function normalShare(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const tail =
    (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return z >= 0 ? 1 - tail : tail;
}

function summarizeLabels(samples: readonly NoiseSample[]): NoiseProfile['labels'] {
  const counts = new Map<RoadUserLabel, Map<RoadUserLabel, number>>();
  for (const { label, foundAs } of samples.filter(isVehicle)) {
    if (foundAs === undefined) continue;
    const truth: RoadUserLabel = label === 'both' || label === 'rider' ? 'motorbike' : label;
    const row = counts.get(truth) ?? new Map<RoadUserLabel, number>();
    row.set(foundAs, (row.get(foundAs) ?? 0) + 1);
    counts.set(truth, row);
  }
  return Object.fromEntries([...counts].map(([label, row]) => [label, toShares(row)]));
}

function toShares(row: ReadonlyMap<RoadUserLabel, number>): Partial<Record<RoadUserLabel, number>> {
  const total = [...row.values()].reduce((sum, count) => sum + count, 0);
  return Object.fromEntries([...row].map(([label, count]) => [label, round(count / total)]));
}

function summarizeDuplicates(samples: readonly NoiseSample[]): NoiseProfile['duplicates'] {
  const found = samples.filter((sample) => sample.confidence > 0 && isVehicle(sample));
  const twice = found.flatMap(({ duplicate }) => (duplicate === undefined ? [] : [duplicate]));
  return {
    share: found.length === 0 ? 0 : round(twice.length / found.length),
    confidence: twice.length === 0 ? [] : computeQuantiles(twice, 11),
  };
}

function summarizeFalseBoxes(pictures: readonly LabelledPicture[], what: 'vehicles' | 'people'): FalseBoxes {
  const found = pictures.flatMap((picture) =>
    listFalseBoxes(picture, what).map((finding) => ({ finding, height: picture.height })),
  );
  const quantiles = (measure: (finding: Finding, pictureHeight: number) => number): number[] =>
    found.length === 0
      ? []
      : computeQuantiles(
          found.map(({ finding, height }) => measure(finding, height)),
          11,
        );
  const labels = new Map<RoadUserLabel, number>();
  for (const { finding } of found) labels.set(finding.label, (labels.get(finding.label) ?? 0) + 1);
  return {
    perPicture: pictures.length === 0 ? 0 : round(found.length / pictures.length),
    confidence: quantiles(({ confidence }) => confidence),
    bottom: quantiles(({ box }, pictureHeight) => box[3] / pictureHeight),
    height: quantiles(({ box }, pictureHeight) => (box[3] - box[1]) / pictureHeight),
    aspect: quantiles(({ box }) => (box[2] - box[0]) / Math.max(1, box[3] - box[1])),
    labels: toShares(labels),
  };
}

/** Phi coefficient of both being found, within the bins of height. */
function correlateBikeWithRider(samples: readonly NoiseSample[]): number {
  const both = samples.filter(({ label }) => label === 'both');
  const bikes = both.filter(({ group }) => group === 'bike');
  const riders = both.filter(({ group }) => group === 'rider');
  let [sum, weight] = [0, 0];
  for (const [index, belowPx] of [...HEIGHT_BINS_PX, Number.POSITIVE_INFINITY].entries()) {
    const fromPx = HEIGHT_BINS_PX[index - 1] ?? 0;
    // the samples of a picture stand in the order of its truth, for bikes and riders alike
    const pairs = bikes.flatMap((bike, at) => {
      const rider = riders[at];
      if (rider === undefined || bike.heightPx < fromPx || bike.heightPx >= belowPx) return [];
      return [[bike.confidence > 0 ? 1 : 0, rider.confidence > 0 ? 1 : 0] as const];
    });
    if (pairs.length < MIN_BIN_CASES) continue;
    const a = pairs.reduce((total, [bike]) => total + bike, 0) / pairs.length;
    const b = pairs.reduce((total, [, rider]) => total + rider, 0) / pairs.length;
    const ab = pairs.reduce((total, [bike, rider]) => total + bike * rider, 0) / pairs.length;
    const spread = Math.sqrt(a * (1 - a) * b * (1 - b));
    if (spread < 1e-6) continue;
    sum += (pairs.length * (ab - a * b)) / spread;
    weight += pairs.length;
  }
  return weight === 0 ? 0 : round(sum / weight);
}
