import { isTwoWheeler, type RoadUserLabel } from '@ngatu/contract';
import type { PictureBox } from './ground-camera.ts';
import { computeNormalShare, NoiseProcess, readQuantile } from './noise-process.ts';
import type { FalseBoxes, NoiseBin, NoiseGroup, NoiseProfile, RiderShares } from './noise-profile.ts';
import { SceneRandom } from './scene-random.ts';
import type { FrameTruth, UserTruth } from './scene-world.ts';

/** What a detector says. Box xyxy in source pixels. */
export interface SimulatedDetection {
  readonly label: RoadUserLabel;
  readonly confidence: number;
  readonly box: PictureBox;
  /** The box of a two-wheeler has its riders in it. */
  readonly holdsRiders?: true;
  /** How many are believed to ride on it; absent where nobody counted. */
  readonly riders?: RiderShares;
}

/** The detector looks at pictures of this width at most, px. */
const ANALYSIS_WIDTH_PX = 960;
/** What shows less than this of itself is never found, share. */
const LEAST_VISIBLE = 0.12;
/** Of the product's detectors: boxes of a label that overlap by more are one. */
const MAX_IOU = 0.45;
/** As many places where something is taken for a road user again and again, per false box a picture. */
const FALSE_PLACES_PER_BOX = 4;

/** One thing to be found: a vehicle, a pedestrian, or a rider on a two-wheeler. */
class NoisyTarget {
  readonly quality: NoiseProcess;
  readonly left: NoiseProcess;
  readonly top: NoiseProcess;
  readonly right: NoiseProcess;
  readonly bottom: NoiseProcess;
  readonly label: NoiseProcess;
  readonly twice: NoiseProcess;

  constructor(random: SceneRandom, { correlation }: NoiseProfile, group: NoiseGroup) {
    const make = (kind: keyof NoiseProfile['correlation']): NoiseProcess =>
      new NoiseProcess(random.fork(), correlation[kind]);
    this.quality = make(group === 'pedestrian' ? 'pedestrians' : 'confidence');
    this.left = make('edges');
    this.top = make('edges');
    this.right = make('edges');
    this.bottom = make('edges');
    this.label = make('confidence');
    this.twice = make('confidence');
  }
}

interface FalsePlace {
  readonly box: PictureBox;
  readonly label: RoadUserLabel;
  /** Of the confidence. */
  readonly quantiles: readonly number[];
  readonly presence: NoiseProcess;
  readonly confidence: NoiseProcess;
}

/** A detector without noise: whatever shows a part of itself is found, with the box of what is in sight; a two-wheeler with its riders. */
export function detectPerfectly(frame: FrameTruth): SimulatedDetection[] {
  const found = frame.users.flatMap((user): SimulatedDetection[] => {
    const isTwo = isTwoWheeler(user.label);
    const ridden = isTwo ? { holdsRiders: true as const, riders: countPerfectly(user) } : {};
    const parts: Omit<SimulatedDetection, 'confidence'>[] = [
      { label: user.label, box: isTwo ? user.box : user.vehicleBox, ...ridden },
      ...user.riderBoxes.map((box) => ({ label: 'person' as const, box })),
    ];
    return parts.flatMap((part) => {
      const sight = cutToSight(part.box, user);
      if (sight === undefined || user.visibleShare < LEAST_VISIBLE) return [];
      return [{ ...part, confidence: 0.9, box: sight }];
    });
  });
  return suppressOverlaps(found);
}

function countPerfectly({ riderBoxes }: UserTruth): RiderShares {
  const count = Math.min(3, riderBoxes.length);
  return [count === 0 ? 1 : 0, count === 1 ? 1 : 0, count === 2 ? 1 : 0, count === 3 ? 1 : 0];
}

/**
 * Turns truth into detections with the measured noise of a real detector: misses by size and cover, confidence, edge errors, swapped
 * labels, second findings and false boxes, each hanging together in time. The same seed gives the same detections.
 */
export class SimulatedDetector {
  readonly #profile: NoiseProfile;
  readonly #random: SceneRandom;
  readonly #picture: { readonly width: number; readonly height: number };
  readonly #targets = new Map<string, NoisyTarget>();
  readonly #falsePlaces: readonly FalsePlace[];
  readonly #beliefs = new Map<number, NoiseProcess>();
  readonly #seed: number;
  /** Pixels that the detector sees per pixel of the source. */
  readonly #scale: number;

  constructor(
    profile: NoiseProfile,
    options: { seed: number; picture: { readonly width: number; readonly height: number } },
  ) {
    this.#profile = profile;
    this.#random = new SceneRandom(options.seed);
    this.#picture = options.picture;
    this.#seed = options.seed;
    this.#scale = Math.min(1, ANALYSIS_WIDTH_PX / options.picture.width);
    this.#falsePlaces = [
      ...this.#drawFalsePlaces(profile.falseBoxes, this.#random.fork()),
      // a source of its own: who is seen where nobody is changes nothing in what is found
      ...this.#drawFalsePlaces(profile.falsePeople, new SceneRandom(options.seed * 8_191 - 1)),
    ];
  }

  /** The detections of the next frame, most confident first; frames must come in order. */
  detect(frame: FrameTruth): SimulatedDetection[] {
    const found = frame.users.flatMap((user) => this.#detectUser(user, frame.atMs));
    found.push(...this.#detectNothing(frame.atMs));
    return suppressOverlaps(found.sort((a, b) => b.confidence - a.confidence));
  }

  #detectUser(user: UserTruth, atMs: number): SimulatedDetection[] {
    const { label, vehicleBox, riderBoxes, userId } = user;
    const key = `${userId}`;
    if (label === 'person')
      return this.#detectPart(user, { key, group: 'pedestrian', box: vehicleBox, atMs });
    if (!isTwoWheeler(label)) return this.#detectPart(user, { key, group: 'heavy', box: vehicleBox, atMs });
    const bike = this.#target(key, 'bike').quality.next(atMs);
    const riders = this.#countRiders(user, atMs);
    const isWhole = this.#profile.twoWheelersWithRiders;
    const ridden = {
      ...(isWhole ? { holdsRiders: true as const } : {}),
      ...(riders === undefined ? {} : { riders }),
    };
    const box = isWhole ? user.box : vehicleBox;
    return [
      ...this.#detectPart(user, { key, group: 'bike', box, atMs, quality: bike }).map((detection) => ({
        ...detection,
        ...ridden,
      })),
      ...riderBoxes.flatMap((box, seat) =>
        this.#detectPart(user, { key: `${key}/${seat}`, group: 'rider', box, atMs, withBike: bike }),
      ),
    ];
  }

  /** Hangs together in time as confidence does: no clip was at hand in which many ride on one motorbike. */
  #countRiders({ userId, riderBoxes, box }: UserTruth, atMs: number): RiderShares | undefined {
    const riders = Math.min(3, riderBoxes.length);
    const counts = this.#profile.riderCounts;
    const sights = counts?.sights.find((one) => one.riders === riders)?.shares;
    if (counts === undefined || sights === undefined || sights.length === 0) return undefined;
    let belief = this.#beliefs.get(userId);
    if (belief === undefined) {
      // a source of its own: what is counted changes nothing in what is found
      const random = new SceneRandom(this.#seed * 8_191 + userId);
      belief = new NoiseProcess(random, this.#profile.correlation.confidence);
      this.#beliefs.set(userId, belief);
    }
    const at = computeNormalShare(belief.next(atMs)) * (sights.length - 1);
    return (box[3] - box[1]) * this.#scale < counts.leastHeightPx ? undefined : sights[Math.round(at)];
  }

  #detectPart(
    user: UserTruth,
    part: {
      readonly key: string;
      readonly group: NoiseGroup;
      readonly box: PictureBox;
      readonly atMs: number;
      readonly quality?: number;
      readonly withBike?: number;
    },
  ): SimulatedDetection[] {
    const { key, group, atMs } = part;
    const { visibleShare } = user;
    const target = this.#target(key, group);
    const bin = this.#binOf(group, user.box);
    let quality = part.quality ?? target.quality.next(atMs);
    if (part.withBike !== undefined) {
      const shared = Math.max(0, this.#profile.bikeWithRider);
      quality = shared * part.withBike + Math.sqrt(1 - shared ** 2) * quality;
    }
    const shaken = this.#shake(part.box, { target, group, bin, heightPx: user.box[3] - user.box[1], atMs });
    const swap = computeNormalShare(target.label.next(atMs));
    const twice = computeNormalShare(target.twice.next(atMs));
    const cover = this.#profile.occlusion.find(({ visibleBelow }) => visibleShare < visibleBelow);
    const share = computeNormalShare(quality + (cover?.shift[group] ?? 0));
    const confidence = readQuantile(bin.confidence, share);
    const sight = cutToSight(shaken, user);
    if (visibleShare < LEAST_VISIBLE || confidence < this.#profile.minConfidence || sight === undefined)
      return [];
    const isPerson = group === 'rider' || group === 'pedestrian';
    const label = isPerson ? 'person' : this.#nameOf(user.label, swap);
    const detection = { label, confidence, box: sight };
    const { share: twiceShare, confidence: secondConfidence } = this.#profile.duplicates;
    if (isPerson || twice > twiceShare) return [detection];
    return [detection, this.#findAgain(detection, readQuantile(secondConfidence, twice / twiceShare))];
  }

  /** The same once more: a closed vehicle under another name, a bike as a part of itself. */
  #findAgain({ label, box }: SimulatedDetection, confidence: number): SimulatedDetection {
    if (label === 'car' || label === 'truck' || label === 'bus')
      return { label: label === 'car' ? 'truck' : 'car', confidence, box };
    const [dx, dy] = [0.17 * (box[2] - box[0]), 0.35 * (box[3] - box[1])];
    return { label, confidence, box: [box[0] + dx, box[1] + dy, box[2] - dx, box[3]] };
  }

  #target(key: string, group: NoiseGroup): NoisyTarget {
    const known = this.#targets.get(key);
    if (known !== undefined) return known;
    const target = new NoisyTarget(this.#random.fork(), this.#profile, group);
    this.#targets.set(key, target);
    return target;
  }

  #binOf(group: NoiseGroup, box: PictureBox): NoiseBin {
    const height = (box[3] - box[1]) * this.#scale;
    const bins = this.#profile.groups[group];
    const bin = bins.find(({ belowPx }) => belowPx === undefined || height < belowPx) ?? bins.at(-1);
    if (bin === undefined) throw new RangeError(`The noise profile has no bin for ${group}`);
    return bin;
  }

  #shake(
    box: PictureBox,
    how: {
      readonly target: NoisyTarget;
      readonly group: NoiseGroup;
      readonly bin: NoiseBin;
      readonly heightPx: number;
      readonly atMs: number;
    },
  ): PictureBox {
    const { target, group, bin, heightPx, atMs } = how;
    const error = (process: NoiseProcess, quantiles: readonly number[], isCentred: boolean): number => {
      const value = readQuantile(quantiles, computeNormalShare(process.next(atMs)));
      return (isCentred ? value - readQuantile(quantiles, 0.5) : value) * heightPx;
    };
    // the labels are drawn around bike and rider together: of a part only what is new tells something where their edges are not the same
    const isBike = group === 'bike' && !this.#profile.twoWheelersWithRiders;
    const isPart = isBike || group === 'rider';
    return [
      box[0] + error(target.left, bin.left, isPart),
      box[1] + error(target.top, bin.top, isBike),
      box[2] + error(target.right, bin.right, isPart),
      box[3] + error(target.bottom, bin.bottom, group === 'rider'),
    ];
  }

  #nameOf(label: RoadUserLabel, share: number): RoadUserLabel {
    const names = this.#profile.labels[label] ?? {};
    let sum = 0;
    for (const [name, part] of Object.entries(names) as [RoadUserLabel, number][]) {
      sum += part;
      if (share < sum) return name;
    }
    return label;
  }

  #drawFalsePlaces(boxes: FalseBoxes, random: SceneRandom): FalsePlace[] {
    const { correlation } = this.#profile;
    const count = Math.round(boxes.perPicture * FALSE_PLACES_PER_BOX);
    const { width, height } = this.#picture;
    return Array.from({ length: count }, () => {
      const h = readQuantile(boxes.height, random.next()) * height;
      const w = h * readQuantile(boxes.aspect, random.next());
      const x = random.between(0, Math.max(1, width - w));
      const y = Math.max(0, readQuantile(boxes.bottom, random.next()) * height - h);
      return {
        box: [x, y, x + w, y + h] as const,
        label: pickShare(boxes.labels, random.next()),
        quantiles: boxes.confidence,
        presence: new NoiseProcess(random.fork(), correlation.confidence),
        confidence: new NoiseProcess(random.fork(), correlation.confidence),
      };
    });
  }

  #detectNothing(atMs: number): SimulatedDetection[] {
    return this.#falsePlaces.flatMap(({ box, label, quantiles, presence, confidence }) => {
      const isThere = computeNormalShare(presence.next(atMs)) < 1 / FALSE_PLACES_PER_BOX;
      const share = computeNormalShare(confidence.next(atMs));
      if (!isThere) return [];
      return [{ label, confidence: readQuantile(quantiles, share), box }];
    });
  }
}

function pickShare(shares: Readonly<Partial<Record<RoadUserLabel, number>>>, share: number): RoadUserLabel {
  let sum = 0;
  for (const [label, part] of Object.entries(shares) as [RoadUserLabel, number][]) {
    sum += part;
    if (share < sum) return label;
  }
  return 'car';
}

/** What non-maximum suppression leaves: of two boxes of a label that overlap by more than `MAX_IOU` the surer one. */
function suppressOverlaps(sorted: readonly SimulatedDetection[]): SimulatedDetection[] {
  const kept: SimulatedDetection[] = [];
  for (const detection of sorted) {
    if (!kept.some(({ label, box }) => label === detection.label && computeIou(box, detection.box) > MAX_IOU))
      kept.push(detection);
  }
  return kept;
}

function computeIou(a: PictureBox, b: PictureBox): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const overlap = width * height;
  return overlap / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - overlap);
}

/** A detector draws its box around what it sees. */
function cutToSight(box: PictureBox, { visibleShare, visibleBox }: UserTruth): PictureBox | undefined {
  if (visibleShare > 0.97) return isReal(box) ? box : undefined;
  if (visibleBox === undefined) return undefined;
  const slack = 0.06 * (box[3] - box[1]);
  const cut: PictureBox = [
    Math.max(box[0], visibleBox[0] - slack),
    Math.max(box[1], visibleBox[1] - slack),
    Math.min(box[2], visibleBox[2] + slack),
    Math.min(box[3], visibleBox[3] + slack),
  ];
  return isReal(cut) ? cut : undefined;
}

function isReal(box: PictureBox): boolean {
  return box[2] - box[0] >= 2 && box[3] - box[1] >= 2;
}
