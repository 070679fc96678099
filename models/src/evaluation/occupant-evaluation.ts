import { join } from 'node:path';
import { isTwoWheeler, NgatuError } from '@ngatu/contract';
import {
  computeIou,
  countOccupants,
  countRiders,
  type Detection,
  type Detector,
  type Frame,
  findLikeliest,
  fuseRiders,
  isFreeSight,
  type OccupantNet,
  type OccupantShares,
  type RoadUser,
  readPictureFile,
} from '@ngatu/edge';
import { detectClipFrames } from './clip-frames.ts';
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
  /** Counts as the product does; absent: boxes of people are counted, as the product does without a network. */
  readonly net?: Pick<OccupantNet, 'count' | 'model'> | undefined;
  /** Pictures are scaled down to this width where they are wider, px. */
  readonly maxWidth: number;
  readonly onSource?: (name: string) => void;
}

/** One motorbike: what a person counted, and what the product did. */
interface OccupantPrediction {
  readonly source: string;
  readonly picture: string;
  readonly box: readonly number[];
  readonly truth: number;
  /** Whether the product found it as a two-wheeler. */
  readonly found: boolean;
  /** Three means three and more where a network counted. Absent: not found, or not looked at (too small, too many). */
  readonly counted?: number;
  /** Shares of belief of nobody, one, two, three and more. */
  readonly shares?: OccupantShares;
  /** Whether the rule would have counted this sight. */
  readonly free?: boolean;
}

interface OccupantScore {
  /** Name of the annotation, `all`, or `free sights`. */
  readonly name: string;
  readonly motorbikes: number;
  /** Of the motorbikes, those that the product found as a two-wheeler. */
  readonly found: Proportion;
  /** Of those counted, with the right count; by a network three and more are one. */
  readonly exact: Proportion;
  /** Of those found, those that were counted. */
  readonly counted: Proportion;
  /** Three or more, against fewer; a motorbike that was not counted is a miss. */
  readonly overloaded: { readonly precision: Proportion; readonly recall: Proportion };
  /** By truth: how often each count was said; the last column is three and more. */
  readonly table: readonly {
    readonly truth: number;
    readonly said: readonly number[];
    readonly lost: number;
  }[];
}

interface ModelName {
  readonly name: string;
  readonly sha256: string;
}

interface OccupantMetrics {
  readonly model: ModelName;
  /** What counted; absent: boxes of people were. */
  readonly counter?: ModelName;
  readonly maxWidth: number;
  readonly scores: readonly OccupantScore[];
}

/** A found two-wheeler is the annotated one where they overlap this much, IoU. */
const SAME_IOU = 0.4;
/** More than two is too many for a motorbike (children apart). */
const TOO_MANY = 3;

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
    const pictures =
      'video' in annotation.source
        ? await watchVideo(annotation, annotation.source, options, signal)
        : lookAtPictures(annotation, annotation.source.folder, options, signal);
    for await (const seen of pictures) {
      const rows = await countOn(seen, options.net);
      predictions.push(...rows.map((row) => ({ source: name, picture: seen.picture, ...row })));
    }
  }
  const free = predictions.filter((row) => row.free === true);
  const metrics = {
    model: options.detector.model,
    ...(options.net === undefined ? {} : { counter: options.net.model }),
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

/** One picture that was annotated, and what the detector found in it; boxes in pixels of the source. */
interface Seen {
  readonly picture: string;
  readonly motorbikes: readonly AnnotatedMotorbike[];
  readonly frame: Frame;
  readonly detections: readonly Detection[];
}

async function* lookAtPictures(
  { pictures }: OccupantAnnotation,
  folder: string,
  { mediaDir, detector, maxWidth }: OccupantEvaluationOptions,
  signal: AbortSignal,
): AsyncGenerator<Seen> {
  for (const { file = '', motorbikes } of pictures) {
    signal.throwIfAborted();
    const frame = await readPictureFile(join(mediaDir, folder, file), maxWidth);
    yield { picture: file, motorbikes, frame, detections: await detector.detect(frame) };
  }
}

/** Only the frames that were annotated are looked at by the detector. */
async function watchVideo(
  { pictures }: OccupantAnnotation,
  { video, size }: { readonly video: string; readonly size: readonly [number, number] },
  { mediaDir, detector, maxWidth }: OccupantEvaluationOptions,
  signal: AbortSignal,
): Promise<Seen[]> {
  const seen: Seen[] = [];
  const wanted = new Map(pictures.map(({ frame = 0, motorbikes }) => [frame, motorbikes]));
  const onFrame = (frame: Frame, detections: readonly Detection[]): void => {
    const motorbikes = wanted.get(frame.index);
    if (motorbikes === undefined) return;
    wanted.delete(frame.index);
    const kept = { ...frame, pixels: frame.pixels.slice() };
    seen.push({ picture: `frame ${frame.index}`, motorbikes, frame: kept, detections });
  };
  const isWanted = (index: number): boolean => wanted.has(index);
  await detectClipFrames(
    { video: join(mediaDir, video), size, detector, maxWidth, isWanted, onFrame },
    signal,
  );
  const [missing] = wanted.keys();
  if (missing !== undefined)
    throw new NgatuError('TRUTH_INVALID', `Cannot evaluate occupants: ${video} has no frame ${missing}`);
  return seen;
}

/** Counts on each annotated motorbike as the product does. */
async function countOn(
  { motorbikes, frame, detections }: Seen,
  net: OccupantEvaluationOptions['net'],
): Promise<Omit<OccupantPrediction, 'source' | 'picture'>[]> {
  const users = fuseRiders(detections);
  const matched = matchMotorbikes(motorbikes, users);
  const looked = net === undefined ? undefined : await countRiders(frame, users, net);
  const size = { width: frame.sourceWidth, height: frame.sourceHeight };
  return motorbikes.map((motorbike) => {
    const { box, occupants: truth } = motorbike;
    const user = matched.get(motorbike);
    if (user === undefined) return { box, truth, found: false };
    const others = users.filter((other) => other !== user).map((other) => other.box);
    const sight = { box, truth, found: true, free: isFreeSight(user, others, size) };
    if (looked === undefined) return { ...sight, counted: countOccupants(user.occupants) };
    const shares = user.vehicleBox === undefined ? undefined : looked.get(user.vehicleBox);
    if (shares === undefined) return sight;
    return { ...sight, shares, counted: findLikeliest(shares) };
  });
}

/** Each annotated motorbike with the two-wheeler that was found on it, best overlap first, one to one. */
function matchMotorbikes(
  motorbikes: readonly AnnotatedMotorbike[],
  users: readonly RoadUser[],
): Map<AnnotatedMotorbike, RoadUser> {
  const found = users.filter(({ label }) => isTwoWheeler(label));
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
  return matched;
}

function score(name: string, rows: readonly OccupantPrediction[]): OccupantScore {
  const found = rows.filter((row) => row.found);
  const counted = rows.filter((row) => row.counted !== undefined);
  const isExact = (row: OccupantPrediction): boolean =>
    row.counted === (row.shares === undefined ? row.truth : Math.min(row.truth, TOO_MANY));
  const said = counted.filter((row) => (row.counted ?? 0) >= TOO_MANY);
  const right = said.filter(({ truth }) => truth >= TOO_MANY).length;
  const truths = [...new Set(rows.map(({ truth }) => truth))].sort((a, b) => a - b);
  return {
    name,
    motorbikes: rows.length,
    found: computeProportion(found.length, rows.length),
    counted: computeProportion(counted.length, found.length),
    exact: computeProportion(counted.filter(isExact).length, counted.length),
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
export function formatOccupantTable({ model, counter, maxWidth, scores }: OccupantMetrics): string {
  const tell = ({ name, sha256 }: ModelName): string => `${name}@${sha256.slice(0, 8)}`;
  const how = counter === undefined ? 'boxes of people counted' : `counted by ${tell(counter)}`;
  const heads = ['source', 'found', 'counted', 'exact count', 'three or more: precision'];
  const lines = [
    `${tell(model)}, ${how}, at most ${maxWidth} px wide; single frames, as the rule counts them`,
    `${heads.map((head) => head.padEnd(28)).join('')}recall`,
  ];
  for (const { name, found, counted, exact, overloaded } of scores) {
    const cells = [found, counted, exact, overloaded.precision, overloaded.recall].map((share) =>
      formatProportion(share).padEnd(28),
    );
    lines.push(`${name.padEnd(28)}${cells.join('')}`);
  }
  const all = scores.find(({ name }) => name === 'all');
  lines.push('', `${'truth ↓ counted →'.padEnd(20)}     0     1     2    3+  not counted`);
  for (const { truth, said, lost } of all?.table ?? []) {
    lines.push(
      `${String(truth).padEnd(20)}${said.map((count) => String(count).padStart(6)).join('')}${String(lost).padStart(13)}`,
    );
  }
  return lines.join('\n');
}
