import { type Detector, fuseRiders, RoadAnalysis } from '@ngatu/edge';
import { decodePictures, type NoiseCorrelation, type NoiseProfile } from '@ngatu/simulators';
import { bareScene } from './bare-scene.ts';
import { type Box, detectPicture } from './scene-campaign-noise-data.ts';
import type { NoiseSample } from './scene-campaign-noise-match.ts';

export interface CorrelationClip {
  readonly name: string;
  readonly file: string;
  /** Pictures a second that are looked at, and for how long, s. */
  readonly fps: number;
  readonly durationS: number;
}

/** How noise hangs together in time, with the spread of the lower edge of what stands, over its height. */
interface TimeNoise {
  readonly confidence: NoiseCorrelation;
  /** About the mean of each track: nothing of it is persistent. */
  readonly edges: NoiseCorrelation;
  readonly edgeDeviation: number;
  readonly correlationData: NoiseProfile['correlationData'];
}

/** What was seen of one track: a place for every picture between its first and its last sight. */
interface Series {
  readonly fps: number;
  /** 0 where it was not found. */
  readonly confidence: number[];
  readonly boxes: (Box | undefined)[];
  label: string;
}

/** A track is long enough to tell of time from so many pictures on. */
const MIN_PICTURES = 20;
/** It stands where its ground point stays within this share of its height. */
const STANDING_HEIGHTS = 0.15;
/** Lags at which the correlation is read, ms. */
const LAGS_MS = [100, 200, 300, 400, 600, 800, 1_000, 1_500, 2_000, 3_000];

/** Measures how confidence and edges of what is followed hang together in time, on clips without truth: a track tells of itself. */
export async function measureCorrelation(
  clips: readonly CorrelationClip[],
  detector: Detector,
  onProgress: ((text: string) => void) | undefined,
  signal: AbortSignal,
): Promise<TimeNoise> {
  const series: Series[] = [];
  const data: { name: string; pictures: number; tracks: number }[] = [];
  for (const clip of clips) {
    onProgress?.(`following ${clip.name}`);
    const found = await followClip(clip, detector, signal);
    series.push(...found.series);
    data.push({ name: clip.name, pictures: found.pictures, tracks: found.series.length });
  }
  const standing = series.filter(isStanding);
  const shaking = standing.map(listShakes);
  return {
    confidence: fitCorrelation(centreByKind(series)),
    edges: fitCorrelation(shaking),
    edgeDeviation: computeSpread(
      shaking.flatMap(({ values }) => values.flatMap((v) => (v === undefined ? [] : [v]))),
    ),
    correlationData: data,
  };
}

/** Confidence about the mean of its class and size, so that a larger road user is not taken for a luckier one. */
function centreByKind(series: readonly Series[]): Process[] {
  return centre(
    series.map(({ fps, label, boxes, confidence }) => {
      const heights = boxes.flatMap((box) => (box === undefined ? [] : [box[3] - box[1]]));
      return { fps, kind: `${label} ${sizeClassOf(average(heights))}`, values: confidence };
    }),
  );
}

/** Half octaves. */
function sizeClassOf(heightPx: number): number {
  return Math.round(2 * Math.log2(Math.max(1, heightPx)));
}

/** About the mean of all values of its kind. */
function centre(processes: readonly (Process & { readonly kind: string })[]): Process[] {
  const byKind = new Map<string, number[]>();
  for (const { kind, values } of processes) {
    const all = byKind.get(kind) ?? [];
    for (const value of values) if (value !== undefined) all.push(value);
    byKind.set(kind, all);
  }
  const means = new Map([...byKind].map(([kind, values]) => [kind, average(values)]));
  return processes.map(({ fps, kind, values }) => {
    const mean = means.get(kind) ?? 0;
    return { fps, values: values.map((value) => (value === undefined ? undefined : value - mean)) };
  });
}

/** How well each one was found in the pictures of a clip, one list of samples a picture; a picture in which it was covered or cut is passed over. */
export interface FollowedClip {
  readonly fps: number;
  readonly pictures: readonly (readonly NoiseSample[])[];
}

/** How the confidence of those who were followed by eye hangs together in time. */
export function correlateFollowed(clips: readonly FollowedClip[]): NoiseCorrelation {
  const processes = clips.flatMap(({ fps, pictures }, clip) => {
    const ids = new Set(pictures.flat().flatMap(({ trackId }) => trackId ?? []));
    return [...ids].map((id) => {
      const own = pictures.map((samples) => samples.find(({ trackId }) => trackId === id));
      const heights = own.flatMap((sample) => (sample === undefined ? [] : [sample.heightPx]));
      const values = own.map((sample) => sample?.confidence);
      return { fps, kind: `${clip} ${sizeClassOf(average(heights))}`, values };
    });
  });
  return fitCorrelation(centre(processes));
}

/** How far the lower edge of what stands lies from its own mean, over its height. */
function listShakes({ fps, boxes }: Series): Process {
  const seen = boxes.flatMap((box) => (box === undefined ? [] : [box]));
  const bottom = average(seen.map((box) => box[3]));
  const height = average(seen.map((box) => box[3] - box[1]));
  return { fps, values: boxes.map((box) => (box === undefined ? undefined : (box[3] - bottom) / height)) };
}

/** Half the distance between the quantiles that lie one standard deviation from the middle of a normal distribution. */
export function computeSpread(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  return (at(0.841) - at(0.159)) / 2;
}

async function followClip(
  clip: CorrelationClip,
  detector: Detector,
  signal: AbortSignal,
): Promise<{ series: Series[]; pictures: number }> {
  let road: RoadAnalysis | undefined;
  let index = 0;
  const open = new Map<number, Series & { lastSeen: number }>();
  const options = { fps: clip.fps, durationS: clip.durationS };
  for await (const picture of decodePictures(clip.file, options, signal)) {
    road ??= new RoadAnalysis(bareScene([picture.width, picture.height], `a picture of ${clip.name}`));
    const detections = await detectPicture(picture, detector);
    const mediaTimeMs = (index * 1000) / clip.fps;
    const frame = { index, mediaTimeMs, capturedAtMs: mediaTimeMs };
    for (const track of road.update(frame, fuseRiders(detections), () => undefined).tracks) {
      const entry = open.get(track.trackId) ?? {
        fps: clip.fps,
        confidence: [],
        boxes: [],
        label: track.label,
        lastSeen: 0,
      };
      entry.label = track.label;
      entry.confidence.push(track.seen ? track.confidence : 0);
      entry.boxes.push(track.seen ? track.box : undefined);
      if (track.seen) entry.lastSeen = entry.boxes.length;
      open.set(track.trackId, entry);
    }
    index += 1;
  }
  const series = [...open.values()].map(({ fps, confidence, boxes, label, lastSeen }) => ({
    fps,
    label,
    confidence: confidence.slice(0, lastSeen),
    boxes: boxes.slice(0, lastSeen),
  }));
  return { series: series.filter(({ boxes }) => boxes.length >= MIN_PICTURES), pictures: index };
}

function isStanding({ boxes }: Series): boolean {
  const seen = boxes.flatMap((box) => (box === undefined ? [] : [box]));
  const [first, last] = [seen[0], seen.at(-1)];
  if (first === undefined || last === undefined || seen.length < MIN_PICTURES) return false;
  const x = (box: Box): number => (box[0] + box[2]) / 2;
  const travel = Math.hypot(x(last) - x(first), last[3] - first[3]);
  return travel < STANDING_HEIGHTS * (first[3] - first[1]);
}

interface Process {
  readonly fps: number;
  readonly values: readonly (number | undefined)[];
}

/** Fits `persistent + slow · exp(−lag / slowMs)` to the pooled correlation by least squares over a grid. */
function fitCorrelation(processes: readonly Process[]): NoiseCorrelation {
  const mean = average(
    processes.flatMap(({ values }) => values.flatMap((v) => (v === undefined ? [] : [v]))),
  );
  const points = LAGS_MS.map((lagMs) => ({ lagMs, value: correlateAt(processes, lagMs, mean) }));
  let best: NoiseCorrelation = { persistent: 0, slow: 0, slowMs: 500 };
  let least = Number.POSITIVE_INFINITY;
  for (let persistent = 0; persistent <= 0.96; persistent += 0.02) {
    for (let slow = 0; slow + persistent <= 1; slow += 0.02) {
      for (const slowMs of [150, 250, 400, 600, 900, 1_300, 2_000]) {
        const error = points.reduce((sum, { lagMs, value }) => {
          const fit = persistent + slow * Math.exp(-lagMs / slowMs);
          return Number.isNaN(value) ? sum : sum + (fit - value) ** 2;
        }, 0);
        if (error >= least) continue;
        least = error;
        best = { persistent: round2(persistent), slow: round2(slow), slowMs };
      }
    }
  }
  return best;
}

/** Pooled correlation of all processes at a lag; each about the mean of all, so that what stays with one counts as persistent. */
function correlateAt(processes: readonly Process[], lagMs: number, mean: number): number {
  let [product, square, count] = [0, 0, 0];
  for (const { fps, values } of processes) {
    const lag = Math.max(1, Math.round((lagMs * fps) / 1000));
    for (let i = 0; i + lag < values.length; i++) {
      const [a, b] = [values[i], values[i + lag]];
      if (a === undefined || b === undefined) continue;
      product += (a - mean) * (b - mean);
      square += ((a - mean) ** 2 + (b - mean) ** 2) / 2;
      count += 1;
    }
  }
  return count < 50 || square === 0 ? Number.NaN : product / square;
}

function average(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
