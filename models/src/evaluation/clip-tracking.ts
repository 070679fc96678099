import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import { type Detector, runReplay, type Track } from '@ngatu/edge';
import type { AssetStore } from '../asset-store.ts';
import { computeFileSha256 } from '../file-digest.ts';
import { bareScene } from './bare-scene.ts';
import { computeMotMetrics, countMot } from './mot-metrics.ts';
import type { MotTrackRow } from './mot-text.ts';
import { prepareMot } from './mot-truth.ts';
import {
  type AnnotatedRow,
  expandAnnotation,
  isIgnored,
  listTrackAnnotations,
  loadTrackAnnotation,
  type TrackAnnotation,
} from './track-annotation.ts';
import { type SequenceOutcome, summarizeTracking, type TrackerMetrics } from './tracker-evaluation.ts';

export interface ClipEvaluationOptions {
  /** Folder of `*.tracks.json`. */
  readonly dataDir: string;
  /** Folder of the clips; by default that of the annotations. What is not there is looked for among the assets. */
  readonly mediaDir?: string;
  readonly assets: AssetStore;
  readonly detector: Detector;
  readonly onSequence?: (name: string) => void;
}

/** Classes that are told apart in the figures. */
const GROUPS: ReadonlyMap<string, readonly string[]> = new Map([
  ['vehicles', ['car', 'bus', 'truck']],
  ['two-wheelers', ['motorbike', 'bicycle']],
  ['persons', ['person']],
]);
/** MOTChallenge classes: what counts, and what may be found or not. */
const COUNTED = 1;
const HIDDEN = 8;

interface FoundRow extends MotTrackRow {
  readonly label: string;
}

/**
 * Runs the product's own detector and tracker on each annotated clip, with the analysis that a scene has by default, and scores
 * the tracks against what a person saw: all road users, then class by class.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID, ASSET_UNAVAILABLE, ASSET_DIGEST_MISMATCH, VIDEO_UNREADABLE, MODEL_INVALID
 */
export async function evaluateClipTracking(
  options: ClipEvaluationOptions,
  signal: AbortSignal,
): Promise<{
  metrics: TrackerMetrics;
  outcomes: readonly SequenceOutcome[];
  byClass: readonly SequenceOutcome[];
}> {
  const outcomes: SequenceOutcome[] = [];
  const byClass: SequenceOutcome[] = [];
  for (const name of await listTrackAnnotations(options.dataDir)) {
    options.onSequence?.(name);
    const annotation = await loadTrackAnnotation(options.dataDir, name);
    const video = await findAnnotatedVideo(annotation, options, signal);
    const { frames, found } = await followClip(
      { name, annotation, video, detector: options.detector },
      signal,
    );
    const truth = expandAnnotation(annotation, frames);
    outcomes.push(scoreRows(name, annotation, truth, found));
    for (const [group, labels] of GROUPS) {
      const own = truth.filter(({ label }) => labels.includes(label));
      if (own.length === 0) continue;
      byClass.push(
        scoreRows(
          `${name} ${group}`,
          annotation,
          own,
          found.filter(({ label }) => labels.includes(label)),
        ),
      );
    }
  }
  return { metrics: summarizeTracking(outcomes), outcomes, byClass };
}

/** The clip of an annotation, verified. */
export async function findAnnotatedVideo(
  { video, sha256, asset }: TrackAnnotation,
  { mediaDir, dataDir, assets }: Pick<ClipEvaluationOptions, 'mediaDir' | 'dataDir' | 'assets'>,
  signal: AbortSignal,
): Promise<string> {
  const local = (mediaDir === undefined ? [dataDir] : [mediaDir])
    .map((dir) => join(dir, video))
    .find((file) => existsSync(file));
  if (local === undefined) {
    if (asset === undefined)
      throw new NgatuError(
        'FILE_UNREADABLE',
        `Cannot evaluate clip ${video}: it is not in ${mediaDir ?? dataDir}, and no asset is named`,
      );
    return (await assets.resolve(asset, { signal })).path;
  }
  const actual = await computeFileSha256(local);
  if (actual !== sha256) {
    throw new NgatuError(
      'ASSET_DIGEST_MISMATCH',
      `Cannot evaluate clip ${local}: sha256 differs (annotated ${sha256}, found ${actual})`,
    );
  }
  return local;
}

/** Source frames that were analysed, and every confirmed track that was seen in them. */
async function followClip(
  {
    name,
    annotation,
    video,
    detector,
  }: { name: string; annotation: TrackAnnotation; video: string; detector: Detector },
  signal: AbortSignal,
): Promise<{ frames: number[]; found: FoundRow[] }> {
  const scene = bareScene(annotation.size, `the picture of annotation ${name}`);
  const frames: number[] = [];
  const found: FoundRow[] = [];
  const onFrame = (index: number, tracks: readonly Track[]): void => {
    if (index < annotation.frames[0] || index > annotation.frames[1]) return;
    frames.push(index);
    for (const { trackId, state, seen, box, label } of tracks) {
      if (state === 'confirmed' && seen) found.push({ frame: index + 1, id: trackId, box, label });
    }
  };
  await runReplay(
    {
      video,
      scene,
      sceneSha256: '',
      detector,
      startMs: 0,
      site: 'evaluation',
      node: 'evaluation',
      onFrame: ({ frame, tracks }) => onFrame(frame.index, tracks),
    },
    signal,
  );
  return { frames, found };
}

function scoreRows(
  name: string,
  annotation: TrackAnnotation,
  truth: readonly AnnotatedRow[],
  found: readonly FoundRow[],
): SequenceOutcome {
  const result = found.filter(({ box }) => !isIgnored(annotation, box));
  const rows = truth
    .filter(({ box }) => !isIgnored(annotation, box))
    .map((row) => ({ ...row, classId: row.isHidden ? HIDDEN : COUNTED }));
  const prepared = prepareMot(rows, result);
  const sums = countMot(prepared.truth, prepared.result);
  return { name, metrics: computeMotMetrics(sums), counts: sums, result, remarks: [] };
}
