import { NgatuError } from '@ngatu/contract';
import {
  assessFace,
  DEFAULT_QUALITY_LIMITS,
  FACE_SIGHTS,
  type FaceSight,
  type FaceSightName,
  readPictureFile,
} from '@ngatu/edge';
import { computeFileSha256 } from '../file-digest.ts';
import { loadFaceList } from './face-list.ts';
import { type LabelledPicture, loadMaskFolder } from './mask-folder.ts';
import { type FacePrediction, type MaskSizeFigures, pairFaces, scorePairs } from './mask-score.ts';

/** Who looks at a picture: a way of looking that was not trained on that very picture. */
export interface MaskSightChooser {
  readonly name: FaceSightName;
  /** `isHeldOut`: the product was trained on the picture, and coefficients that were learned without it are used instead. @throws NgatuError */
  choose(sha256: string): Promise<{ readonly sight: FaceSight; readonly isHeldOut: boolean }>;
}

export interface MaskEvaluationOptions {
  /** Folder with `images/` and `annotations/`; with `faceList` the folder of the sets that it names. */
  readonly dataDir: string;
  /** File of faces that were judged by eye. */
  readonly faceList?: string;
  readonly choosers: readonly MaskSightChooser[];
  readonly onPicture?: (done: number, total: number) => void;
}

export interface MaskSightMetrics {
  readonly name: FaceSightName;
  readonly label: string;
  /** Findings from this confidence on are looked at. */
  readonly confidence: number;
  readonly pictures: number;
  /** Pictures that the product's coefficients were learned on: others, learned without them, were used for these. */
  readonly heldOutPictures: number;
  readonly sizes: readonly MaskSizeFigures[];
  /** Wall time, ms: of finding in one picture, and of judging one face. */
  readonly findMs: { readonly p50: number; readonly p95: number };
  readonly judgeMs: { readonly p50: number; readonly p95: number };
}

export interface MaskMetrics {
  readonly pictures: number;
  readonly faces: Readonly<Record<'with' | 'without' | 'ignored', number>>;
  readonly sights: readonly MaskSightMetrics[];
}

/** What one way of looking said about one picture. */
export interface MaskPicturePrediction {
  readonly picture: string;
  readonly sight: FaceSightName;
  readonly faces: readonly (FacePrediction & {
    readonly maskLogit?: number;
    /** Why a camera's watch would wait for a better look; a single picture has no other. */
    readonly doubt?: string;
  })[];
}

export interface MaskEvaluation {
  readonly metrics: MaskMetrics;
  readonly predictions: readonly MaskPicturePrediction[];
}

/**
 * Looks at every picture of the folder in each of the ways, and scores each face.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID, PICTURE_UNREADABLE, MODEL_INVALID, and those of the choosers
 */
export async function evaluateMasks(
  options: MaskEvaluationOptions,
  signal: AbortSignal,
): Promise<MaskEvaluation> {
  const { dataDir, faceList } = options;
  const pictures = await (faceList === undefined ? loadMaskFolder(dataDir) : loadFaceList(faceList, dataDir));
  const labels = pictures.flatMap(({ faces }) => faces.map(({ label }) => label));
  if (labels.length === 0)
    throw new NgatuError(
      'TRUTH_INVALID',
      `Cannot evaluate masks on ${faceList ?? dataDir}: no face is labelled`,
    );
  const records = options.choosers.map((chooser) => new SightRecord(chooser));
  const predictions: MaskPicturePrediction[] = [];
  for (const [index, picture] of pictures.entries()) {
    const sha256 = await computeFileSha256(picture.file, signal);
    const frame = await readPictureFile(picture.file);
    for (const record of records) {
      signal.throwIfAborted();
      predictions.push(await record.look(picture, sha256, frame));
    }
    options.onPicture?.(index + 1, pictures.length);
  }
  const count = (wanted: string): number => labels.filter((label) => label === wanted).length;
  const faces = { with: count('with'), without: count('without'), ignored: count('ignored') };
  return {
    metrics: { pictures: pictures.length, faces, sights: records.map((record) => record.finish()) },
    predictions,
  };
}

type Frame = Awaited<ReturnType<typeof readPictureFile>>;
type Pairs = ReturnType<typeof pairFaces>;

class SightRecord {
  readonly #chooser: MaskSightChooser;
  readonly #pairs: Pairs = [];
  readonly #findMs: number[] = [];
  readonly #judgeMs: number[] = [];
  #label = '';
  #pictures = 0;
  #heldOut = 0;

  constructor(chooser: MaskSightChooser) {
    this.#chooser = chooser;
  }

  async look(picture: LabelledPicture, sha256: string, frame: Frame): Promise<MaskPicturePrediction> {
    const { sight, isHeldOut } = await this.#chooser.choose(sha256);
    this.#pictures += 1;
    if (isHeldOut) this.#heldOut += 1;
    if (!isHeldOut || this.#label === '') this.#label = sight.label;
    const startedAt = performance.now();
    const findings = await sight.find(frame, sight.candidateConfidence);
    this.#findMs.push(performance.now() - startedAt);
    const faces: MaskPicturePrediction['faces'][number][] = [];
    for (const finding of findings) {
      const { doubt } = await assessFace(frame, finding, { toSource: 1, limits: DEFAULT_QUALITY_LIMITS });
      const judgedAt = performance.now();
      const { box = finding.box, faceLogit, maskLogit, verdict } = await sight.judge(frame, finding);
      this.#judgeMs.push(performance.now() - judgedAt);
      if (faceLogit < 0) continue;
      faces.push({
        ...{ box, confidence: finding.confidence, verdict },
        ...(maskLogit === undefined ? {} : { maskLogit }),
        ...(doubt === undefined ? {} : { doubt }),
      });
    }
    for (const pair of pairFaces(picture.faces, faces)) this.#pairs.push(pair);
    return { picture: picture.name, sight: this.#chooser.name, faces };
  }

  finish(): MaskSightMetrics {
    const { name } = this.#chooser;
    return {
      ...{ name, label: this.#label, confidence: FACE_SIGHTS[name].confidence },
      ...{ pictures: this.#pictures, heldOutPictures: this.#heldOut },
      sizes: scorePairs(this.#pairs),
      findMs: describeTimes(this.#findMs),
      judgeMs: describeTimes(this.#judgeMs),
    };
  }
}

function describeTimes(times: readonly number[]): { p50: number; p95: number } {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p95: at(0.95) };
}
