import { type BlurTrial, computeIou, type Detector, fuseRiders, readPictureFile } from '@ngatu/edge';
import { listPictures } from './blur-folder.ts';
import { computeProportion, formatProportion, type Proportion } from './interval.ts';

type Box = readonly [number, number, number, number];

export interface BlurEvaluationOptions {
  /** Any folder of pictures, with or without folders in it. */
  readonly dataDir: string;
  readonly detector: Detector;
  /** Blurs as the node does, and looks at pictures before and after. */
  readonly trial: BlurTrial;
  /** Pictures that are looked at, evenly over the folder. */
  readonly maxPictures: number;
  readonly onPicture?: (done: number, total: number) => void;
}

/** How many of what was found before is found, or read, in the same place afterwards. */
export interface PartTally {
  readonly found: Proportion;
  /** By another detector than the one that blurs; absent where there is none. */
  readonly foundByOther?: Proportion;
  readonly readable?: Proportion;
}

export interface BlurMetrics {
  readonly pictures: number;
  readonly recipe: string;
  /** Nobody is left out: every face and plate that is found counts. */
  readonly still: { readonly faces: PartTally; readonly plates: PartTally };
  /** The largest road user is left out: what is not inside it counts. */
  readonly withSubject: { readonly faces: PartTally; readonly plates: PartTally };
  /** At the size of the preview, blurred by road users alone. */
  readonly preview: { readonly faces: PartTally; readonly plates: PartTally };
  /** Wall time of one picture with its detectors, ms. */
  readonly stillMs: { readonly p50: number; readonly p95: number };
}

/** A part that was found before is still there where something is found that covers its place so (IoU). */
const SAME_PLACE_IOU = 0.3;
/** Of the many readings of a plate those count as readable whose every character was read so surely. */
const READABLE_CONFIDENCE = 0.7;
const READABLE_LENGTH = 6;

class Tally {
  #found = 0;
  #total = 0;
  #otherFound = 0;
  #otherTotal = 0;
  #read = 0;
  #readTotal = 0;
  #hasOther = false;
  #hasReader = false;

  add(before: readonly Box[], after: readonly Box[]): void {
    this.#total += before.length;
    this.#found += before.filter((box) => isCovered(box, after)).length;
  }

  addOther(before: readonly Box[], after: readonly Box[]): void {
    this.#hasOther = true;
    this.#otherTotal += before.length;
    this.#otherFound += before.filter((box) => isCovered(box, after)).length;
  }

  addReading(before: string, after: string): void {
    this.#hasReader = true;
    this.#readTotal += 1;
    if (before === after) this.#read += 1;
  }

  markReader(): void {
    this.#hasReader = true;
  }

  finish(): PartTally {
    return {
      found: computeProportion(this.#found, this.#total),
      ...(this.#hasOther ? { foundByOther: computeProportion(this.#otherFound, this.#otherTotal) } : {}),
      ...(this.#hasReader ? { readable: computeProportion(this.#read, this.#readTotal) } : {}),
    };
  }
}

function isCovered(box: Box, found: readonly Box[]): boolean {
  return found.some((other) => computeIou(box, other) >= SAME_PLACE_IOU);
}

function isOutside([x1, y1, x2, y2]: Box, subject: Box | undefined): boolean {
  if (subject === undefined) return true;
  const x = (x1 + x2) / 2;
  const y = (y1 + y2) / 2;
  return x < subject[0] || x > subject[2] || y < subject[1] || y > subject[3];
}

/**
 * Measures what part of the faces and plates that detectors find before blurring is still found, or still read, afterwards.
 * @throws NgatuError FILE_UNREADABLE, PICTURE_UNREADABLE, MODEL_INVALID
 */
export async function evaluateBlur(
  options: BlurEvaluationOptions,
  signal: AbortSignal,
): Promise<BlurMetrics> {
  const { trial, detector } = options;
  const files = await listPictures(options.dataDir, options.maxPictures);
  const tallies = {
    still: { faces: new Tally(), plates: new Tally() },
    withSubject: { faces: new Tally(), plates: new Tally() },
    preview: { faces: new Tally(), plates: new Tally() },
  };
  const durations: number[] = [];
  for (const [index, file] of files.entries()) {
    signal.throwIfAborted();
    const frame = await readPictureFile(file, 960);
    const users = fuseRiders(await detector.detect(frame)).map((user, number) => ({
      trackId: number + 1,
      label: user.label,
      box: user.box,
      occupants: user.occupants.map(({ box }) => box),
    }));
    const subject = [...users].sort((a, b) => areaOf(b.box) - areaOf(a.box))[0];
    const startedAt = performance.now();
    const still = await trial.run(file, { users, form: 'still' });
    durations.push(performance.now() - startedAt);
    addRun(tallies.still, still, undefined);
    if (subject !== undefined) {
      const kept = await trial.run(file, { users, subject, form: 'still' });
      addRun(tallies.withSubject, kept, subject.box);
    }
    addRun(tallies.preview, await trial.run(file, { users, form: 'preview' }), undefined);
    options.onPicture?.(index + 1, files.length);
  }
  durations.sort((a, b) => a - b);
  const quantile = (share: number): number =>
    durations[Math.min(durations.length - 1, Math.floor(durations.length * share))] ?? 0;
  const finish = ({ faces, plates }: { faces: Tally; plates: Tally }) => ({
    faces: faces.finish(),
    plates: plates.finish(),
  });
  return {
    pictures: files.length,
    recipe: trial.recipe,
    still: finish(tallies.still),
    withSubject: finish(tallies.withSubject),
    preview: finish(tallies.preview),
    stillMs: { p50: quantile(0.5), p95: quantile(0.95) },
  };
}

type Run = Awaited<ReturnType<BlurTrial['run']>>;

function addRun(tally: { faces: Tally; plates: Tally }, run: Run, subject: Box | undefined): void {
  const outside = (boxes: readonly Box[]): Box[] => boxes.filter((box) => isOutside(box, subject));
  tally.faces.add(outside(run.before.faces), run.after.faces);
  if (run.before.otherFaces !== undefined)
    tally.faces.addOther(outside(run.before.otherFaces), run.after.otherFaces ?? []);
  tally.plates.add(outside(run.before.plates), run.after.plates);
  if (run.before.otherPlates !== undefined)
    tally.plates.addOther(outside(run.before.otherPlates), run.after.otherPlates ?? []);
  if (run.readings === undefined) return;
  tally.plates.markReader();
  for (const { box, before, after } of run.readings) {
    const isReadable = before.text.length >= READABLE_LENGTH && before.confidence >= READABLE_CONFIDENCE;
    if (isReadable && isOutside(box, subject)) tally.plates.addReading(before.text, after.text);
  }
}

function areaOf([x1, y1, x2, y2]: Box): number {
  return (x2 - x1) * (y2 - y1);
}

/** The table that `ngatu eval blur` prints. */
export function formatBlurTable(metrics: BlurMetrics): string {
  const row = (name: string, { found, foundByOther, readable }: PartTally): string =>
    [
      name.padEnd(34),
      formatProportion(found).padEnd(30),
      (foundByOther === undefined ? '–' : formatProportion(foundByOther)).padEnd(30),
      readable === undefined ? '–' : formatProportion(readable),
    ].join('');
  const { still, withSubject, preview, stillMs } = metrics;
  return [
    `${metrics.pictures} pictures, ${metrics.recipe}; ${stillMs.p50.toFixed(0)} ms a picture (p95 ${stillMs.p95.toFixed(0)})`,
    `${'what was found before, afterwards'.padEnd(34)}${'found again'.padEnd(30)}${'found by another detector'.padEnd(30)}read again`,
    row('still, nobody left out: faces', still.faces),
    row('still, nobody left out: plates', still.plates),
    row('still, but the subject: faces', withSubject.faces),
    row('still, but the subject: plates', withSubject.plates),
    row('preview: faces', preview.faces),
    row('preview: plates', preview.plates),
  ].join('\n');
}
