import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import { fuseRiders, type RoadUser, Tracker } from '@ngatu/edge';
import { groupByFrame } from './mot-frame.ts';
import {
  addMotCounts,
  computeMean,
  computeMotMetrics,
  countMot,
  type MotCounts,
  type MotMetrics,
} from './mot-metrics.ts';
import { loadMotSequences, type MotSequence } from './mot-sequence.ts';
import { loadMotText, type MotRow, type MotTrackRow } from './mot-text.ts';
import { prepareMot } from './mot-truth.ts';

export interface SequenceOutcome {
  readonly name: string;
  readonly metrics: MotMetrics;
  readonly counts: MotCounts;
  /** What was scored, in the order of frames. */
  readonly result: readonly MotTrackRow[];
  /** Frames that the tracker alone takes in a second; absent where results were read from a file. */
  readonly framesPerSecond?: number;
  /** What a reader of the figures should know. */
  readonly remarks: readonly string[];
}

export interface TrackerMetrics {
  readonly sequences: readonly (MotMetrics & {
    readonly name: string;
    readonly framesPerSecond?: number;
    readonly remarks: readonly string[];
  })[];
  /** Mean over the sequences, each weighing the same. */
  readonly mean: Readonly<Partial<Record<MeanName, number>>>;
  /** All sequences scored as one. */
  readonly pooled: MotMetrics;
}

export const MEAN_NAMES = ['mota', 'idf1', 'hota', 'deta', 'assa'] as const;
export type MeanName = (typeof MEAN_NAMES)[number];

export interface MotEvaluationOptions {
  /** One MOTChallenge sequence, or a folder of them. */
  readonly dataDir: string;
  /** Score these results (`NAME.txt` or `NAME/test.txt`) instead of running the tracker. */
  readonly resultsDir?: string;
  readonly onSequence?: (name: string) => void;
}

/**
 * Follows the public detections of each sequence with the product's tracker and its one parameter set, and scores the tracks.
 * A track is scored in the frames in which it is confirmed and seen, as it stood in that frame: nothing is filled in later.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID, DETECTIONS_INVALID
 */
export async function evaluateMotTracker(
  options: MotEvaluationOptions,
  signal: AbortSignal,
): Promise<{ metrics: TrackerMetrics; outcomes: readonly SequenceOutcome[] }> {
  const outcomes: SequenceOutcome[] = [];
  for (const sequence of await loadMotSequences(options.dataDir)) {
    signal.throwIfAborted();
    options.onSequence?.(sequence.name);
    const { result, framesPerSecond } =
      options.resultsDir === undefined
        ? followDetections(sequence)
        : { result: await loadResult(options.resultsDir, sequence.name), framesPerSecond: undefined };
    const prepared = prepareMot(sequence.truth, result);
    const counts = countMot(prepared.truth, prepared.result);
    const remarks =
      sequence.isFrameRateKnown || framesPerSecond === undefined
        ? []
        : [`${sequence.name}: no frame rate in seqinfo.ini, ${sequence.frameRate} a second assumed`];
    outcomes.push({
      name: sequence.name,
      metrics: computeMotMetrics(counts),
      counts,
      result,
      ...(framesPerSecond === undefined ? {} : { framesPerSecond }),
      remarks,
    });
  }
  return { metrics: summarizeTracking(outcomes), outcomes };
}

export function summarizeTracking(outcomes: readonly SequenceOutcome[]): TrackerMetrics {
  const mean: Partial<Record<MeanName, number>> = {};
  for (const name of MEAN_NAMES) {
    const values = outcomes.flatMap(({ metrics }) => metrics[name] ?? []);
    if (values.length > 0) mean[name] = computeMean(values);
  }
  return {
    sequences: outcomes.map(({ name, metrics, framesPerSecond, remarks }) => ({
      name,
      ...metrics,
      ...(framesPerSecond === undefined ? {} : { framesPerSecond: Math.round(framesPerSecond) }),
      remarks,
    })),
    mean,
    pooled: computeMotMetrics(addMotCounts(outcomes.map(({ counts }) => counts))),
  };
}

function followDetections(sequence: MotSequence): { result: MotTrackRow[]; framesPerSecond: number } {
  const { detections, frameCount, frameRate, name } = sequence;
  if (detections === undefined) {
    throw new NgatuError(
      'FILE_UNREADABLE',
      `Cannot evaluate sequence ${name}: no det.txt and no det/det.txt in it`,
    );
  }
  const frames = groupByFrame(calibrateConfidence(detections));
  const tracker = new Tracker();
  const result: MotTrackRow[] = [];
  let busyMs = 0;
  for (let frame = 1; frame <= frameCount; frame++) {
    const users = toRoadUsers(frames.get(frame) ?? []);
    const started = performance.now();
    const tracks = tracker.update(users, ((frame - 1) * 1000) / frameRate);
    busyMs += performance.now() - started;
    for (const { trackId, state, seen } of tracks) {
      const box = tracker.estimateOf(trackId);
      if (state === 'confirmed' && seen && box !== undefined) result.push({ frame, id: trackId, box });
    }
  }
  return { result, framesPerSecond: (1000 * frameCount) / Math.max(busyMs, 1e-3) };
}

/** MOTChallenge detections have no class: the product's way for persons serves. */
function toRoadUsers(rows: readonly MotRow[]): RoadUser[] {
  return fuseRiders(rows.map(({ box, confidence }) => ({ label: 'person', box, confidence })));
}

/** Slope that maps the middle half of a file onto the middle half of the scale. */
const LOGISTIC_SLOPE = 1.3;

/**
 * Confidences that are not shares (margins of DPM, sums of ACF) are mapped to 0–1 by the logistic function around the median of
 * the file, with the quartiles as its unit: a property of the detector, that does not look at the truth.
 */
function calibrateConfidence(rows: readonly MotRow[]): readonly MotRow[] {
  if (rows.every(({ confidence }) => confidence >= 0 && confidence <= 1)) return rows;
  const sorted = rows.map(({ confidence }) => confidence).sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  const unit = at(0.75) - at(0.25) || 1;
  return rows.map((row) => ({
    ...row,
    confidence: 1 / (1 + Math.exp((-LOGISTIC_SLOPE * (row.confidence - at(0.5))) / unit)),
  }));
}

async function loadResult(dir: string, name: string): Promise<MotTrackRow[]> {
  const candidates = [`${name}.txt`, join(name, 'test.txt'), join(name, `${name}.txt`)];
  for (const candidate of candidates) {
    const file = join(dir, candidate);
    const names = await readdir(join(file, '..')).catch((): string[] => []);
    if (!names.some((entry) => file.endsWith(entry))) continue;
    const rows = await loadMotText(file, { code: 'DETECTIONS_INVALID', what: 'results' });
    return rows.flatMap(({ frame, id, box }) => (id === undefined ? [] : [{ frame, id, box }]));
  }
  throw new NgatuError(
    'FILE_UNREADABLE',
    `Cannot score sequence ${name}: ${dir} holds none of ${candidates.join(', ')}`,
  );
}
