import { basename, dirname, join, resolve } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import { type FaceSight, readPictureFile } from '@ngatu/edge';
import { findRepositoryRoot } from '../asset-location.ts';
import { computeFileSha256 } from '../file-digest.ts';
import { loadFaceList } from './face-list.ts';
import { type LabelledPicture, loadMaskFolder } from './mask-folder.ts';
import { type LearningFace, learnCoefficients, learnFolds } from './mask-learner.ts';
import { type FacePrediction, pairFaces } from './mask-score.ts';
import type { MaskTraining } from './mask-training.ts';

export interface MaskLearningOptions {
  /** Folder with `images/` and `annotations/`. */
  readonly dataDir: string;
  /** File of faces that were judged by eye, which are learned from as well; its sets lie beside `dataDir`. */
  readonly faceList?: string;
  /** Where the pictures are from and under which licence: kept with the numbers. */
  readonly source?: string;
  /** `fused` that was never shown the pictures of this fold, with whatever coefficients: what it sees does not hang on them. */
  readonly openFold: (fold: number) => Promise<FaceSight>;
  /** The networks that it has, by fold. */
  readonly networks: MaskTraining['networks'];
  readonly onPicture?: (done: number, total: number) => void;
}

/** The picture's place in the order of names within its set, modulo this, is its fold. */
const FOLDS = 5;

/** The networks that models/training/mask-finder trained without a fold each, as they lie there now. @throws NgatuError FILE_UNREADABLE */
export function listFoldNetworks(signal: AbortSignal): Promise<MaskTraining['networks']> {
  return Promise.all(
    Array.from({ length: FOLDS }, async (_, fold) => {
      const path = `training/mask-finder/without-${fold}.onnx`;
      return { path, sha256: await computeFileSha256(join(findRepositoryRoot(), 'models', path), signal) };
    }),
  );
}

/**
 * Looks at every picture of the folder and learns the coefficients of `fused` from what was seen: on all pictures, and without each fold.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID, PICTURE_UNREADABLE, MODEL_INVALID
 */
export async function learnMasks(options: MaskLearningOptions, signal: AbortSignal): Promise<MaskTraining> {
  const { dataDir, openFold, networks, onPicture } = options;
  const labelled = await loadFolds(options);
  const faces: LearningFace[] = [];
  const pictures: MaskTraining['pictures'] = [];
  for (const [index, { file, faces: truth, fold }] of labelled.entries()) {
    signal.throwIfAborted();
    const sight = await openFold(fold);
    pictures.push({ sha256: await computeFileSha256(file, signal), fold });
    const frame = await readPictureFile(file);
    const found = await sight.find(frame, sight.candidateConfidence);
    const judged: (FacePrediction & Pick<LearningFace, 'features'>)[] = [];
    for (const finding of found) {
      const { box = finding.box, features } = await sight.judge(frame, finding);
      const { confidence } = finding;
      judged.push({ box, confidence, verdict: 'uncertain', ...(features === undefined ? {} : { features }) });
    }
    // the most confident findings first, and after them the faces that were not found
    judged.sort((a, b) => b.confidence - a.confidence);
    for (const [at, { label }] of pairFaces(truth, judged).entries()) {
      if (label === 'left-out') continue;
      const features = judged[at]?.features;
      faces.push({
        fold,
        ...(label === undefined ? {} : { label }),
        ...(features === undefined ? {} : { features }),
      });
    }
    onPicture?.(index + 1, labelled.length);
  }
  const data = options.source ?? `${basename(resolve(dataDir))}: ${labelled.length} pictures`;
  const known = requireBoth(faces, dataDir);
  const learned = { all: learnCoefficients(known), folds: learnFolds(known, FOLDS) };
  return { schemaVersion: 3, data, ...learned, networks, pictures };
}

async function loadFolds({
  dataDir,
  faceList,
}: MaskLearningOptions): Promise<(LabelledPicture & { readonly fold: number })[]> {
  const sets = [await loadMaskFolder(dataDir)];
  if (faceList !== undefined) sets.push(await loadFaceList(faceList, dirname(resolve(dataDir))));
  for (const [index, { length }] of sets.entries()) {
    const from = index === 0 ? dataDir : faceList;
    if (length < FOLDS)
      throw new NgatuError('TRUTH_INVALID', `Cannot learn from ${from}: fewer than ${FOLDS} pictures`);
  }
  return sets.flatMap((pictures) => pictures.map((picture, index) => ({ ...picture, fold: index % FOLDS })));
}

/** @throws NgatuError TRUTH_INVALID where a class was never seen: nothing can be learned of it */
function requireBoth(faces: readonly LearningFace[], dataDir: string): readonly LearningFace[] {
  const has = (label: string): boolean =>
    faces.some((face) => face.label === label && face.features !== undefined);
  if (has('with') && has('without')) return faces;
  throw new NgatuError('TRUTH_INVALID', `Cannot learn from ${dataDir}: it takes found faces of both classes`);
}
