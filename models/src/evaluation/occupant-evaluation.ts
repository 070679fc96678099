import { join } from 'node:path';
import { NgatuError, parseWithSchema, Scene } from '@ngatu/contract';
import {
  computeIou,
  countOccupants,
  type Detection,
  type Detector,
  fuseRiders,
  isFreeSight,
  type RoadUser,
  readPictureFile,
  runReplay,
} from '@ngatu/edge';
import { computeProportion, formatProportion, type Proportion } from './interval.ts';
import {
  type AnnotatedMotorbike,
  listOccupantAnnotations,
  loadOccupantAnnotation,
  type OccupantAnnotation,
} from './occupant-annotation.ts';

interface OccupantEvaluationOptions {
  /** Folder of `*.occupants.json`. */
  readonly dataDir: string;
  /** Folder that the sources of the annotations are named from. */
  readonly mediaDir: string;
  readonly detector: Detector;
  /** Pictures are scaled down to this width where they are wider, px. */
  readonly maxWidth: number;
  readonly onSource?: (name: string) => void;
}

/** One motorbike: what a person counted, and what the product did; without `counted` it was not found. */
interface OccupantPrediction {
  readonly source: string;
  readonly picture: string;
  readonly box: readonly number[];
  readonly truth: number;
  readonly counted?: number;
  /** Whether the rule would have counted this sight. */
  readonly free?: boolean;
}

interface OccupantScore {
  /** Name of the annotation, `all`, or `free sights`. */
  readonly name: string;
  readonly motorbikes: number;
  /** Of the motorbikes, those that the product found as a two-wheeler. */
  readonly found: Proportion;
  /** Of those found, with the right count. */
  readonly exact: Proportion;
  /** Of those found, one off at most. */
  readonly nearly: Proportion;
  /** Three or more, against fewer; a motorbike that was not found is a miss. */
  readonly overloaded: { readonly precision: Proportion; readonly recall: Proportion };
  /** By truth: how often each count was said; the last column is three and more. */
  readonly table: readonly {
    readonly truth: number;
    readonly said: readonly number[];
    readonly lost: number;
  }[];
}

interface OccupantMetrics {
  readonly model: { readonly name: string; readonly sha256: string };
  readonly maxWidth: number;
  readonly scores: readonly OccupantScore[];
}

/** A found two-wheeler is the annotated one where they overlap this much, IoU. */
const SAME_IOU = 0.4;
/** More than two is too many for a motorbike (children apart). */
const TOO_MANY = 3;
const MAX_FPS = 60;

/**
 * Counts people on annotated motorbikes as the product does in a single frame: its detector, its joining of riders and motorbikes, its count.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID, PICTURE_UNREADABLE, VIDEO_UNREADABLE, MODEL_INVALID
 */
export async function evaluateOccupants(
  options: OccupantEvaluationOptions,
  signal: AbortSignal,
): Promise<{ metrics: OccupantMetrics; predictions: OccupantPrediction[] }> {
  const predictions: OccupantPrediction[] = [];
  const names: string[] = [];
  for (const file of await listOccupantAnnotations(options.dataDir)) {
    const { name, annotation } = await loadOccupantAnnotation(file);
    names.push(name);
    options.onSource?.(name);
    const judge = (picture: string, motorbikes: readonly AnnotatedMotorbike[], seen: Seen): void => {
      predictions.push(
        ...countOn(motorbikes, seen).map((row) => ({
          source: name,
          picture,
          ...row,
        })),
      );
    };
    if ('video' in annotation.source) await watchVideo(annotation, annotation.source, options, judge, signal);
    else await lookAtPictures(annotation, annotation.source.folder, options, judge, signal);
  }
  const free = predictions.filter((row) => row.free === true);
  const metrics = {
    model: options.detector.model,
    maxWidth: options.maxWidth,
    scores: [
      ...names.map((name) =>
        score(
          name,
          predictions.filter(({ source }) => source === name),
        ),
      ),
      score('all', predictions),
      score('free sights', free),
    ],
  };
  return { metrics, predictions };
}

/** What was found in one picture; boxes in its own pixels. */
interface Seen {
  readonly detections: readonly Detection[];
  readonly size: { readonly width: number; readonly height: number };
}

type Judge = (picture: string, motorbikes: readonly AnnotatedMotorbike[], seen: Seen) => void;

async function lookAtPictures(
  { pictures }: OccupantAnnotation,
  folder: string,
  { mediaDir, detector, maxWidth }: OccupantEvaluationOptions,
  judge: Judge,
  signal: AbortSignal,
): Promise<void> {
  for (const { file = '', motorbikes } of pictures) {
    signal.throwIfAborted();
    const frame = await readPictureFile(join(mediaDir, folder, file), maxWidth);
    const size = { width: frame.sourceWidth, height: frame.sourceHeight };
    judge(file, motorbikes, { detections: await detector.detect(frame), size });
  }
}

/** Only the frames that were annotated are looked at by the detector. */
async function watchVideo(
  { pictures }: OccupantAnnotation,
  { video, size }: { readonly video: string; readonly size: readonly [number, number] },
  { mediaDir, detector, maxWidth }: OccupantEvaluationOptions,
  judge: Judge,
  signal: AbortSignal,
): Promise<void> {
  const [width, height] = size;
  const wanted = new Map(pictures.map(({ frame = 0, motorbikes }) => [frame, motorbikes]));
  const scene = parseWithSchema(
    Scene,
    {
      schemaVersion: 1,
      name: 'occupants',
      picture: { width, height },
      analysis: { maxWidth, maxFps: MAX_FPS },
    },
    { code: 'TRUTH_INVALID', what: `the size of ${video}` },
  );
  const sparing: Detector = {
    model: detector.model,
    detect: async (frame) => (wanted.has(frame.index) ? detector.detect(frame) : []),
    close: async () => undefined,
  };
  await runReplay(
    {
      ...{ video: join(mediaDir, video), scene, sceneSha256: '0'.repeat(64), detector: sparing, startMs: 0 },
      ...{ site: 'evaluation', node: 'evaluation' },
      onFrame: ({ frame, detections }) => {
        const motorbikes = wanted.get(frame.index);
        if (motorbikes === undefined) return;
        wanted.delete(frame.index);
        judge(`frame ${frame.index}`, motorbikes, { detections, size: { width, height } });
      },
    },
    signal,
  );
  const [missing] = wanted.keys();
  if (missing !== undefined)
    throw new NgatuError('TRUTH_INVALID', `Cannot evaluate occupants: ${video} has no frame ${missing}`);
}

/** Each annotated motorbike with the two-wheeler that was found on it, best overlap first, one to one. */
function countOn(
  motorbikes: readonly AnnotatedMotorbike[],
  { detections, size }: Seen,
): Omit<OccupantPrediction, 'source' | 'picture'>[] {
  const users = fuseRiders(detections);
  const found = users.filter(({ label }) => label === 'motorbike' || label === 'bicycle');
  const pairs = motorbikes.flatMap((motorbike) =>
    found.map((user) => ({ motorbike, user, iou: computeIou(motorbike.box, user.box) })),
  );
  pairs.sort((a, b) => b.iou - a.iou);
  const matched = new Map<AnnotatedMotorbike, RoadUser>();
  const taken = new Set<RoadUser>();
  for (const { motorbike, user, iou } of pairs) {
    if (iou < SAME_IOU || matched.has(motorbike) || taken.has(user)) continue;
    matched.set(motorbike, user);
    taken.add(user);
  }
  return motorbikes.map((motorbike) => {
    const { box, occupants: truth } = motorbike;
    const user = matched.get(motorbike);
    if (user === undefined) return { box, truth };
    const others = users.filter((other) => other !== user).map((other) => other.box);
    return { box, truth, counted: countOccupants(user.occupants), free: isFreeSight(user, others, size) };
  });
}

function score(name: string, rows: readonly OccupantPrediction[]): OccupantScore {
  const found = rows.filter(({ counted }) => counted !== undefined);
  const off = ({ truth, counted = 0 }: OccupantPrediction): number => Math.abs(truth - counted);
  const said = found.filter(({ counted = 0 }) => counted >= TOO_MANY);
  const right = said.filter(({ truth }) => truth >= TOO_MANY).length;
  const truths = [...new Set(rows.map(({ truth }) => truth))].sort((a, b) => a - b);
  return {
    name,
    motorbikes: rows.length,
    found: computeProportion(found.length, rows.length),
    exact: computeProportion(found.filter((row) => off(row) === 0).length, found.length),
    nearly: computeProportion(found.filter((row) => off(row) <= 1).length, found.length),
    overloaded: {
      precision: computeProportion(right, said.length),
      recall: computeProportion(right, rows.filter(({ truth }) => truth >= TOO_MANY).length),
    },
    table: truths.map((truth) => {
      const of = rows.filter((row) => row.truth === truth);
      const counts = Array.from({ length: TOO_MANY + 1 }, (_, count) => {
        return of.filter(({ counted }) =>
          count === TOO_MANY ? (counted ?? 0) >= TOO_MANY : counted === count,
        ).length;
      });
      return { truth, said: counts, lost: of.filter(({ counted }) => counted === undefined).length };
    }),
  };
}

/** The metrics as text. */
export function formatOccupantTable({ model, maxWidth, scores }: OccupantMetrics): string {
  const lines = [
    `${model.name}@${model.sha256.slice(0, 8)}, at most ${maxWidth} px wide; single frames, as the rule counts them`,
    `${'source'.padEnd(28)}${'found'.padEnd(28)}${'exact count'.padEnd(28)}${'three or more: precision'.padEnd(28)}recall`,
  ];
  for (const { name, found, exact, overloaded } of scores) {
    const cells = [found, exact, overloaded.precision, overloaded.recall].map((share) =>
      formatProportion(share).padEnd(28),
    );
    lines.push(`${name.padEnd(28)}${cells.join('')}`);
  }
  const all = scores.find(({ name }) => name === 'all');
  lines.push('', `${'truth ↓ counted →'.padEnd(20)}     0     1     2    3+  not found`);
  for (const { truth, said, lost } of all?.table ?? []) {
    lines.push(
      `${String(truth).padEnd(20)}${said.map((count) => String(count).padStart(6)).join('')}${String(lost).padStart(11)}`,
    );
  }
  return lines.join('\n');
}
