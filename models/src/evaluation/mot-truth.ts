import { assignOptimally } from '@ngatu/edge';
import { computeSimilarity, groupByFrame } from './mot-frame.ts';
import { MATCH_IOU } from './mot-score.ts';
import type { MotRow, MotTrackRow } from './mot-text.ts';

/** Classes of MOT16, MOT17 and MOT20 (arXiv 1603.00831, table 4). */
const PEDESTRIAN = 1;
/** Person on a vehicle, static person, distractor, reflection: who finds one is neither right nor wrong. */
const DISTRACTORS: ReadonlySet<number> = new Set([2, 7, 8, 12]);

export interface PreparedMot {
  readonly truth: readonly MotTrackRow[];
  readonly result: readonly MotTrackRow[];
}

/**
 * Makes a sequence ready as the MOTChallenge evaluation does. Truth rows with flag 0 do not count. Where the truth has
 * pedestrians among its classes, results that match a distractor (global assignment in the frame, IoU ≥ 0.5) are taken out, and
 * only pedestrians count; in any other truth every class counts.
 */
export function prepareMot(truth: readonly MotRow[], result: readonly MotTrackRow[]): PreparedMot {
  const isPedestrianTruth = truth.some(({ classId }) => classId === PEDESTRIAN);
  const counted = truth.flatMap(({ frame, id, box, confidence, classId }): MotTrackRow[] =>
    id === undefined || confidence === 0 || (isPedestrianTruth && classId !== PEDESTRIAN)
      ? []
      : [{ frame, id, box }],
  );
  return { truth: counted, result: isPedestrianTruth ? dropDistracted(truth, result) : result };
}

function dropDistracted(truth: readonly MotRow[], result: readonly MotTrackRow[]): MotTrackRow[] {
  const truthFrames = groupByFrame(truth);
  return [...groupByFrame(result)].flatMap(([frame, rows]) => {
    const objects = truthFrames.get(frame) ?? [];
    const cost = computeSimilarity(objects, rows).map((value) => (value < MATCH_IOU ? 1 : 1 - value));
    const dropped = new Set<number>();
    assignOptimally(cost, objects.length, rows.length, 1).forEach((column, row) => {
      if (column >= 0 && DISTRACTORS.has(objects[row]?.classId ?? 0)) dropped.add(column);
    });
    return rows.filter((_, column) => !dropped.has(column));
  });
}
